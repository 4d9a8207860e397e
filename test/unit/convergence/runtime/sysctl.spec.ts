// Kernel parameters, in a network namespace of their own, so that those of this machine stay as they are.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Resource, SysctlValue } from "../../../../components/convergence/kinds/index";
import { seal } from "../../../../components/convergence/payload/payload";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";
import { describeShells, lines, type Sandbox, type ShellResult } from "../../../support/sandbox";
import { skip } from "../../../support/skip";

const QUEUE = "net.core.somaxconn";
const RANGE = "net.ipv4.ip_local_port_range";
const RESERVED = "net.ipv4.ip_local_reserved_ports";
/** Of the machine, so a namespace cannot change it. */
const TRACKED = "net.netfilter.nf_conntrack_max";

type Values = Record<string, SysctlValue>;

/** A network namespace with parameters of its own, and a directory that stands in for /etc/sysctl.d. */
class Namespace {
    private readonly name = `sysctl-${process.pid}-${Date.now()}`;

    constructor(readonly sandbox: Sandbox) {
        execFileSync("ip", ["netns", "add", this.name]);
        sandbox.runner = ["ip", "netns", "exec", this.name];
        mkdirSync(sandbox.path("sysctl.d"));
    }

    remove = () => execFileSync("ip", ["netns", "del", this.name]);

    private exec(command: string): string {
        return execFileSync("ip", ["netns", "exec", this.name, "sh", "-c", command], { encoding: "utf8" });
    }

    run(values: Values, verb: string, shell = ""): ShellResult {
        const keys = Object.keys(values);
        const resources: Resource[] = keys.length === 0 ? [] : [{ kind: "sysctl", name: "60-test", values }];
        const text = this.sandbox.payload(resources, { shell });
        const body = text.slice(text.indexOf("\n") + 1);
        return this.sandbox.run(seal(body.replaceAll("/etc/sysctl.d", this.sandbox.path("sysctl.d"))), verb);
    }

    whyRun = (values: Values, shell = "") => parseWhyRun(this.run(values, "why-run", shell).stdout);

    /** Aspect, and what the host has. */
    differences(values: Values): string[] {
        const { differences } = this.whyRun(values);
        return differences.flatMap(({ aspect, have }) => (aspect === "manifest" ? [] : `${aspect} ${have}`.trim()));
    }

    /** Converges, and expects that nothing differs then. */
    converge(values: Values): void {
        const { code } = this.run(values, "apply");
        assert.equal(code, 0, readFileSync(this.sandbox.path("run/log.test"), "utf8"));
        assert.deepEqual(this.differences(values), []);
    }

    live = (key: string) => this.exec(`cat /proc/sys/${key.replaceAll(".", "/")}`).trimEnd();
    set = (key: string, value: string | number) => this.exec(`echo '${value}' >/proc/sys/${key.replaceAll(".", "/")}`);

    /** The lines that set values at each boot. */
    get boot(): string[] {
        const text = readFileSync(this.sandbox.path("sysctl.d/60-test.conf"), "utf8");
        return lines(text).filter((line) => !line.startsWith("#"));
    }

    write = (name: string, text: string) => writeFileSync(this.sandbox.path(`sysctl.d/${name}`), text);
}

describe("kernel parameters", () => {
    before("network namespaces", function () {
        if (spawnSync("unshare", ["-n", "true"]).status !== 0) {
            skip(this, "no right to make network namespaces");
        }
    });

    describeShells("are converged", (sandbox) => {
        let host: Namespace;
        beforeEach(() => {
            host = new Namespace(sandbox());
        });
        afterEach(() => host?.remove());

        it("by writing them, now and for each boot, and by nothing the second time", () => {
            const values = { [QUEUE]: { value: 1000 }, [RANGE]: { value: "1024  65535" } };
            const differences = [`value ${QUEUE} 4096`, `value ${RANGE} 32768 60999`, "missing"];
            assert.deepEqual(host.differences(values), differences);
            host.converge(values);
            assert.deepEqual([host.live(QUEUE), host.live(RANGE)], ["1000", "1024\t65535"]);
            assert.deepEqual(host.boot, [`-${QUEUE} = 1000`, `-${RANGE} = 1024 65535`]);
        });

        it("again if they or their file were changed", () => {
            const values = { [QUEUE]: { value: 1000 } };
            host.converge(values);
            host.set(QUEUE, 2000);
            assert.deepEqual(host.differences(values), [`value ${QUEUE} 2000`]);
            host.converge(values);
            host.write("60-test.conf", `${QUEUE} = 7\n`);
            assert.deepEqual(host.differences(values), ["boot"]);
            host.converge(values);
            assert.deepEqual(host.boot, [`-${QUEUE} = 1000`]);
            rmSync(host.sandbox.path("sysctl.d/60-test.conf"));
            assert.deepEqual(host.differences(values), ["missing"]);
            host.converge(values);
            assert.equal(host.live(QUEUE), "1000");
        });

        it("and more is left alone with atLeast, also at a boot", () => {
            const values = { [QUEUE]: { value: 1000, atLeast: true } };
            assert.deepEqual(host.differences(values), ["missing"]);
            host.converge(values);
            assert.equal(host.live(QUEUE), "4096");
            host.set(QUEUE, 999);
            assert.deepEqual(host.differences(values), [`less ${QUEUE} 999`]);
            host.converge(values);
            assert.equal(host.live(QUEUE), "1000");
            host.write("10-admin.conf", "net/core/somaxconn=5000\n-net.core.somaxconn = 3000");
            assert.deepEqual(host.differences(values), ["boot"]);
            host.converge(values);
            assert.deepEqual(host.boot, [`-${QUEUE} = 5000`]);
            assert.equal(host.live(QUEUE), "1000");
        });

        it("and ports that others have reserved stay reserved", () => {
            host.set(RESERVED, "30000-30100,8404");
            const values = (value: string) => ({ [RESERVED]: { value, atLeast: true } });
            assert.deepEqual(host.differences(values("8404,30050-30060")), ["missing"]);
            host.converge(values("8404-8405"));
            assert.equal(host.live(RESERVED), "8404-8405,30000-30100");
            assert.deepEqual(host.boot, [`-${RESERVED} = 8404-8405`]);
            // Ours are not kept.
            host.converge(values("9000"));
            assert.equal(host.live(RESERVED), "8404,9000,30000-30100");
            host.set(RESERVED, "8404,9001,30000-30100");
            host.converge(values("9000"));
            assert.equal(host.live(RESERVED), "8404,9000-9001,30000-30100");
            host.write("10-admin.conf", `${RESERVED} = 5000,5001\n`);
            host.converge(values("9000"));
            assert.deepEqual(host.boot, [`-${RESERVED} = 9000,5000,5001`]);
        });

        it("except those that are missing or cannot be written, which are no drift", () => {
            const have = host.live(TRACKED);
            const values = {
                [QUEUE]: { value: 1000 },
                [TRACKED]: { value: Number(have) + 1, atLeast: true, reason: "4 x maxconn 1" },
                "net.ipv4.no_such": { value: 1 },
                "net.ipv6.neither": { value: 1, optional: true },
            };
            host.converge(values);
            assert.deepEqual(host.whyRun(values).shortages, [
                {
                    what: TRACKED,
                    needed: `${Number(have) + 1} (4 x maxconn 1)`,
                    have: `${have}, and root cannot change it there`,
                },
                { what: "net.ipv4.no_such", needed: "1", have: "no such parameter" },
            ]);
            assert.deepEqual(host.whyRun({ ...values, [TRACKED]: { value: have } }).shortages.length, 1);
        });

        it("and a later file that sets something else at each boot is named", () => {
            const values = { [QUEUE]: { value: 1000, atLeast: true } };
            host.converge(values);
            host.write("10-earlier.conf", `${QUEUE} = 1\n`);
            host.write("70-wrong.conf", `${QUEUE} = 2\n`);
            host.write("80-right.conf", `${QUEUE} = 1001\n`);
            assert.deepEqual(host.whyRun(values).warnings, []);
            host.write("90-wrong.conf", ` ${QUEUE}\t=  3  \n`);
            const { warnings } = host.whyRun(values);
            assert.equal(warnings.length, 1);
            assert.match(warnings[0] ?? "", /90-wrong\.conf sets net\.core\.somaxconn to 3 at each boot, but 1000 is/);
        });

        it("and a value that the kernel does not take, or shows otherwise, fails", () => {
            for (const [value, words] of [
                ["9".repeat(12), /the kernel does not accept 9{12} for net\.core\.somaxconn; correct the value/],
                ["0x100", /net\.core\.somaxconn is 256 after 0x100 was written; declare it like that/],
            ] as const) {
                assert.equal(host.run({ [QUEUE]: { value } }, "apply").code, 1);
                assert.match(readFileSync(host.sandbox.path("run/log.test"), "utf8"), words);
            }
        });

        it("and undone unless somebody else has changed them", () => {
            const values = {
                [QUEUE]: { value: 1000 },
                [RANGE]: { value: "1024 65535" },
                [RESERVED]: { value: "9000" },
            };
            host.converge(values);
            host.set(RANGE, "2000 3000");
            const left = { [RESERVED]: { value: "9000" } };
            const undone = ["boot", `unlisted sysctl[/proc/sys/net/core/somaxconn]`];
            assert.deepEqual(host.differences(left), undone);
            host.converge(left);
            assert.deepEqual([host.live(QUEUE), host.live(RANGE)], ["4096", "2000\t3000"]);
            host.converge({});
            assert.equal(host.live(RESERVED), "");
            assert.deepEqual(spawnSync("ls", [host.sandbox.path("sysctl.d")], { encoding: "utf8" }).stdout, "");
        });

        it("and undone after a boot that has set another value of ours", () => {
            const values = (value: number) => ({ [QUEUE]: { value, atLeast: true } });
            host.converge(values(6000));
            host.converge(values(5000));
            assert.equal(host.live(QUEUE), "6000");
            assert.deepEqual(host.boot, [`-${QUEUE} = 5000`]);
            // As a boot would.
            host.set(QUEUE, 5000);
            host.converge({});
            assert.equal(host.live(QUEUE), "4096");
        });

        it("to the end, and undone, after a kill at any step", () => {
            const values = { [QUEUE]: { value: 1000 }, [RESERVED]: { value: "9000", atLeast: true } };
            const before = [host.live(QUEUE), host.live(RESERVED)];
            let isKilled = true;
            let nth = 0;
            while (isKilled) {
                nth++;
                const kill = `step() {
                    steps=$((\${steps-0} + 1)); doing=$1; shift
                    [ $steps != ${nth} ] || kill -9 $$
                    "$@" </dev/null >"$run/step.out" 2>&1 || fail_step
                }`;
                isKilled = host.run(values, "apply", kill).code !== 0;
                // Every other time, the next run goes on; otherwise it undoes.
                if (nth % 2 === 0) {
                    host.converge(values);
                    assert.deepEqual([host.live(QUEUE), host.live(RESERVED)], ["1000", "9000"], `step ${nth}`);
                }
                host.run({}, "apply");
                assert.deepEqual([host.live(QUEUE), host.live(RESERVED)], before, `step ${nth}`);
                assert.ok(nth < 30);
            }
            assert.ok(nth > 10, `${nth}`);
        });
    });
});

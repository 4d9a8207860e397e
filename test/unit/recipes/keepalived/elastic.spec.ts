import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PairSettings, pairSettingsFile, resolvePair } from "../../../../components/keepalived/index";
import { elasticResources } from "../../../../components/recipes/keepalived/elastic";
import { hostProgram } from "../../../../components/scripts";
import { describeUnderShells, has } from "../../../support/sandbox";
import { skip } from "../../../support/skip";

const members = [1, 2].map((n) => ({
    name: `lb${n}`,
    address: `10.0.${n}.11`,
    elastic: { networkInterfaceId: `eni-${n}`, serviceAddress: `10.0.${n}.12` },
}));
const resourcesOf = (settings: Partial<PairSettings>) =>
    elasticResources(resolvePair("edge", { failback: "never", ...settings }, members));
const elasticIp = { allocationId: "eipalloc-1", region: "eu-central-1" };

describe("resources of an elastic IP address", () => {
    it("are none for a pair with addresses of its own", () => {
        assert.deepEqual(resourcesOf({ addresses: ["192.0.2.100/24"] }), []);
    });

    it("are the programs before the units, and the units before the services", () => {
        assert.deepEqual(
            resourcesOf({ elasticIp }).map((resource) => [
                resource.kind,
                "path" in resource ? resource.path : "name" in resource ? resource.name : "",
            ]),
            [
                ["packages", ""],
                ["packages", ""],
                ["file", "/usr/local/libexec/haproxy-fleet/call-ec2"],
                ["file", "/usr/local/libexec/haproxy-fleet/move-address"],
                ["systemdUnit", "haproxy-fleet-address.service"],
                ["systemdUnit", "haproxy-fleet-address-check.service"],
                ["systemdUnit", "haproxy-fleet-address-check.timer"],
                ["systemdUnit", "haproxy-fleet-secondary-address.service"],
                ["service", "haproxy-fleet-secondary-address.service"],
                ["service", "haproxy-fleet-address-check.timer"],
            ],
        );
    });

    describe("need boto3", () => {
        let directory: string;
        beforeEach(() => {
            directory = mkdtempSync(join(tmpdir(), "curl-"));
        });
        afterEach(() => rmSync(directory, { recursive: true }));

        /** Whether a host needs it that has this version of curl, or may install it. */
        function isNeeded(versions: { installed?: string; candidate?: string }): boolean {
            const program = (name: string, text: string) => {
                writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`);
                chmodSync(join(directory, name), 0o755);
            };
            program("dpkg-query", versions.installed ? `printf %s ${versions.installed}` : "exit 1");
            program("apt-cache", versions.candidate ? `echo "Version: ${versions.candidate}"` : ":");
            const [, python] = resourcesOf({ elasticIp });
            assert.ok(python?.kind === "packages" && python.onlyIf !== undefined);
            assert.deepEqual(python.names, ["python3-boto3"]);
            const { status, stderr } = spawnSync("dash", ["-c", python.onlyIf], {
                env: { PATH: `${directory}:${process.env.PATH}` },
                encoding: "utf8",
            });
            assert.equal(stderr, "");
            return status === 0;
        }

        for (const [release, versions, needed] of [
            ["Debian 11", { installed: "7.74.0-1.3+deb11u14" }, true],
            ["Ubuntu 22.04", { installed: "7.81.0-1ubuntu1.20" }, true],
            ["Debian 12", { installed: "7.88.1-10+deb12u12" }, false],
            ["Ubuntu 24.04", { installed: "8.5.0-2ubuntu10.6" }, false],
            ["Debian 11 without curl", { candidate: "7.74.0-1.3+deb11u14" }, true],
            ["Debian 13 without curl", { candidate: "8.14.1-2" }, false],
        ] as const) {
            it(`${needed ? "" : "not "}on ${release}`, function () {
                if (!has("dpkg")) skip(this, "no dpkg");
                assert.equal(isNeeded(versions), needed);
            });
        }
    });

    it("are a program that ShellCheck has nothing to say about", function () {
        if (!has("shellcheck")) skip(this, "no shellcheck");
        const input = hostProgram("keepalived", "move-address.sh");
        const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", "-"], {
            input,
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout);
    });
});

/** Two MASTERs with the program move-address, and stubs of what it calls. EC2 is a file. */
class TwoMasters {
    readonly #directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-mover-"));

    constructor(private readonly shell: string[]) {
        writeFileSync(this.#path("uptime"), "1000.00 0\n");
        const pair = resolvePair("edge", { failback: "never", elasticIp }, members);
        for (const host of ["lb1", "lb2"] as const) {
            mkdirSync(this.#path(host));
            writeFileSync(this.#path(`${host}/pair.conf`), pairSettingsFile(pair, host));
            this.become(host, 100);
            const stub = (name: string, script: string) =>
                writeFileSync(this.#path(`${host}/${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
            stub("pair", "printf 'MASTER\\tall\\n'");
            stub("sleep", ":");
            stub("ip", "echo '2: eth0    inet 10.0.0.1/24'");
            stub("check-haproxy", `cat ${this.#path("page")}; grep -q ' 200 ' ${this.#path("page")}`);
            stub(
                "curl",
                `case $* in
                --version) echo curl 7.88.1 ;;
                *api/token*) echo token ;;
                *security-credentials/) echo role ;;
                *security-credentials/role*) echo '{"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T"}' ;;
                *DescribeAddresses*) cat ${this.#path("owner")} ;;
                *AssociateAddress*)
                    [ ! -e ${this.#path("refuses")} ] || { printf '<Code>Unavailable</Code>\\n503'; exit; }
                    to=\${*#*NetworkInterfaceId=}
                    ip=\${*#*PrivateIpAddress=}
                    printf '<publicIp>203.0.113.1</publicIp><networkInterfaceId>%s</networkInterfaceId>' "\${to%% *}" >${this.#path("owner")}
                    printf '<privateIpAddress>%s</privateIpAddress>\\n200' "\${ip%% *}" >>${this.#path("owner")}
                    echo 200
                    ;;
                esac`,
            );
            const text = hostProgram("keepalived", "move-address.sh")
                .replaceAll("/proc/uptime", this.#path("uptime"))
                .replace(/^settings=.*$/m, `settings=${this.#path(`${host}/pair.conf`)}`)
                .replace(/^state=.*$/m, `state=${this.#path(`${host}/state`)}`)
                .replace(/^run=.*$/m, `run=${this.#path(`${host}/run`)}`)
                .replace(/^programs=.*$/m, `programs=${this.#path(host)}`)
                .replace(/^PATH=/m, `PATH=${this.#path(host)}:`);
            writeFileSync(this.#path(`${host}/move-address`), text);
        }
        this.page("no connection in time");
        writeFileSync(this.#path("owner"), "\n200");
    }

    #path = (name: string) => join(this.#directory, name);

    /** What a host hears from the health page of the other one. */
    page(answer: string): void {
        writeFileSync(this.#path("page"), `${answer}\n`);
    }

    /** Whether EC2 refuses to move the address. */
    refuse(refuses: boolean): void {
        rmSync(this.#path("refuses"), { force: true });
        if (refuses) writeFileSync(this.#path("refuses"), "");
    }

    /** Makes a host MASTER anew. */
    become(host: string, since: number): void {
        writeFileSync(this.#path(`${host}/state`), `MASTER ${since}\n`);
    }

    run(host: string, verb: string): string {
        const [program = "", ...words] = [...this.shell, this.#path(`${host}/move-address`), verb];
        const { stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
        assert.equal(stderr, "");
        return stdout;
    }

    get owner(): string {
        const [, found] = /eni-(\d)/.exec(readFileSync(this.#path("owner"), "utf8")) ?? [];
        return `lb${found}`;
    }

    /** Lets the timers of these hosts run each 30 s. @returns when the address has moved, in seconds, and to which host */
    pass(seconds: number, hosts: string[]): [number, string][] {
        const moves: [number, string][] = [];
        const began = Number.parseInt(readFileSync(this.#path("uptime"), "utf8"), 10);
        for (let passed = 30; passed <= seconds; passed += 30) {
            writeFileSync(this.#path("uptime"), `${began + passed}.00 0\n`);
            for (const host of hosts) {
                const { owner } = this;
                this.run(host, "check");
                if (this.owner !== owner) moves.push([passed, this.owner]);
            }
        }
        return moves;
    }

    remove(): void {
        rmSync(this.#directory, { recursive: true });
    }
}

describeUnderShells(
    "an elastic IP address that both hosts want",
    (shell) => new TwoMasters(shell),
    (two) => {
        /** The first host had it when the second one became MASTER. */
        beforeEach(() => {
            two().run("lb1", "move");
            assert.equal(two().owner, "lb1");
            two().become("lb2", 200);
            two().run("lb2", "move");
            assert.equal(two().owner, "lb2");
        });

        it("moves ever less often while they cannot reach each other, and then each 5 minutes", () => {
            const moves = two().pass(2100, ["lb1", "lb2"]);
            assert.deepEqual(
                moves.map(([seconds]) => seconds),
                [90, 150, 300, 420, 690, 930, 1260, 1560, 1890],
            );
            // lb1, which has had it for 210 s, has died now.
            assert.deepEqual(two().pass(300, ["lb2"]), [[90, "lb2"]]);
        });

        it("says for how long it is left to the other one", () => {
            assert.equal(
                two().run("lb1", "check"),
                "elastic IP 203.0.113.1: left to 10.0.2.11, which has taken it, for 60 s more; its health page cannot be reached (no connection in time), so see that VRRP and TCP get through\n",
            );
        });

        it("is taken from a host that has died since, once", () => {
            assert.deepEqual(two().pass(300, ["lb1"]), [[90, "lb1"]]);
        });

        it("is tried again at once if EC2 refuses it after the pause", () => {
            two().refuse(true);
            assert.deepEqual(two().pass(120, ["lb1"]), []);
            two().refuse(false);
            assert.deepEqual(two().pass(30, ["lb1"]), [[30, "lb1"]]);
        });

        it("is taken at once by a host that becomes MASTER anew", () => {
            two().pass(30, ["lb1"]);
            two().become("lb1", 300);
            assert.deepEqual(two().pass(30, ["lb1"]), [[30, "lb1"]]);
        });

        it("is taken at once from a host that does not serve", () => {
            for (const answer of ["HTTP/1.0 503 Service Unavailable", "Connection refused", "no answer in time"]) {
                two().run("lb2", "move");
                two().page(answer);
                assert.match(two().run("lb1", "check"), /: leads to 10\.0\.1\.12 of eni-1 now; before: peer; /, answer);
            }
        });

        it("stays with the preferred host while they reach each other, but for VRRP", () => {
            two().page("HTTP/1.0 200 OK");
            assert.deepEqual(two().pass(600, ["lb1", "lb2"]), [[30, "lb1"]]);
            assert.match(
                two().run("lb2", "check"),
                /: left to 10\.0\.1\.11, which serves; both hosts seem to be MASTER, /,
            );
        });
    },
);

import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { makePlan } from "../../components/convergence/payload/plan";
import { slot } from "../../components/convergence/slots";
import { nextToken } from "../../components/convergence/token";
import type { Host } from "../../lab/host";
import { checkWords } from "../support/checkWords";
import { Convergence, redefine, WHO } from "../support/converge";
import { hostState } from "../support/hostState";
import { hostsProgram } from "../support/hostsProgram";
import { describeLab, withLab } from "../support/lab";
import { smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";
import { Project } from "../toolchain/project";

const resources = (motd = "one\ntwo\nthree\n"): Resource[] => [
    ...smallLoadBalancer(),
    { kind: "packages", names: ["socat"] },
    { kind: "directory", path: "/srv/owned", owned: true },
    { kind: "file", path: "/etc/motd", content: motd },
    { kind: "file", path: "/etc/lab.key", content: `key ${slot("key")}\n` },
];

const CONFIG = "/etc/haproxy/haproxy.cfg";
const KEPT = "/var/lib/haproxy-fleet/check";
const LAST = "/var/lib/haproxy-fleet/last-converge";

/** Drift of a host, the words of a preview about it, and a command that shows its repair. */
const drifts: { what: string; command: string; says: string[]; repaired: [command: string, output: string] }[] = [
    {
        what: "content of a file",
        command: "printf 'one\\nTWO\\nthree\\n' >/etc/motd",
        says: ["converge it, with no reload", "file[/etc/motd]", "content differs", "-TWO", "+two"],
        repaired: ["cat /etc/motd", "one\ntwo\nthree"],
    },
    {
        what: "mode of a file",
        command: "chmod 0666 /etc/motd",
        says: ["file[/etc/motd]", "mode is 0666, declared 0644"],
        repaired: ["stat -c %a /etc/motd", "644"],
    },
    {
        what: "owner of a file",
        command: "chown daemon:mail /etc/motd",
        says: ["file[/etc/motd]", "owner is daemon:mail, declared root:root"],
        repaired: ["stat -c %U:%G /etc/motd", "root:root"],
    },
    {
        what: "a removed file",
        command: "rm /etc/motd",
        says: ["file[/etc/motd]", "does not exist", "+one", "+three"],
        repaired: ["cat /etc/motd", "one\ntwo\nthree"],
    },
    {
        what: "an extra file in an owned directory",
        command: "echo >/srv/owned/extra",
        says: ["directory[/srv/owned]", "undeclared entry extra would be removed"],
        repaired: ["ls /srv/owned", ""],
    },
    {
        what: "a stopped service",
        command: "systemctl stop haproxy",
        says: ["transaction[haproxy]", "is stopped, would be started", "start: it is not running"],
        repaired: ["systemctl is-active haproxy", "active"],
    },
    {
        what: "a disabled service",
        command: "systemctl --quiet disable haproxy",
        says: ["service[haproxy.service]", "is disabled, would be enabled"],
        repaired: ["systemctl is-enabled haproxy", "enabled"],
    },
    {
        what: "a masked service",
        command: "systemctl --quiet mask haproxy",
        says: ["service[haproxy.service]", "is masked, would be enabled"],
        repaired: ["systemctl is-enabled haproxy", "enabled"],
    },
    {
        what: "a drop-in that systemd has not read",
        command: "touch /etc/systemd/system/haproxy.service.d/10-limits.conf",
        says: ["systemdUnit[haproxy.service.d/10-limits.conf]", "changed since systemd read it, would be read again"],
        repaired: ["systemctl show -P NeedDaemonReload haproxy", "no"],
    },
    {
        what: "a removed package",
        command: "apt-get -qq remove -y socat >/dev/null",
        says: ["packages[socat]", "socat is not installed"],
        repaired: ["dpkg-query -W -f '${Status}' socat", "install ok installed"],
    },
    {
        what: "an edit of haproxy.cfg",
        command: `sed -i 's/server app1 .*/server app9 192.0.2.9:80/' ${CONFIG}`,
        says: [
            "converge it and reload",
            "transaction[haproxy]",
            `${CONFIG}: content differs`,
            "-    server app9 192.0.2.9:80",
            "+    server app1 192.0.2.21:8080 check",
            "reload:",
        ],
        repaired: [`grep -c app9 ${CONFIG}`, "0"],
    },
    {
        what: "a running configuration that is older than the file",
        command: `cp -p ${CONFIG} /root/good; sed -i 's/app1/app9/; s/str("[0-9a-f]*")/str("0123")/' ${CONFIG}
            systemctl reload haproxy
            until echo '@1 get var proc.cfg' | socat - /run/haproxy-master.sock | grep -q '<0123>'; do sleep 0.05; done
            cp /root/good ${CONFIG}; chown root:haproxy ${CONFIG}; chmod 0640 ${CONFIG}`,
        says: ["converge it and reload", "transaction[haproxy]", "the running process does not have these files"],
        repaired: ["echo 'show servers state' | socat - /run/haproxy/admin.sock | grep -c app1", "1"],
    },
];

describeLab("drift", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    let host: Host;
    let convergence: Convergence;
    const out = async (command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const token = async () => nextToken(await convergence.whyRun(), convergence.payload());
    const stored = () => out("head -n 1 /var/lib/haproxy-fleet/token");
    /** What the host itself says differs from its last converge. */
    const check = async () => {
        const { code, stdout } = await host.exec(`sh ${KEPT} check 2>/dev/null`, { check: false });
        const lines = stdout.trimEnd().split("\n");
        assert.deepEqual([code, lines[0], lines.at(-1)], [0, "check", "end\tdone"], stdout);
        return lines.filter((line) => line.startsWith("differs\t"));
    };
    const up = async () => {
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        assert.equal((await convergence.preview()).text, "");
    };

    before("a converged host", async () => {
        host = lab().host("lb1");
        convergence = new Convergence(sshTargetOf(lab(), host), resources(), { key: "planted 1" });
        const { text, severity } = await convergence.preview();
        assert.equal(severity, "info");
        assert.match(text, /^\S+ differs in \d+ resources, before the first converge; /);
        assert.doesNotMatch(text, /declared anew|drift/);
        await up();
    });

    for (const { what, command, says, repaired } of drifts) {
        it(`${what}: reported, repaired, gone`, async () => {
            const before = await stored();
            assert.equal(await token(), before, "no difference keeps the host's token");
            await host.exec(command);
            const { text, severity } = await convergence.preview();
            const lines = text.split("\n").map((line) => line.trim());
            for (const words of says)
                assert.ok(
                    lines.some((line) => line.includes(words.trim())),
                    `${words} in:\n${text}`,
                );
            assert.equal(severity, "warning");
            assert.match(text, /^\S+ differs in \d+ resources?: drift; /);
            assert.doesNotMatch(text, /declared anew/);
            const planned = await token();
            assert.notEqual(planned, before);
            const { differences } = await convergence.whyRun();
            assert.deepEqual(await check(), checkWords(makePlan(convergence.resources).resources, { differences }));
            await up();
            assert.deepEqual(await check(), []);
            assert.equal(await out(repaired[0]), repaired[1]);
            assert.equal(await stored(), planned, "the preview's token is the up's");
        });
    }

    describe("is known to the host itself, by the check of its last converge,", () => {
        const somaxconn: Resource = {
            kind: "sysctl",
            name: "60-lab",
            values: { "net.core.somaxconn": { value: 5000 } },
        };
        /** What the last converge has left: how long it took, who ran it, from where, and how it ended. */
        const last = async () => {
            const [ended, ...rest] = (await out(`cat ${LAST}`)).split("\t");
            const age = Number(await out("date +%s")) - Number(ended);
            assert.ok(age >= 0 && age < 300, `${age} s`);
            assert.match(rest[0] ?? "", /^\d{1,3}$/);
            return rest.slice(1);
        };
        const by = () => [WHO, `root from ${lab().gateway}`];

        afterEach(async () => {
            convergence.resources = resources();
            await up();
        });

        it("which names what somebody has changed, and nothing else", async () => {
            convergence.resources = [...resources(), somaxconn];
            await up();
            assert.deepEqual(await check(), []);
            assert.deepEqual(await last(), [...by(), "done"]);
            await host.exec(
                `echo '# edited' >>${CONFIG}; echo 128 >/proc/sys/net/core/somaxconn; systemctl stop haproxy`,
            );
            const says = await check();
            assert.deepEqual(says, [
                "differs\ttransaction[haproxy]\thaproxy.cfg: content",
                "differs\tservice[haproxy.service]\tstopped",
                "differs\tsysctl[60-lab]\tnet.core.somaxconn: value",
            ]);
            assert.deepEqual(says, checkWords(makePlan(convergence.resources).resources, await convergence.whyRun()));
        });

        it("which holds no secret and no content, and only root reads", async () => {
            assert.equal(await out(`stat -c '%a %U' ${KEPT} ${LAST}`), "600 root\n600 root");
            const base64 = [0, 1, 2].map((n) => btoa(`${"x".repeat(n)}key planted 1`).slice(4, -4));
            for (const planted of ["planted 1", "daemon:mail", ...base64]) {
                assert.equal(await out(`grep -c -F -e '${planted}' ${KEPT}`), "0", planted);
            }
            assert.ok(base64.some((text) => convergence.payload().replaceAll("\n", "").includes(text)));
        });

        it("which is the old or the new one, whole, if a converge is killed while it writes it", async () => {
            const sum = () => out(`sha256sum <${KEPT}`);
            const before = await sum();
            convergence.resources = [...resources(), somaxconn];
            const killed = redefine('dd() { head -c 1000 "$0" >"$lib/check.new"; kill -KILL $$; }');
            const { code, stderr } = await convergence.up(killed);
            assert.equal(code, 1);
            assert.match(stderr, /ended by SIGKILL/);
            assert.equal(await sum(), before);
            const [, , result = ""] = await last();
            assert.match(result, /^it was ended by SIGKILL after \d+ s, as by systemctl kill or a shutdown;/);
            // Of what that has done, the last converge that ended well knows nothing.
            assert.deepEqual(await check(), [
                "differs\tsysctl[/proc/sys/net/core/somaxconn]\tunlisted",
                "differs\tfile[/etc/sysctl.d/60-lab.conf]\tunlisted",
                "differs\thost\tunfinished",
            ]);
            await up();
            assert.notEqual(await sum(), before);
            assert.deepEqual(await check(), []);
        });

        it("with the cause, if that has failed", async () => {
            convergence.resources = [
                ...resources(),
                { kind: "execute", name: "fail", command: "echo no such luck; false", notIf: "false" },
            ];
            assert.notEqual((await convergence.up()).code, 0);
            assert.deepEqual(await last(), [...by(), "execute[fail] failed: the last step failed; no such luck"]);
        });
    });

    describe("what was declared anew", () => {
        /** Previews a change, and returns the severity and the lines about causes. */
        async function causes() {
            const { text, severity } = await convergence.preview();
            const lines = text.split("\n").map((line) => line.trim());
            const [headline = "", ...rest] = lines;
            const summary = /differs in (.*); an up would/.exec(headline)?.[1];
            return [severity, summary, ...rest.filter((line) => /^(declared anew|drift)/.test(line))];
        }
        const both = "declared anew, and changed on the host since the last converge";
        const content = "content differs (- on the host, + declared)";

        afterEach(async () => {
            convergence.slots = { key: "planted 1" };
            convergence.resources = resources();
            await up();
        });

        it("a content, or what has left the run list: information", async () => {
            convergence.resources = resources("anew\n");
            assert.deepEqual(await causes(), ["info", "1 resource: declared anew", `declared anew: ${content}`]);
            convergence.resources = resources().filter(({ kind, ...rest }) => kind !== "file" || "program" in rest);
            assert.deepEqual(await causes(), [
                "info",
                "1 resource: declared anew",
                "declared anew: file[/etc/lab.key] has left the run list, would be undone",
                "declared anew: file[/etc/motd] has left the run list, would be undone",
            ]);
        });

        it("a rotated secret: information; a file edited by hand: drift; both: as such", async () => {
            convergence.slots = { key: "planted 2" };
            assert.deepEqual(await causes(), ["info", "1 resource: declared anew", `declared anew: ${content}`]);
            await host.exec("echo 'key planted 3' >/etc/lab.key");
            assert.deepEqual(await causes(), ["warning", `1 resource: ${both}`, `${both}: ${content}`]);
            await up();
            await host.exec("echo 'key planted 1' >/etc/lab.key");
            assert.deepEqual(await causes(), ["warning", "1 resource: drift", `drift: ${content}`]);
        });

        it("beside drift: a warning that counts both", async () => {
            await host.exec("systemctl stop haproxy; chmod 0666 /etc/motd; apt-get -qq remove -y socat >/dev/null");
            convergence.resources = resources("anew\n");
            assert.deepEqual(await causes(), [
                "warning",
                "4 resources: 3 drift, 1 both",
                "drift: is stopped, would be started",
                "drift: is inactive, would be started",
                "drift: socat is not installed",
                `declared anew: ${content}`,
                "drift: mode is 0666, declared 0644",
            ]);
        });

        it("over what a converge has written that has failed since: no edit by hand", async () => {
            convergence.resources = [
                ...resources("half\n"),
                { kind: "execute", name: "fail", command: "false", notIf: "false" },
            ];
            assert.notEqual((await convergence.up()).code, 0);
            assert.equal(await out("cat /etc/motd"), "half");
            convergence.resources = resources("anew\n");
            assert.deepEqual(await causes(), ["info", "1 resource: declared anew", `declared anew: ${content}`]);
            convergence.resources = resources();
            assert.deepEqual(await causes(), ["info", "1 resource: declared anew", `declared anew: ${content}`]);
        });

        it("is not said of a host that remembers nothing, or only an older converge; nothing is due for that", async () => {
            await host.exec("mv /var/lib/haproxy-fleet/declared /root");
            assert.equal(await token(), await stored());
            convergence.resources = resources("anew\n");
            assert.deepEqual(await causes(), ["warning", "1 resource"]);
            await host.exec(
                "cp -p /root/declared /var/lib/haproxy-fleet; sed -i '1s/.*/older/' /var/lib/haproxy-fleet/declared",
            );
            assert.deepEqual(await causes(), ["warning", "1 resource"]);
            await host.exec("mv /root/declared /var/lib/haproxy-fleet");
        });

        it("is remembered without secrets, for root only", async () => {
            const file = "/var/lib/haproxy-fleet/declared";
            assert.equal(await out(`stat -c '%a %U' ${file}; grep -c 'key planted 1' ${file}`), "600 root\n0");
            assert.equal(await out(`head -n 1 ${file}`), await stored());
        });
    });

    it("plans the same drift again if it happens again", async () => {
        await host.exec("chmod 0666 /etc/motd");
        const first = await token();
        await up();
        await host.exec("chmod 0666 /etc/motd");
        assert.notEqual(await token(), first);
        await up();
    });

    it("treats two contents of one file as two drifts", async () => {
        await host.exec("echo a >/etc/motd");
        const first = await token();
        await host.exec("echo b >/etc/motd");
        assert.notEqual(await token(), first);
        await up();
    });

    it("of a host restored from an old image: in words, as a diff, and with a new token", async () => {
        const old = await stored();
        await host.snapshot("old");
        convergence.resources = resources("newer\n");
        await up();
        const known = await stored();
        await host.restore("old");
        await host.exec("systemctl is-system-running --wait");
        assert.equal(await stored(), old);
        const { text } = await convergence.preview();
        for (const words of ["file[/etc/motd]", "-one", "+newer"]) assert.ok(text.includes(words), text);
        const planned = await token();
        assert.ok(planned !== known && planned !== old, "an engine that remembers either would plan nothing");
        await up();
        assert.equal(await out("cat /etc/motd"), "newer");
    });

    it("only renews the records of a host that has lost its token or all of them", async () => {
        const pid = await out("systemctl show -P MainPID haproxy");
        await host.exec("rm /var/lib/haproxy-fleet/token");
        const planned = await token();
        await up();
        assert.equal(await stored(), planned);
        await host.exec("rm -r /var/lib/haproxy-fleet");
        await up();
        assert.equal(await token(), await stored());
        assert.equal(await out("systemctl show -P MainPID haproxy"), pid);
    });

    describe("and a value that only an up knows", () => {
        const ADDRESS = "app1.address";
        type Daemon = Extract<Resource, { kind: "transaction" }>;
        /** The run list with a server's address in a slot, further lines, and further parameters of the adapter. */
        const open = (more = "", parameters: (known: Record<string, string>) => Record<string, string> = () => ({})) =>
            resources().map((resource): Resource => {
                if (resource.kind !== "transaction") {
                    return resource;
                }
                const files = resource.files.map((file): Daemon["files"][number] => ({
                    ...file,
                    content: String(file.content).replace("192.0.2.21", slot(ADDRESS)) + more,
                }));
                const { adapter } = resource;
                const changed = { ...adapter.parameters, ...parameters(adapter.parameters) };
                return { ...resource, files, adapter: { ...adapter, parameters: changed } };
            });
        const preview = async (declared: Resource[]) => {
            convergence.resources = declared;
            convergence.unknown = [ADDRESS];
            const report = await convergence.preview();
            return { ...report, lines: report.text.split("\n").map((line) => line.trim()) };
        };

        afterEach(() => {
            convergence.unknown = [];
            convergence.resources = resources();
        });

        it("are shown as what they are, and nothing is changed", async () => {
            await host.exec("chmod 0666 /etc/motd");
            const before = await hostState(host);
            const { lines, severity } = await preview(open());
            assert.equal(severity, "warning");
            assert.match(
                lines[0] ?? "",
                /^\S+ differs in 2 resources: 1 drift, 1 known after up; an up would converge it and may reload$/,
            );
            for (const words of [
                `known after up: ${CONFIG}: content may differ (- on the host, + declared)`,
                "-    server app1 192.0.2.21:8080 check",
                "+    server app1 ‹app1.address, known after up›:8080 check",
                "not validated: app1.address is known after up",
                "may reload: no connection is lost",
                "drift: mode is 0666, declared 0644",
            ]) {
                assert.ok(lines.includes(words), `${words} in:\n${lines.join("\n")}`);
            }
            assert.equal(lines.filter((line) => /^[-+] /.test(line)).length, 2, lines.join("\n"));
            assert.deepEqual(await hostState(host), before);
            await assert.rejects(convergence.up(), /refused: made for a preview, because a value is missing/);
            convergence.unknown = [];
            convergence.resources = resources();
            await up();
        });

        it("are refused for what needs no value: ports and guards of servers, but not the lines", async () => {
            const wrong = open("    nonsense\n", ({ binds }) => ({
                binds: `${binds}\n* 22 tcp -`,
                servers: "app 2 - - yes -",
            }));
            const { text, refused } = await preview(wrong);
            assert.equal(refused, true);
            assert.match(text, /refused at preflight:\n +port 22 is taken by sshd/);
            assert.match(text, /backend app would have 1 server, now it has 1: minServers is 2/);
            assert.doesNotMatch(text, /refused at validation|unknown keyword/);
            assert.equal((await preview(open("    nonsense\n"))).refused, false);
            convergence.unknown = [];
            convergence.slots = { key: "planted 1", [ADDRESS]: "192.0.2.21" };
            assert.match((await convergence.preview()).text, /refused at validation:/);
            convergence.slots = { key: "planted 1" };
        });

        describe("by the engine", () => {
            const project = new Project();
            const engine = (...args: string[]) => project.succeed(...args, "--color=never");
            const address = "192.0.2.22";
            before(() => project.succeed("stack", "init", "dev"));
            after(() => project.remove());

            it("comes from a resource that is made in the same up", async () => {
                project.program(
                    hostsProgram([
                        {
                            name: "lb1",
                            target: sshTargetOf(lab(), host),
                            resources: open(),
                            slots: { key: "planted 1" },
                            commandSlots: { [ADDRESS]: `echo ${address}` },
                        },
                    ]),
                );
                const preview = await engine("preview");
                assert.match(
                    preview,
                    /lb1 differs in 1 resource: known after up; an up would converge it and may reload/,
                );
                assert.match(preview, /^ +\+ {4}server app1 ‹app1.address, known after up›:8080 check$/m);
                await engine("up", "--yes", "--skip-preview");
                assert.match(await out(`cat ${CONFIG}`), new RegExp(`server app1 ${address}:8080 check`));
                await engine("preview", "--expect-no-changes");
            });
        });
    });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Resource, SysctlValue } from "../../../../components/convergence/kinds/index";
import { type Longest, parseWhyRun, type WhyRun } from "../../../../components/convergence/preview/whyRun";
import { differs, packages, reportOn, transaction, words } from "./whyRuns";

/** The words for one difference of one resource. */
function word(resource: Resource, aspect: string, have = ""): string {
    const [, title, line, ...rest] = words([resource], { differences: [differs(aspect, have)] });
    assert.match(title ?? "", /^ {2}\w+\[/);
    assert.deepEqual(rest, []);
    return line?.trim() ?? "";
}

const user: Resource = { kind: "user", name: "u" };
const parameter = (value: SysctlValue): Resource => ({ kind: "sysctl", name: "60-x", values: { "a.b": value } });
const directory: Resource = { kind: "directory", path: "/srv/x" };
const file: Resource = { kind: "file", path: "/etc/x", content: "x\n" };
const service: Resource = { kind: "service", name: "x.service" };
const repository: Resource = {
    kind: "packageRepository",
    name: "x",
    url: "https://apt.example.com/",
    suite: "stable",
    components: ["main"],
    keys: [{ fingerprint: "0".repeat(40), url: "https://apt.example.com/key.asc" }],
};

describe("previewReport", () => {
    it("says nothing if nothing differs, even if the daemon was asked", () => {
        const activations = [{ id: "r0", kind: "none", reason: "the running process has it already" }];
        for (const report of [reportOn([file], {}), reportOn([transaction], { activations })]) {
            assert.deepEqual([report.severity, report.text, report.differences], ["none", "", []]);
        }
    });

    it("shows the text of a program only if it differs from what the host has", () => {
        const program: Resource = { ...file, program: true };
        assert.equal(word(program, "missing"), "does not exist");
        const live = new Map([["r0", Buffer.from("edited\n")]]);
        const shown = words([program], { differences: [differs("content")], live });
        assert.deepEqual(shown.slice(-2), ["      -edited", "      +x"]);
    });

    it("words every aspect", () => {
        const said: [Resource, string, string, string][] = [
            [packages, "missing", "haproxy", "haproxy is not installed"],
            [
                { kind: "packages", names: ["haproxy=2.6"] },
                "version",
                "haproxy 2.4",
                "installed is haproxy 2.4, declared 2.6",
            ],
            [
                packages,
                "interrupted",
                "haproxy half-installed",
                "an installation was interrupted: haproxy half-installed",
            ],
            [{ kind: "group", name: "g" }, "missing", "", "does not exist"],
            [parameter({ value: "1024 65535" }), "value", "a.b 32768 60999", "a.b is 32768 60999, declared 1024 65535"],
            [parameter({ value: 9, atLeast: true }), "less", "a.b 8", "a.b is 8, declared at least 9"],
            [parameter({ value: 9 }), "unloaded", "a.b", "a.b does not exist before its kernel module is loaded"],
            [parameter({ value: 9 }), "unfinished", "a.b", "an earlier converge was ended while it wrote a.b"],
            [parameter({ value: 9 }), "boot", "", "the file sets other values at each boot, would be rewritten"],
            [parameter({ value: 9 }), "missing", "", "does not exist"],
            [{ kind: "group", name: "g", gid: 4242 }, "gid", "103", "gid is 103, declared 4242"],
            [user, "missing", "", "does not exist"],
            [
                { ...user, shell: "/usr/sbin/nologin" },
                "shell",
                "/bin/sh",
                "shell is /bin/sh, declared /usr/sbin/nologin",
            ],
            [{ kind: "user", name: "u", home: "/srv" }, "home", "/home/u", "home is /home/u, declared /srv"],
            [{ kind: "user", name: "u", group: "g" }, "group", "1000", "primary group is 1000, declared g"],
            [user, "groups", "not in adm", "not in adm"],
            [directory, "missing", "", "does not exist"],
            [directory, "mode", "43ff", "mode is 1777, declared 0755"],
            [directory, "owner", "root:adm", "owner is root:adm, declared root:root"],
            [directory, "orphan", "old.conf", "undeclared entry old.conf would be removed"],
            [directory, "type", "not a directory", "is not a directory"],
            [file, "mode", "8180", "mode is 0600, declared 0644"],
            [file, "type", "directory", "is a directory"],
            [{ kind: "absent", path: "/etc/cron.d/x" }, "present", "", "exists, would be removed"],
            [service, "missing", "", "does not exist"],
            [service, "disabled", "masked", "is masked, would be enabled"],
            [service, "enabled", "", "is enabled, would be disabled"],
            [service, "stopped", "failed", "is failed, would be started"],
            [service, "stopped", "", "is stopped, would be started"],
            [service, "running", "active", "runs, would be stopped"],
            [service, "outdated", "reload", "has not read its current files, would be reloaded"],
            [repository, "keyring", "is missing", "the keyring is missing"],
            [repository, "lists", "", "the package lists are missing"],
            [{ kind: "execute", name: "x", command: "y", notIf: "z" }, "to run", "", "would run"],
            [transaction, "stopped", "", "is stopped, would be started"],
            [transaction, "outdated", "0abc", "the running process does not have these files"],
            [transaction, "unfinished", "", "an earlier converge did not finish, would be finished"],
            [transaction, "orphan", "old.map", "undeclared entry old.map would be removed"],
            [file, "something new", "here", "something new here"],
        ];
        for (const [resource, aspect, have, wanted] of said) {
            assert.equal(word(resource, aspect, have), wanted, `${resource.kind} ${aspect}`);
        }
        const unread = word({ kind: "systemdUnit", name: "x.service", content: "" }, "unread");
        assert.match(unread, /changed since systemd read it, would be read again$/);
    });

    it("words the answer of a real host", () => {
        const text = readFileSync(join(__dirname, "reports", "differs.txt"), "utf8");
        const run: Resource[] = [
            { kind: "packages", names: ["haproxy", "cowsay", "perl-base=1.0"] },
            { kind: "group", name: "haproxy", gid: 4242 },
            { kind: "user", name: "haproxy", groups: ["adm"], home: "/srv", shell: "/bin/sh" },
            { kind: "user", name: "nobody-here" },
            { kind: "directory", path: "/etc/haproxy", mode: "0700", owned: true },
            { kind: "file", path: "/etc/haproxy/haproxy.cfg", content: "other\n", mode: "0600" },
            { kind: "file", path: "/etc/motd", content: "Grüße\n" },
            { kind: "file", path: "/etc/ssh", content: "x" },
            { kind: "absent", path: "/etc/hostname" },
            { kind: "service", name: "haproxy.service", enabled: false, running: false },
            { kind: "service", name: "nosuch.service" },
            { kind: "execute", name: "touch", command: "touch /tmp/x", creates: "/tmp/x" },
            { kind: "systemdUnit", name: "haproxy.service.d/10-limits.conf", content: "[Service]\n" },
        ];
        const lines = words(run, parseWhyRun(text));
        assert.equal(lines[0], "lb1 differs in 13 resources; an up would converge it, with no reload");
        assert.deepEqual(lines.slice(1, 16), [
            "  packages[haproxy cowsay perl-base=1.0]",
            "    cowsay is not installed",
            "    installed is perl-base 5.36.0-7+deb12u3, declared 1.0",
            "  group[haproxy]",
            "    gid is 103, declared 4242",
            "  user[haproxy]",
            "    shell is /usr/sbin/nologin, declared /bin/sh",
            "    home is /var/lib/haproxy, declared /srv",
            "    not in adm",
            "  user[nobody-here]",
            "    does not exist",
            "  directory[/etc/haproxy]",
            "    mode is 0755, declared 0700",
            "    undeclared entry errors would be removed",
            "  file[/etc/haproxy/haproxy.cfg]",
        ]);
        assert.deepEqual(lines.slice(-7), [
            "  systemdUnit[haproxy.service.d/10-limits.conf]",
            "    /etc/systemd/system/haproxy.service.d/10-limits.conf: content differs (- on the host, + declared)",
            "      @@ -1,4 +1,1 @@",
            "      -# Managed by haproxy-fleet.",
            "      -# Two file descriptors per connection, see maxconn in haproxy.cfg.",
            "       [Service]",
            "      -LimitNOFILE=65536",
        ]);
    });

    it("names the file of a transaction that differs", () => {
        assert.deepEqual(words([file, transaction], { differences: [differs("mode", "8180", "r1.2")] }), [
            "lb1 differs in 1 resource; an up would converge it, with no reload",
            "  transaction[demo]",
            "    /etc/demo/b: mode is 0600, declared 0644",
        ]);
    });

    it("says what an up means for the daemon", () => {
        const of = (change: Partial<WhyRun>) =>
            words([transaction, service], { differences: [differs("stopped")], ...change });
        const activation = (kind: string) => [{ id: "r0", kind, reason: "because" }];
        assert.match(of({ activations: activation("restart") })[0] ?? "", /; an up would converge it and restart$/);
        assert.ok(of({ activations: activation("restart") }).includes("    restart: because"));
        assert.match(of({ activations: activation("none") })[0] ?? "", /; an up would converge it, with no reload$/);
        assert.ok(of({ activations: activation("none") }).includes("    no reload: because"));
        const outdated = of({ differences: [differs("outdated", "reload", "r1")], activations: [] });
        assert.match(outdated[0] ?? "", /; an up would converge it and reload$/);
    });

    describe("says how long an up may take", () => {
        const said = (change: Partial<Longest>, kind = "reload", refused: WhyRun["refused"] = []) =>
            words([file, transaction], {
                differences: [differs("mode", "8180", "r1.2")],
                activations: [{ id: "r1", kind, reason: "because" }],
                longest: [{ id: "r1", drain: 0, gate: 0, bake: 0, deadline: 900, ...change }],
                refused,
            });

        it("below the activation, without waits that there are not", () => {
            assert.deepEqual(said({ drain: 30, gate: 12, bake: 90, deadline: 990 }).slice(-2), [
                "    reload: because",
                "    waits: drain up to 30 s, gate up to 12 s, bake 1 min 30 s; ends after 16 min 30 s at the latest",
            ]);
            assert.equal(said({ gate: 5 }).at(-1), "    waits: gate up to 5 s; ends after 15 min at the latest");
            assert.equal(said({ deadline: 86_400 }).at(-1), "    ends after 24 h at the latest");
        });

        it("as a real host does", () => {
            const report = readFileSync(join(__dirname, "reports", "activation.txt"), "utf8");
            const configuration: Resource = {
                kind: "transaction",
                name: "haproxy",
                directory: "/etc/haproxy",
                files: [{ path: "/etc/haproxy/haproxy.cfg", content: "other\n" }],
                adapter: { name: "haproxy", script: "", parameters: {} },
            };
            const lines = words([packages, user, file, service, configuration], parseWhyRun(report));
            assert.match(lines[0] ?? "", /^lb1 differs in 1 resource: .*; an up would converge it and reload$/);
            assert.deepEqual(lines.slice(-2), [
                "    reload: no connection is lost; first drains web/web3, up to 30 s",
                "    waits: drain up to 30 s, gate up to 15 s, bake 1 min; ends after 15 min at the latest",
            ]);
        });

        it("below its own activation only, and not if nothing is left to judge or the configuration is refused", () => {
            const lines = [
                said({ id: "r0", gate: 5 }),
                said({ gate: 0 }, "none"),
                said({ gate: 5 }, "reload", [{ id: "r1", stage: "preflight", words: "no" }]),
            ].flat();
            assert.deepEqual(
                lines.filter((line) => /waits|ends after/.test(line)),
                [],
            );
        });

        it("and has nothing to say of a host on which nothing differs", () => {
            const longest = [{ id: "r1", drain: 30, gate: 12, bake: 60, deadline: 960 }];
            const { severity, text } = reportOn([file, transaction], { longest, serving: ["web 0 of 2"] });
            assert.deepEqual([severity, text], ["none", ""]);
        });
    });

    it("shows a refused configuration, and no activation", () => {
        const { text, severity } = reportOn(
            [transaction],
            {
                differences: [differs("content", "", "r0.1")],
                live: new Map([["r0.1", Buffer.from("old\n")]]),
                refused: [{ id: "r0", stage: "validation", words: "[ALERT] line 1\nunknown keyword s3cret" }],
                activations: [{ id: "r0", kind: "reload", reason: "because" }],
            },
            { password: "s3cret" },
        );
        assert.equal(severity, "refusal");
        assert.deepEqual(text.split("\n"), [
            "lb1 refuses the declared configuration; nothing was touched",
            "  transaction[demo]",
            "    refused at validation:",
            "      [ALERT] line 1",
            "      unknown keyword ‹password›",
            "  differences on lb1:",
            "    transaction[demo]",
            "      /etc/demo/a: content differs (- on the host, + declared)",
            "        @@ -1,1 +1,1 @@",
            "        -old",
            "        +a",
        ]);
    });

    it("refuses nothing that earlier repairs may correct, names these, and says what is wrong now", () => {
        const { text, severity } = reportOn(
            [user, service, transaction, file],
            {
                differences: [
                    differs("missing", "", "r0"),
                    differs("mode", "8180", "r2.1"),
                    differs("owner", "a:b", "r2.2"),
                    differs("missing", "", "r3"),
                ],
                unchecked: [{ id: "r2", stage: "validation", words: "cannot find user id for 's3cret'\nFatal errors" }],
                activations: [{ id: "r2", kind: "reload", reason: "because" }],
            },
            { password: "s3cret" },
        );
        assert.equal(severity, "warning");
        assert.deepEqual(text.split("\n").slice(0, -3), [
            "lb1 differs in 3 resources; an up would converge it and reload",
            "  user[u]",
            "    does not exist",
            "  transaction[demo]",
            "    /etc/demo/a: mode is 0600, declared 0644",
            "    /etc/demo/b: owner is a:b, declared root:root",
            "    reload: because",
            "    cannot be checked until these are repaired: user[u]",
            "    on the host as it is now, validation says:",
            "      cannot find user id for '‹password›'",
            "      Fatal errors",
        ]);
    });

    it("shows a host that cannot be converged at all", () => {
        const said = (reason: string) => words([file], { refused: [{ id: "-", stage: "host", words: reason }] });
        assert.deepEqual(
            said(
                "this host is converged by a/b/c, not by a/d/c: two would undo each other's files. Take it out of one",
            ),
            [
                "lb1 is converged by a/b/c, not by a/d/c: two would undo each other's files; nothing was touched",
                "  Take it out of one",
            ],
        );
        assert.deepEqual(said("this host is too old: systemd 230, needed is 237 or newer"), [
            "lb1 is too old: systemd 230, needed is 237 or newer; nothing was touched",
        ]);
        assert.deepEqual(said("not root: log in as root"), [
            "lb1 cannot be converged; nothing was touched",
            "  not root: log in as root",
        ]);
    });

    it("shows what has left the run list", () => {
        assert.deepEqual(words([file], { differences: [differs("unlisted", "file[/etc/y]", "-")] }).slice(1), [
            "  host",
            "    file[/etc/y] has left the run list, would be undone",
        ]);
    });

    it("says what would be done with a service that has left the run list", () => {
        const left = (how: string) =>
            words([], { differences: [differs(`unlisted ${how}`, "service[y.service]", "-")] });
        assert.deepEqual(left("stop").slice(1), [
            "  host",
            "    service[y.service] has left the run list, would be stopped and disabled",
        ]);
        assert.deepEqual(left("restart").slice(1), [
            "  host",
            "    service[y.service] has left the run list, would be restarted",
        ]);
    });

    it("mentions an outdated manifest only if nothing else differs", () => {
        const manifest = differs("manifest", "", "-");
        assert.deepEqual(words([file], { differences: [manifest] }).slice(1), [
            "  host",
            "    the list of managed files is out of date, would be rewritten",
        ]);
        assert.deepEqual(words([file], { differences: [differs("missing"), manifest] }).slice(1), [
            "  file[/etc/x]",
            "    does not exist",
            "      +x",
        ]);
    });
});

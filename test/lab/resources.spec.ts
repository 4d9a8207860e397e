import assert from "node:assert/strict";
import { label, type Resource } from "../../components/convergence/kinds/index";
import { makePlan } from "../../components/convergence/payload/plan";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { atNaps, Convergence } from "../support/converge";
import { describedAs, echod, heard } from "../support/echod";
import { hostState } from "../support/hostState";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";

const DROP_IN = "/etc/systemd/system/echod.service.d/10-nice.conf";

const resources: Resource[] = [
    { kind: "packages", names: ["socat", "jq"] },
    { kind: "group", name: "crew", gid: 4242 },
    { kind: "group", name: "deck" },
    { kind: "user", name: "sailor", group: "crew", groups: ["deck", "adm"], home: "/srv/sailor", shell: "/bin/sh" },
    { kind: "user", name: "mate", system: false },
    { kind: "directory", path: "/srv/plain", owner: "sailor", group: "crew", mode: "0750" },
    { kind: "directory", path: "/srv/owned", owned: true },
    { kind: "file", path: "/srv/owned/declared", content: "x" },
    { kind: "file", path: "/etc/text", content: "one\ntwo\n", owner: "sailor", group: "crew", mode: "4750" },
    { kind: "file", path: "/etc/bytes", content: Buffer.from([0, 255, 10, 13, 39]) },
    { kind: "absent", path: "/etc/unwanted" },
    { kind: "absent", path: "/srv/unwanted", recursive: true },
    { kind: "absent", path: "/srv/hollow" },
    { kind: "systemdUnit", name: "echod.service.d/10-nice.conf", content: "[Service]\nNice=5\n" },
    ...echod("one\n"),
    { kind: "service", name: "getty-static.service", enabled: false, running: false },
    { kind: "service", name: "cron.service", enabled: false, running: false },
    { kind: "execute", name: "creates", command: "echo >/srv/created", creates: "/srv/created" },
    { kind: "execute", name: "onlyIf", command: "rm /srv/only", onlyIf: "test -e /srv/only" },
    { kind: "execute", name: "notIf", command: "echo >/srv/not", notIf: "test -e /srv/not" },
];

/** Shell that breaks every aspect of every resource, and what a why-run reports about it. */
const BREAK = `
apt-get -qq remove -y jq >/dev/null
groupmod --gid 4343 crew
usermod --shell /bin/false --home /tmp --gid mail --groups '' sailor
userdel mate
chown root:root /srv/plain; chmod 0700 /srv/plain
echo >/srv/owned/stray; echo >/srv/owned/.hidden; mkdir -p /srv/owned/dir/below
echo edited >/etc/text; chown root:root /etc/text; chmod 0600 /etc/text
rm /etc/bytes; ln -s /etc/hostname /etc/bytes
echo >/etc/unwanted; mkdir -p /srv/unwanted/below /srv/hollow
echo '[Service]' >${DROP_IN}; chmod 0600 ${DROP_IN}
systemctl --quiet disable --now echod
touch /srv/only; rm /srv/not /srv/created
`;

describeLab("resources", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    let host: Host;
    let convergence: Convergence;
    let first: string[];
    const out = async (command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const up = async () => {
        const result = await convergence.up();
        assert.equal(result.code, 0, result.stderr);
        assert.equal((await convergence.preview()).text, "");
        return result;
    };
    /** The differences of a why-run, as "resource aspect value-on-the-host". */
    const differences = async () => {
        const planned = makePlan(convergence.resources).resources;
        return (await convergence.whyRun()).differences.map(({ id, aspect, have }) => {
            const resource = planned[Number(id.slice(1).split(".")[0])];
            return [resource ? label(resource) : id, aspect, have].join(" ").trim();
        });
    };

    before("a host whose logins change what tools do", async () => {
        host = lab().host("lb1");
        await host.writeFile("/etc/environment", "POSIXLY_CORRECT=1\nTMPDIR=/nowhere\nSYSTEMD_LOG_LEVEL=debug\n");
        assert.match((await run("ssh", host.ssh("root", "env").slice(1))).stdout, /^POSIXLY_CORRECT=1$/m);
        convergence = new Convergence(sshTargetOf(lab(), host), resources);
    });

    it("are created", async () => {
        await host.exec("apt-get -qq install -y cron >/dev/null; touch /srv/only");
        assert.equal((await differences()).filter((line) => / missing/.test(line)).length, 16);
        await up();
        const text = "/etc/text /srv/plain /srv/owned";
        assert.equal(
            await out(`stat -c '%a %U:%G %F' ${text}`),
            "4750 sailor:crew regular file\n750 sailor:crew directory\n755 root:root directory",
        );
        assert.equal(await out("md5sum </etc/bytes"), await out("printf '\\000\\377\\n\\r\\047' | md5sum"));
        assert.match(await out("getent passwd sailor"), /^sailor:x:\d{3}:4242::\/srv\/sailor:\/bin\/sh$/);
        assert.match(await out("id -nG sailor"), /^crew adm deck$/);
        assert.match(await out("getent passwd mate; ls -d /home/mate"), /^mate:x:1\d{3}:.*nologin\n\/home\/mate$/);
        assert.equal(
            await out("systemctl is-active echod cron; systemctl is-enabled echod cron"),
            "active\ninactive\nenabled\ndisabled",
        );
        assert.equal(
            await out("systemctl show -P Nice echod; ls /srv/created /srv/not /srv/only"),
            "5\n/srv/created\n/srv/not",
        );
        first = await hostState(host);
    });

    it("are not touched if nothing differs", async () => {
        const times =
            "stat -c '%n %i %Y %Z' /etc/text /etc/bytes /srv/owned/* /etc/echod.conf; systemctl show -P InvocationID echod";
        const before = await out(times);
        const { stdout } = await convergence.again();
        assert.match(stdout, /nothing to do/);
        assert.equal(await out(times), before);
        assert.deepEqual((await heard(host)).history, ["start"]);
    });

    it("report every difference, and repair it", async () => {
        await host.exec(BREAK);
        // A file's content is reported by its digest.
        const reported = (await differences()).map((line) => line.replace(/ content [0-9a-f]{64}$/, " content"));
        assert.deepEqual(reported.sort(), [
            "absent[/etc/unwanted] present",
            "absent[/srv/hollow] present",
            "absent[/srv/unwanted] present",
            "directory[/srv/owned] orphan .hidden",
            "directory[/srv/owned] orphan dir",
            "directory[/srv/owned] orphan stray",
            "directory[/srv/plain] mode 41c0",
            "directory[/srv/plain] owner root:root",
            "execute[creates] to run",
            "execute[notIf] to run",
            "execute[onlyIf] to run",
            "file[/etc/bytes] type not a regular file",
            "file[/etc/text] content",
            "file[/etc/text] mode 8180",
            "file[/etc/text] owner root:root",
            "group[crew] gid 4343",
            "packages[socat jq] missing jq",
            "service[echod.service] disabled disabled",
            "service[echod.service] stopped inactive",
            "systemdUnit[echod.service.d/10-nice.conf] content",
            "systemdUnit[echod.service.d/10-nice.conf] mode 8180",
            "user[mate] missing",
            "user[sailor] group 8",
            "user[sailor] groups not in deck,adm",
            "user[sailor] home /tmp",
            "user[sailor] shell /bin/false",
        ]);
        await up();
        const now = await hostState(host);
        assert.deepEqual(
            now.filter((line) => !first.includes(line)),
            [],
        );
        assert.deepEqual(
            first.filter((line) => !now.includes(line)),
            [],
        );
    });

    describe("packages", () => {
        it("are pinned to a version", async () => {
            const version = await out("dpkg-query -W -f '${Version}' socat");
            convergence.resources = [{ kind: "packages", names: [`socat=${version}`] }];
            // Changes dpkg's record, so that the installed package claims to be newer.
            await host.exec(`sed -i '/^Package: socat$/,/^$/s/^Version: .*/Version: 99/' /var/lib/dpkg/status`);
            assert.ok((await differences()).includes(`packages[socat=${version}] version socat 99`));
            await up();
            assert.equal(await out("dpkg-query -W -f '${Version}' socat"), version);
        });

        it("that are half installed are repaired", async () => {
            await host.exec(
                `sed -i '/^Package: socat$/,/^$/s/^Status: .*/Status: install ok half-configured/' /var/lib/dpkg/status`,
            );
            convergence.resources = [{ kind: "packages", names: ["socat"] }];
            assert.deepEqual(await differences(), ["packages[socat] interrupted socat half-configured"]);
            await up();
            assert.equal(await out("dpkg-query -W -f '${Status}' socat"), "install ok installed");
        });

        it("that do not exist fail by name, and later resources are not attempted", async () => {
            convergence.resources = [
                { kind: "packages", names: ["no-such-package"] },
                { kind: "file", path: "/etc/later", content: "x" },
            ];
            const { code, stderr } = await convergence.up();
            assert.equal(code, 1);
            assert.match(stderr, /packages\[no-such-package\] failed: the package manager does not know this package/);
            assert.equal(await out("ls /etc/later"), "");
        });
    });

    describe("a service that waits for changes of files", () => {
        const settle = async (declared: Resource[]) => {
            convergence.resources = declared;
            const said = await differences();
            await up();
            return said.filter((line) => line.startsWith("service[echod"));
        };

        before("is started more than a second before its files change", async () => {
            await settle(echod("one\n"));
            await host.exec("sleep 1.1; systemctl restart echod; sleep 1.1");
            assert.deepEqual(await differences(), [], "a restart by hand has read all");
        });

        it("reloads after one of reloadOn", async () => {
            assert.deepEqual(await settle(echod("two\n")), ["service[echod.service] outdated reload"]);
            assert.deepEqual(await heard(host), { loaded: "two\n", history: ["start", "reload"] });
        });

        it("reloads after a repair, since it may have read the wrong file", async () => {
            await host.exec("sleep 1.1; echo edited >/etc/echod.conf; systemctl reload echod");
            assert.deepEqual(await settle(echod("two\n")), ["service[echod.service] outdated reload"]);
            assert.equal((await heard(host)).loaded, "two\n");
        });

        it("restarts after one of restartOn, instead of a reload", async () => {
            const said = await settle(echod("three\n", describedAs("Other")));
            assert.deepEqual(said, ["service[echod.service] outdated restart"]);
            assert.deepEqual(await heard(host), { loaded: "three\n", history: ["start"] });
        });

        it("is reloaded later if files changed and the reload was not done", async () => {
            await host.exec("sleep 1.1; echo four >/etc/echod.conf");
            assert.deepEqual(await settle(echod("four\n", describedAs("Other"))), [
                "service[echod.service] outdated reload",
            ]);
            assert.equal((await heard(host)).loaded, "four\n");
        });

        it("has the right start time in a container with a shorter uptime", async () => {
            await host.exec(`sleep 1.1; echo five >/etc/echod.conf
                echo '5.00 5.00' >/run/uptime; mount --bind /run/uptime /proc/uptime`);
            const said = await settle(echod("five\n", describedAs("Other"))).finally(() =>
                host.exec("umount /proc/uptime"),
            );
            assert.deepEqual(said, ["service[echod.service] outdated reload"]);
            assert.equal((await heard(host)).loaded, "five\n");
        });

        it("has the right start time even if the host pauses during the probe", async () => {
            const date = "[ $1 != +%s%N ] || [ -e /run/stood ] || { touch /run/stood; sleep 3; }";
            await host.writeFile("/usr/local/sbin/date", `#!/bin/sh\n${date}\nexec /usr/bin/date "$@"\n`, 0o755);
            await host.exec("sleep 1.1; echo six >/etc/echod.conf");
            const said = await settle(echod("six\n", describedAs("Other"))).finally(() =>
                host.exec("rm /usr/local/sbin/date /run/stood"),
            );
            assert.deepEqual(said, ["service[echod.service] outdated reload"]);
            assert.equal((await heard(host)).loaded, "six\n");
        });

        it("that cannot be reloaded fails with a remedy", async () => {
            const unit = "[Service]\nExecStart=/bin/sleep infinity\n";
            const sleeper = (content: string): Resource[] => [
                { kind: "systemdUnit", name: "sleeper.service", content: unit },
                { kind: "file", path: "/etc/sleeper.conf", content },
                { kind: "service", name: "sleeper.service", enabled: false, reloadOn: ["/etc/sleeper.conf"] },
            ];
            await settle(sleeper("one\n"));
            convergence.resources = sleeper("two\n");
            const { code, stderr } = await convergence.up();
            assert.equal(code, 1);
            assert.match(stderr, /sleeper.service\] failed: this unit cannot be reloaded; name its files in restartOn/);
        });

        it("that does not keep running fails with the unit's own words", async () => {
            convergence.resources = [
                {
                    kind: "systemdUnit",
                    name: "failing.service",
                    content: "[Service]\nExecStart=/bin/sh -c 'echo no such luck; exit 3'\n",
                },
                { kind: "service", name: "failing.service", enabled: false },
            ];
            // The sleep before the check lasts until the unit has failed.
            const late = atNaps("until systemctl -q is-failed failing; do command sleep 0.05; done");
            const { code, stderr } = await convergence.up(late);
            assert.equal(code, 1);
            assert.match(stderr, /service\[failing.service\] failed[\s\S]*no such luck/);
        });

        it("is stopped and disabled on request", async () => {
            convergence.resources = echod("four\n").map((resource) =>
                resource.kind === "service" ? { ...resource, enabled: false, running: false } : resource,
            );
            await up();
            assert.equal(await out("systemctl is-active echod; systemctl is-enabled echod"), "inactive\ndisabled");
        });
    });

    it("a service that is linked, masked or enabled only until the next boot is enabled permanently", async () => {
        const cron = (enabled: boolean): Resource[] => [
            { kind: "service", name: "cron.service", enabled, running: enabled },
        ];
        const state = () => out("systemctl is-enabled cron");
        const settles = async (enabled: boolean, edit: string, from: string) => {
            await host.exec(edit);
            assert.equal(await state(), from);
            convergence.resources = cron(enabled);
            assert.ok((await differences()).some((line) => /^service\[cron.service\] (en|dis)abled/.test(line)));
            await up();
            assert.equal(await state(), enabled ? "enabled" : "disabled");
        };
        await settles(true, "systemctl -q disable --now cron; systemctl -q --runtime enable cron", "enabled-runtime");
        await settles(true, "systemctl -q disable --now cron; systemctl -q --runtime mask cron", "masked-runtime");
        await settles(false, "systemctl -q disable cron; systemctl -q --runtime enable cron", "enabled-runtime");
    });

    describe("impossible resources are refused in a preview, with a remedy, and fail in an up", () => {
        for (const [wish, resource, words] of [
            [
                "a file whose directory is missing",
                { kind: "file", path: "/srv/none/file", content: "" },
                /the directory \/srv\/none does not exist; declare it before/,
            ],
            [
                "a file where a directory is",
                { kind: "file", path: "/srv/plain", content: "" },
                /\/srv\/plain is a directory/,
            ],
            [
                "a directory where a file is",
                { kind: "directory", path: "/etc/hostname" },
                /\/etc\/hostname is not a directory/,
            ],
            [
                "a full directory to be absent",
                { kind: "absent", path: "/etc/ssh" },
                /the directory \/etc\/ssh is not empty; set recursive/,
            ],
            [
                "a directory whose own is missing",
                { kind: "directory", path: "/srv/none/below" },
                /the directory \/srv\/none does not exist; declare it before/,
            ],
            [
                "a service that is unknown",
                { kind: "service", name: "none.service" },
                /systemd knows no unit none.service/,
            ],
        ] as [string, Resource, RegExp][]) {
            it(wish, async () => {
                await host.exec("mkdir -p /srv/plain/below");
                convergence.resources = [resource];
                const { refused, text } = await convergence.preview();
                assert.ok(refused, text);
                assert.match(text, words);
                const { code, stderr } = await convergence.up();
                assert.equal(code, 1);
                assert.match(stderr, words);
                // An earlier resource may repair it.
                const mended: Resource = { kind: "execute", name: "x", command: ":", notIf: "false" };
                convergence.resources = [mended, resource];
                assert.equal((await convergence.preview()).refused, false);
            });
        }
    });

    it("a command fails if it does not create its path", async () => {
        convergence.resources = [{ kind: "execute", name: "x", command: ":", creates: "/srv/never" }];
        const { code, stderr } = await convergence.up();
        assert.equal(code, 1);
        assert.match(stderr, /did not create \/srv\/never/);
    });

    it("a user without other groups does not differ", async () => {
        convergence.resources = [{ kind: "user", name: "daemon", shell: "/usr/sbin/nologin" }];
        await up();
        assert.equal((await convergence.preview()).text, "");
    });

    for (const [what, declared] of [
        ["an owned directory", { kind: "directory", path: "/srv/mounts", owned: true }],
        ["a directory that is to be absent", { kind: "absent", path: "/srv/mounts/disk", recursive: true }],
    ] as [string, Resource][]) {
        for (const place of ["/srv/mounts/disk", "/srv/mounts/disk/below"]) {
            it(`${what} loses nothing of a file system that is mounted at ${place}`, async () => {
                await host.exec(`mkdir -p ${place} && mount -t tmpfs tmpfs ${place} && echo >${place}/precious`);
                convergence.resources = [declared];
                const { code, stderr } = await convergence.up();
                const kept = await out(`ls ${place}; umount ${place}; rm -r /srv/mounts`);
                assert.equal(kept, "precious");
                assert.equal(code, 1);
                assert.match(stderr, /a file system is mounted at|on a different device/);
            });
        }
    }

    it("an entry with a line break in its name is named and removes nothing", async () => {
        await host.exec("mkdir -p /srv/broken /keep && touch /keep/me && touch \"$(printf '/srv/broken/x\\nkeep')\"");
        convergence.resources = [{ kind: "directory", path: "/srv/broken", owned: true }];
        const { refused, text } = await convergence.preview();
        assert.ok(refused, text);
        const { code, stderr } = await convergence.up();
        assert.equal(code, 1);
        assert.match(stderr, /an entry of \/srv\/broken has a line break in its name/);
        assert.equal(await out("ls /keep"), "me");
        await host.exec("rm -rf /srv/broken /keep");
    });
});

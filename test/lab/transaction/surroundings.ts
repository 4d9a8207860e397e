import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { Transaction } from "../../../components/convergence/kinds/index";
import { haproxy } from "../../../components/recipes/haproxy/index";
import { quote } from "../../../lab/machine/exec";
import { atNaps, redefine } from "../../support/converge";
import { until } from "../../support/traffic";
import { atStart } from "./edit";
import { repair } from "./faults";
import { patient, type Subject, squat } from "./subject";

/** What else is on the host: other listeners, other addresses, the unit's own settings, entries nobody declared. */
export function surroundings(subject: () => Subject): void {
    before(() => subject().converge());
    afterEach(() => subject().shell(`${repair}; rm -rf /srv/extra; sed -i /EXTRAOPTS=/d /etc/default/haproxy`));

    const declared = (refusal: RegExp, variation: Parameters<Subject["declare"]>[0]) =>
        subject()
            .declare(variation)
            .preview()
            .then(({ text, refused }) => {
                assert.ok(refused, text);
                assert.match(text, refusal);
            });

    it("refuses a version that the host does not have, naming both", async () => {
        await declared(/this host has haproxy 2\.6\.\d+, the stack declares 3\.0 or newer/, {
            version: "3.0",
            mark: "newer",
        });
    });

    it("checks with the options that the unit gets from /etc/default/haproxy", async () => {
        await subject().host.writeFile("/srv/extra/more.cfg", "frontend more\n    nonsense more\n");
        const add = (line: string) => subject().shell(`echo '${line}' >>/etc/default/haproxy`);
        await add('EXTRAOPTS="-S /run/haproxy-master.sock -f /srv/extra/more.cfg"');
        await declared(/more\.cfg:2.*unknown keyword 'nonsense'/, { mark: "extra" });
        // Without quotes it is one value all the same: systemd does not read the file as shell.
        await subject().shell("sed -i /EXTRAOPTS=/d /etc/default/haproxy");
        await add("EXTRAOPTS=-S /run/haproxy-master.sock -f /srv/extra/more.cfg");
        await declared(/more\.cfg:2.*unknown keyword 'nonsense'/, { mark: "extra" });
    });

    it("checks with the unit's environment where an old systemd does not print it", async () => {
        const old = redefine(
            `systemctl() { command systemctl "$@" | sed '/^Environment=/s/"[^"]* [^"]*"/[unprintable]/g'; }`,
        );
        const { code, stderr } = await subject().declare({ mark: "old" }).up(old);
        assert.equal(code, 0, stderr);
        await subject().shell(dropIn('Environment="EXTRAOPTS=-S /run/$(id)/"'));
        const refused = await subject().declare({ mark: "older" }).up(old);
        assert.match(refused.stderr, /without a master socket/);
        await subject().shell(dropIn());
    });

    it("tells the shell's words of a command line that it cannot read", async () => {
        await subject().shell(
            dropIn("ExecStart=", "ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -p /run/(pid) $EXTRAOPTS"),
        );
        await declared(/refused at validation:\n.*Syntax error: "\(" unexpected/, { mark: "brackets" });
        await subject().shell(dropIn());
    });

    it("restarts a process without that socket, as no reload of it could be proven", async () => {
        await subject().shell(`${dropIn('Environment="EXTRAOPTS=-q"')}; systemctl restart haproxy; ${dropIn()}`);
        const { text } = await subject().declare({ mark: "mute" }).preview();
        assert.match(text, /restart: the running process has no master socket, by which a reload is proven/);
        await subject().converge({ mark: "mute" });
        assert.equal(await subject().answer(), "app1 mute");
        assert.equal((await subject().declare({ mark: "mute" }).preview()).text, "");
    });

    it("refuses a unit without the socket that all proof depends on", async () => {
        await subject().shell("echo 'EXTRAOPTS=-q' >>/etc/default/haproxy");
        await declared(/without a master socket: add -S \/run\/haproxy-master\.sock/, { mark: "blind" });
    });

    it("binds IPv6 addresses, in whatever way they are written", async () => {
        const binds = [
            { address: "::1", port: 8082 },
            { address: "0:0:0:0:0:0:0:1", port: 8083 },
            { address: "::", port: 8084 },
        ];
        await subject().converge({ binds });
        for (const { port } of binds) await subject().shell(`curl -sf http://[::1]:${port}/`);
        assert.equal((await subject().declare({ binds }).preview()).text, "");
        await declared(/no interface has the address fd00::1 \(bind fd00::1:8082\)/, {
            binds: [{ address: "fd00::1", port: 8082 }],
        });
        await subject().converge();
    });

    it("shares a port with processes on other addresses, and with none on its own", async () => {
        const { address } = subject().host;
        await subject().shell(squat("127.0.0.1:8085", "[::1]:8086"));
        await subject().converge({ binds: [8085, 8086].map((port) => ({ address, port })) });
        await subject().shell(`curl -sf http://${address}:8085/ && curl -sf http://${address}:8086/`);
        await declared(/port 8085 is taken by systemd-socket-/, { binds: [{ port: 8085 }] });
        await declared(/port 8085 is taken by systemd-socket-/, { binds: [{ address: "127.0.0.1", port: 8085 }] });
        await declared(/port 8086 is taken by systemd-socket-/, { binds: [{ address: "::1", port: 8086 }] });
        await subject().converge({ binds: [{ port: 8086 }] });
        await subject().converge();
    });

    it("takes a haproxy that the service did not start for what it is, another process", async () => {
        const config =
            "defaults\\n timeout client 1s\\n timeout connect 1s\\n timeout server 1s\\nlisten x\\n bind :8087\\n";
        await subject().shell(`printf '${config}' >/run/stray.cfg
            systemd-run -q --unit=squatter haproxy -db -f /run/stray.cfg
            until ss -Hltn | grep -q ':8087 '; do sleep 0.02; done`);
        await declared(/port 8087 is taken by haproxy \(pid \d+\), which is not haproxy\.service: stop it/, {
            binds: [{ port: 8087 }],
        });
    });

    it("proves binds that the host cannot connect to by whom the port belongs to", async () => {
        const binds = [
            { port: 8081, interface: "eth0" },
            { address: "::", port: 8082, interface: "eth0" },
            { address: subject().host.address, port: 8083, interface: "eth0" },
            { address: "203.0.113.7", port: 8084, transparent: true },
        ];
        await subject().converge({ binds });
        assert.equal((await subject().declare({ binds }).preview()).text, "");
        for (const port of [8081, 8083])
            assert.equal((await fetch(`${subject().url.slice(0, -1)}:${port}`)).status, 200);

        await declared(/this host has no interface eth7 \(bind \*:8081\): correct its name/, {
            binds: [{ port: 8081, interface: "eth7" }],
        });
        await subject().shell(squat("0.0.0.0:8085"));
        await declared(/port 8085 is taken by systemd-socket-/, { binds: [{ port: 8085, interface: "eth0" }] });
        // As if HAProxy had not opened one of them.
        const { code, stderr } = await subject()
            .declare({ binds, mark: "deaf" })
            .up((body) => impatient(body).replace("\n* 8081 nothing eth0\n", "\n* 8088 nothing eth0\n"));
        assert.equal(code, 1);
        assert.match(stderr, /the new worker does not listen on \*:8088/);
        await subject().converge();
    });

    it("asks again where a new worker does not answer at once, but not for ever", async () => {
        const once = "[ -e /run/asked ] || { touch /run/asked; echo not yet; return 1; }";
        const { code, stderr } = await subject().declare({ mark: "slow" }).up(atStart("haproxy_answers", once));
        assert.equal(code, 0, stderr);
        await subject().shell("rm /run/asked");
        const never = atStart("haproxy_answers", "echo port 80 is dumb; return 1");
        const { stderr: words } = await subject()
            .declare({ mark: "dumb" })
            .up((body) => impatient(never(body)));
        assert.match(words, /was not proven.*last good files are back and active\n +port 80 is dumb\n/);
        assert.equal(await subject().answer(), "app1 slow");
        await subject().converge();
    });

    describe("and old workers that still have connections", () => {
        let clients: Socket[] = [];
        const release = () => {
            for (const client of clients) client.destroy();
            clients = [];
        };
        /** A request that the worker of now has only half of. */
        const hold = async () => clients.push(await subject().hold());
        const declare = (mark: string) => subject().declare({ raw: patient, mark });
        const old = async () => (await subject().master("show proc")).split("# old workers")[1]?.match(/^\d+ /gm) ?? [];

        before("six reloads, each with a request under way", async () => {
            await subject().shell("systemctl restart haproxy");
            await subject().converge({ raw: patient });
            await until("the worker of before has ended", async () => (await old()).length === 0);
            for (const turn of [1, 2, 3, 4, 5, 6]) {
                await hold();
                const { code, stderr } = await declare(`turn-${turn}`).up();
                assert.equal(code, 0, stderr);
                assert.equal((await old()).length, turn);
                assert.equal(/6 workers of earlier reloads still have connections/.test(stderr), turn === 6, stderr);
            }
        });
        after(async () => {
            release();
            await subject().converge();
        });

        it("says so in a preview", async () => {
            const { text, refused } = await declare("next").preview();
            assert.equal(refused, false);
            assert.match(
                text,
                /reload: .*; 6 workers of earlier reloads still have some, so an up first waits until 5 are left, up to 600 s/,
            );
        });

        it("refuses another reload when they do not end, before anything is touched", async () => {
            const state = await subject().state();
            const { code, stderr } = await declare("next").up((body) =>
                body.replace(/^haproxy_hard_stop=.*/m, "haproxy_hard_stop=1"),
            );
            assert.equal(code, 1);
            const pids = (await old()).map((pid) => ` ${pid.trim()}`).join("");
            assert.ok(stderr.includes(`6 workers of earlier reloads still have connections after 1 s`), stderr);
            assert.ok(
                stderr.includes(`raise haproxy.oldWorkers, lower hard-stop-after, or end them (kill${pids})`),
                stderr,
            );
            assert.match(stderr, /its files and its running process are untouched/);
            assert.equal(await subject().state(), state);
        });

        it("waits until enough of them have ended, and reloads then", async () => {
            const first = clients.shift();
            const converging = declare("next").up(atNaps("touch /run/sleeps"));
            await subject().shell("until [ -e /run/sleeps ]; do sleep 0.02; done");
            first?.destroy();
            const { code, stderr } = await converging;
            await subject().shell("rm /run/sleeps");
            assert.equal(code, 0, stderr);
            assert.match(stderr, /: waiting: 6 workers of earlier reloads have connections, 5 may\n/);
            assert.equal(await subject().answer(), "app1 next");
        });

        it("does not hold up a converge that needs no reload", async () => {
            await hold();
            await subject().converge({ raw: patient, mark: "last" });
            assert.equal((await old()).length, 6);
            await subject().shell("rm /var/lib/haproxy-fleet/last-good/haproxy/digest");
            const processes = await subject().processes();
            const { code, stderr } = await declare("last").up();
            assert.equal(code, 0, stderr);
            assert.doesNotMatch(stderr, /waiting: \d+ workers/);
            assert.equal(await subject().processes(), processes);
        });

        it("reloads at once where oldWorkers lets so many be", async () => {
            const wide = declare("wide");
            wide.resources = haproxy(subject().config({ raw: patient, mark: "wide" }), { oldWorkers: 6 });
            assert.equal((await old()).length, 6);
            await hold();
            const { code, stderr } = await wide.up();
            assert.equal(code, 0, stderr);
            assert.doesNotMatch(stderr, /waiting: \d+ workers/);
            assert.equal((await old()).length, 7);
        });

        it("of before a host's first converge keep it neither from that nor from later ones, which warn", async () => {
            await subject().shell("sleep 1; rm -r /var/lib/haproxy-fleet");
            for (const [mark, count] of [
                ["taken", 7],
                ["later", 8],
            ] as const) {
                await hold();
                const words = `${count} workers of a configuration that is not ours still have`;
                const { text } = await declare(mark).preview();
                assert.ok(text.includes(`; ${words} some, and each keeps its memory`), text);
                const { code, stderr } = await declare(mark).up();
                assert.equal(code, 0, stderr);
                assert.ok(stderr.includes(`WARNING: ${words} connections`), stderr);
                assert.doesNotMatch(stderr, /waiting/);
                assert.equal(await subject().answer(), `app1 ${mark}`);
            }
        });
    });

    it("leaves open in a preview what earlier resources may put right, and refuses what they cannot", async () => {
        const user = { global: { user: "balancer", group: "balancers" } };
        const { text, refused } = await subject().declare(user).preview();
        assert.ok(!refused, text);
        assert.match(
            text,
            /could not be checked before these are repaired: group\[balancers\], user\[balancer\]\n.* its validation says:\n.*cannot find user id for 'balancer'/,
        );
        await declared(/refused at validation:[\s\S]*expects .* but got 'nonsense'/, {
            ...user,
            raw: ["http-request nonsense"],
        });

        const jailed = subject().declare({ global: { chroot: "/srv/extra" } });
        jailed.resources = [{ kind: "directory", path: "/srv/extra" }, ...jailed.resources];
        const { text: first, ...rest } = await jailed.preview();
        assert.ok(!rest.refused, first);
        assert.match(
            first,
            /repaired: directory\[\/srv\/extra]\n.* its preflight says:\n.*\/srv\/extra does not exist/,
        );
        const { code, stderr } = await jailed.up();
        assert.equal(code, 0, stderr);

        // Another release may know the word.
        const newer = subject().declare({ raw: ["http-request nonsense"] });
        newer.resources = [{ kind: "packages", names: ["haproxy-doc"] }, ...newer.resources];
        assert.equal((await newer.preview()).refused, false);
        await subject().converge();
    });

    it("refuses warnings of the daemon's check, but for those that are allowed by their words", async () => {
        const raw = ["retries 5", "balance roundrobin"];
        const allowing = (...allowWarnings: string[]) =>
            subject().declare({ raw }, (transaction) => ({ ...transaction, allowWarnings }));
        await declared(/WARNING.*'retries' ignored/, { raw });
        const { text, refused } = await allowing("'retries' ignored", "[a-z]").preview();
        assert.ok(refused, text);
        const words = text.slice(text.indexOf("refused at validation"));
        assert.match(words, /'balance' ignored/);
        assert.doesNotMatch(words, /'retries'/);
        const both = allowing("'retries' ignored", "ignored because frontend 'web' has no backend capability");
        assert.equal((await both.preview()).refused, false);
        const { code, stderr } = await both.up();
        assert.equal(code, 0, stderr);
        assert.equal((await both.preview()).text, "");
        const wrong = subject().declare({ raw: [...raw, "nonsense"] }, (transaction) => ({
            ...transaction,
            allowWarnings: ["ignored", "nonsense"],
        }));
        assert.ok((await wrong.preview()).refused);
        await subject().converge();
    });

    it("says in a preview that a service would reload, or restart, for a file of the transaction", async () => {
        const watching = (mark: string) => {
            const convergence = subject().declare({ mark });
            const [reloadOn, restartOn] = [["/etc/haproxy/haproxy.cfg"], ["/etc/haproxy/haproxy.cfg"]];
            convergence.resources = [
                ...convergence.resources,
                { kind: "service", name: "ssh.service", reloadOn },
                { kind: "service", name: "systemd-logind.service", enabled: false, restartOn },
            ];
            return convergence;
        };
        const { code, stderr } = await watching("read").up();
        assert.equal(code, 0, stderr);
        assert.equal((await watching("read").preview()).text, "");
        const { text } = await watching("unread").preview();
        assert.match(text, /service\[ssh\.service]\n +has not read its files: would reload/);
        assert.match(text, /service\[systemd-logind\.service]\n +has not read its files: would restart/);
    });

    it("is refused once where the host has no room for the stage, and not checked then", async () => {
        await subject().shell(
            "mount -t tmpfs -o size=1m tmpfs /run/haproxy-fleet; head -c 2M /dev/zero >/etc/haproxy/large",
        );
        try {
            const { text, refused } = await subject().declare({ mark: "roomless" }).preview();
            assert.ok(refused, text);
            assert.match(text, /refused at stage:\n.*No space left on device/);
            assert.doesNotMatch(text, /refused at (validation|preflight)/);
        } finally {
            await subject().shell("rm /etc/haproxy/large; umount /run/haproxy-fleet");
        }
    });

    it("removes what nobody declared from an owned directory, once the rest is proven", async () => {
        const maps = "/etc/haproxy/maps";
        const edit = (text: string) => (transaction: Transaction) => ({
            ...transaction,
            owned: [maps],
            files: [...transaction.files, { path: `${maps}/hosts.map`, content: text }],
        });
        const first = await subject().declare({}, edit("one\n")).up();
        assert.equal(first.code, 0, first.stderr);
        await subject().shell(`touch ${maps}/stray ${maps}/.hidden`);
        const { text } = await subject().declare({}, edit("two\n")).preview();
        assert.match(text, /undeclared entry stray would be removed/);
        assert.match(text, /undeclared entry \.hidden would be removed/);
        const failed = await subject()
            .declare({}, edit("two\n"))
            .up(redefine("haproxy_prove() { echo not proven; return 1; }"));
        assert.equal(failed.code, 1);
        assert.equal(
            await subject().shell(`ls -A ${maps} | xargs; cat ${maps}/hosts.map`),
            ".hidden hosts.map stray\none",
        );
        const { code, stderr, stdout } = await subject().declare({}, edit("two\n")).up();
        assert.equal(code, 0, stderr);
        assert.equal(await subject().shell(`ls -A ${maps} | xargs; cat ${maps}/hosts.map`), "hosts.map\ntwo");
        assert.equal(`${stdout}${stderr}`.match(/changed: .*stray/g)?.length ?? 0, 0);
        assert.equal((await subject().declare({}, edit("two\n")).preview()).text, "");
    });
    it("makes its directory anew when somebody has removed it", async () => {
        await subject().shell("rm -rf /etc/haproxy");
        assert.match((await subject().declare().preview()).text, /haproxy.cfg: does not exist/);
        const { code, stderr } = await subject().declare().up();
        assert.equal(code, 0, stderr);
        assert.equal((await subject().declare().preview()).text, "");
    });
}

/** Shell that gives the unit a drop-in with these lines; without any, takes it away. */
function dropIn(...lines: string[]): string {
    const directory = "/run/systemd/system/haproxy.service.d";
    const file = `${directory}/90-test.conf`;
    const text = ["[Service]", ...lines, ""].join("\n");
    const write = lines.length === 0 ? `rm -f ${file}` : `mkdir -p ${directory}; printf %s ${quote(text)} >${file}`;
    return `${write}; systemctl daemon-reload`;
}

/** An edit of a payload: a new worker that does not serve is given up sooner than a host would. */
function impatient(body: string): string {
    assert.match(body, /^haproxy_answer_limit=15$/m);
    return body.replace("\nhaproxy_answer_limit=15\n", "\nhaproxy_answer_limit=1\n");
}

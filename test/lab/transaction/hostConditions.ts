import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { Transaction } from "../../../components/convergence/kinds/index";
import { haproxy } from "../../../components/recipes/haproxy/index";
import { atNaps, redefine } from "../../support/converge";
import { until } from "../../support/traffic";
import { atStart } from "./edit";
import { repair } from "./faults";
import { type LoadBalancerHost, patient, squat } from "./loadBalancerHost";

/** Other things on the host: listeners, addresses, earlier resources, undeclared files. */
export function hostConditions(loadBalancer: () => LoadBalancerHost): void {
    before(() => loadBalancer().converge());
    afterEach(() => loadBalancer().shell(`${repair}; rm -rf /srv/extra`));

    const declared = (refusal: RegExp, variation: Parameters<LoadBalancerHost["declare"]>[0]) =>
        loadBalancer()
            .declare(variation)
            .preview()
            .then(({ text, refused }) => {
                assert.ok(refused, text);
                assert.match(text, refusal);
            });

    it("refuses a newer version than the host's, and names both", async () => {
        await declared(
            /this host has haproxy 2\.6\.\d+, the configuration is for 3\.0 or newer; set version to "2\.6" /,
            {
                version: "3.0",
                mark: "newer",
            },
        );
    });

    it("binds IPv6 addresses in all notations", async () => {
        const binds = [
            { address: "::1", port: 8082 },
            { address: "0:0:0:0:0:0:0:1", port: 8083 },
            { address: "::", port: 8084 },
        ];
        await loadBalancer().converge({ binds });
        for (const { port } of binds) await loadBalancer().shell(`curl -sf http://[::1]:${port}/`);
        assert.equal((await loadBalancer().declare({ binds }).preview()).text, "");
        await declared(/no interface has the address fd00::1 \(bind fd00::1:8082\)/, {
            binds: [{ address: "fd00::1", port: 8082 }],
        });
        await loadBalancer().converge();
    });

    it("shares a port with processes on other addresses, but not on its own", async () => {
        const { address } = loadBalancer().host;
        await loadBalancer().shell(squat("127.0.0.1:8085", "[::1]:8086"));
        await loadBalancer().converge({ binds: [8085, 8086].map((port) => ({ address, port })) });
        await loadBalancer().shell(`curl -sf http://${address}:8085/ && curl -sf http://${address}:8086/`);
        await declared(/port 8085 is taken by systemd-socket-/, { binds: [{ port: 8085 }] });
        await declared(/port 8085 is taken by systemd-socket-/, { binds: [{ address: "127.0.0.1", port: 8085 }] });
        await declared(/port 8086 is taken by systemd-socket-/, { binds: [{ address: "::1", port: 8086 }] });
        await loadBalancer().converge({ binds: [{ port: 8086 }] });
        await loadBalancer().converge();
    });

    it("treats a haproxy that the service did not start as another process", async () => {
        const config =
            "defaults\\n timeout client 1s\\n timeout connect 1s\\n timeout server 1s\\nlisten x\\n bind :8087\\n";
        await loadBalancer().shell(`printf '${config}' >/run/stray.cfg
            systemd-run -q --unit=squatter haproxy -db -f /run/stray.cfg
            until ss -Hltn | grep -q ':8087 '; do sleep 0.02; done`);
        await declared(/port 8087 is taken by haproxy \(pid \d+\), which is not haproxy\.service; stop it/, {
            binds: [{ port: 8087 }],
        });
    });

    it("proves binds to which the host cannot connect by the owner of the port", async () => {
        const binds = [
            { port: 8081, interface: "eth0" },
            { address: "::", port: 8082, interface: "eth0" },
            { address: loadBalancer().host.address, port: 8083, interface: "eth0" },
            { address: "203.0.113.7", port: 8084, transparent: true },
        ];
        await loadBalancer().converge({ binds });
        assert.equal((await loadBalancer().declare({ binds }).preview()).text, "");
        for (const port of [8081, 8083])
            assert.equal((await fetch(`${loadBalancer().url.slice(0, -1)}:${port}`)).status, 200);

        await declared(/this host has no interface eth7 \(bind \*:8081\); correct its name/, {
            binds: [{ port: 8081, interface: "eth7" }],
        });
        await loadBalancer().shell(squat("0.0.0.0:8085"));
        await declared(/port 8085 is taken by systemd-socket-/, { binds: [{ port: 8085, interface: "eth0" }] });
        // Pretends that HAProxy has not opened one of them.
        const { code, stderr } = await loadBalancer()
            .declare({ binds, mark: "deaf" })
            .up((body) => impatient(body).replace("\n* 8081 nothing eth0\n", "\n* 8088 nothing eth0\n"));
        assert.equal(code, 1);
        assert.match(stderr, /the new worker does not listen on \*:8088/);
        await loadBalancer().converge();
    });

    it("waits for a new worker that does not answer at once, but not for ever", async () => {
        const once = "[ -e /run/asked ] || { touch /run/asked; echo not yet; return 1; }";
        const { code, stderr } = await loadBalancer().declare({ mark: "slow" }).up(atStart("haproxy_answers", once));
        assert.equal(code, 0, stderr);
        await loadBalancer().shell("rm /run/asked");
        const never = atStart("haproxy_answers", "echo port 80 is dumb; return 1");
        const { stderr: words } = await loadBalancer()
            .declare({ mark: "dumb" })
            .up((body) => impatient(never(body)));
        assert.match(words, /was not proven.*last good files are back and active\n +port 80 is dumb\n/);
        assert.equal(await loadBalancer().answer(), "app1 slow");
        await loadBalancer().converge();
    });

    describe("with old workers that still have connections", () => {
        let clients: Socket[] = [];
        const release = () => {
            for (const client of clients) client.destroy();
            clients = [];
        };
        /** A request of which the current worker has read half. */
        const hold = async () => clients.push(await loadBalancer().hold());
        const declare = (mark: string) => loadBalancer().declare({ raw: patient, mark });
        const old = async () =>
            (await loadBalancer().master("show proc")).split("# old workers")[1]?.match(/^\d+ /gm) ?? [];

        before("six reloads, each during a request", async () => {
            await loadBalancer().shell("systemctl restart haproxy");
            await loadBalancer().converge({ raw: patient });
            await until("the old worker has ended", async () => (await old()).length === 0);
            for (const turn of [1, 2, 3, 4, 5, 6]) {
                await hold();
                const { code, stderr } = await declare(`turn-${turn}`).up();
                assert.equal(code, 0, stderr);
                assert.equal((await old()).length, turn);
                assert.equal(/6 old workers still have connections/.test(stderr), turn === 6, stderr);
            }
        });
        after(async () => {
            release();
            await loadBalancer().converge();
        });

        it("reports them in a preview", async () => {
            const { text, refused } = await declare("next").preview();
            assert.equal(refused, false);
            assert.match(
                text,
                /reload: .*\. 6 old workers still have connections; an up waits until 5 are left, at most 600 s/,
            );
        });

        it("refuses another reload if they do not end, before anything is changed", async () => {
            const state = await loadBalancer().state();
            const { code, stderr } = await declare("next").up((body) =>
                body.replace(/^haproxy_hard_stop=.*/m, "haproxy_hard_stop=1"),
            );
            assert.equal(code, 1);
            const pids = (await old()).map((pid) => ` ${pid.trim()}`).join("");
            assert.ok(stderr.includes(`6 old workers still have connections after 1 s`), stderr);
            assert.ok(
                stderr.includes(`raise haproxy.oldWorkers, lower hard-stop-after, or end them (kill${pids})`),
                stderr,
            );
            assert.match(stderr, /its files and its running process are untouched/);
            assert.equal(await loadBalancer().state(), state);
        });

        it("waits until enough of them have ended, then reloads", async () => {
            const first = clients.shift();
            const converging = declare("next").up(atNaps("touch /run/sleeps"));
            await loadBalancer().shell("until [ -e /run/sleeps ]; do sleep 0.02; done");
            first?.destroy();
            const { code, stderr } = await converging;
            await loadBalancer().shell("rm /run/sleeps");
            assert.equal(code, 0, stderr);
            assert.match(stderr, /: waiting: 6 old workers have connections, 5 are allowed\n/);
            assert.equal(await loadBalancer().answer(), "app1 next");
        });

        it("does not delay a converge that needs no reload", async () => {
            await hold();
            await loadBalancer().converge({ raw: patient, mark: "last" });
            assert.equal((await old()).length, 6);
            await loadBalancer().shell("rm /var/lib/haproxy-fleet/last-good/haproxy/digest");
            const processes = await loadBalancer().processes();
            const { code, stderr } = await declare("last").up();
            assert.equal(code, 0, stderr);
            assert.doesNotMatch(stderr, /waiting: \d+ old workers/);
            assert.equal(await loadBalancer().processes(), processes);
        });

        it("reloads at once if oldWorkers allows so many", async () => {
            const wide = declare("wide");
            wide.resources = haproxy(loadBalancer().config({ raw: patient, mark: "wide" }), { oldWorkers: 6 });
            assert.equal((await old()).length, 6);
            await hold();
            const { code, stderr } = await wide.up();
            assert.equal(code, 0, stderr);
            assert.doesNotMatch(stderr, /waiting: \d+ old workers/);
            assert.equal((await old()).length, 7);
        });

        it("only warns of those that are older than the host's first converge", async () => {
            await loadBalancer().shell("sleep 1; rm -r /var/lib/haproxy-fleet");
            for (const [mark, count] of [
                ["taken", 7],
                ["later", 8],
            ] as const) {
                await hold();
                const words = `${count} old workers of a configuration that is not ours still have connections`;
                const { text } = await declare(mark).preview();
                assert.ok(text.includes(`. ${words}, and each keeps its memory`), text);
                const { code, stderr } = await declare(mark).up();
                assert.equal(code, 0, stderr);
                assert.ok(stderr.includes(`warning: ${words}`), stderr);
                assert.doesNotMatch(stderr, /waiting/);
                assert.equal(await loadBalancer().answer(), `app1 ${mark}`);
            }
        });
    });

    it("does not judge in a preview what earlier resources may repair, and refuses what they cannot", async () => {
        const user = { global: { user: "balancer", group: "balancers" } };
        const { text, refused } = await loadBalancer().declare(user).preview();
        assert.ok(!refused, text);
        assert.match(
            text,
            /cannot be checked until these are repaired: group\[balancers\], user\[balancer\]\n.* validation says:\n.*cannot find user id for 'balancer'/,
        );
        await declared(/refused at validation:[\s\S]*expects .* but got 'nonsense'/, {
            ...user,
            raw: ["http-request nonsense"],
        });

        const jailed = loadBalancer().declare({ global: { chroot: "/srv/extra" } });
        jailed.resources = [{ kind: "directory", path: "/srv/extra" }, ...jailed.resources];
        const { text: first, ...rest } = await jailed.preview();
        assert.ok(!rest.refused, first);
        assert.match(first, /repaired: directory\[\/srv\/extra]\n.* preflight says:\n.*\/srv\/extra does not exist/);
        const { code, stderr } = await jailed.up();
        assert.equal(code, 0, stderr);

        // Another release may know the keyword.
        const newer = loadBalancer().declare({ raw: ["http-request nonsense"] });
        newer.resources = [{ kind: "packages", names: ["haproxy-doc"] }, ...newer.resources];
        assert.equal((await newer.preview()).refused, false);
        await loadBalancer().converge();
    });

    it("refuses warnings of the daemon's check, except those that are allowed by their words", async () => {
        const raw = ["retries 5", "balance roundrobin"];
        const allowing = (...allowWarnings: string[]) =>
            loadBalancer().declare({ raw }, (transaction) => ({ ...transaction, allowWarnings }));
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
        const wrong = loadBalancer().declare({ raw: [...raw, "nonsense"] }, (transaction) => ({
            ...transaction,
            allowWarnings: ["ignored", "nonsense"],
        }));
        assert.ok((await wrong.preview()).refused);
        await loadBalancer().converge();
    });

    it("reports in a preview that a file of the transaction would reload or restart a service", async () => {
        const watching = (mark: string) => {
            const convergence = loadBalancer().declare({ mark });
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
        assert.match(
            text,
            /service\[ssh\.service]\n +declared anew: has not read its current files, would be reloaded/,
        );
        assert.match(
            text,
            /service\[systemd-logind\.service]\n +declared anew: has not read its current files, would be restarted/,
        );
    });

    it("is refused once, without a check, if the host has no room for the stage", async () => {
        await loadBalancer().shell(
            "mount -t tmpfs -o size=1m tmpfs /run/haproxy-fleet; head -c 2M /dev/zero >/etc/haproxy/large",
        );
        try {
            const { text, refused } = await loadBalancer().declare({ mark: "roomless" }).preview();
            assert.ok(refused, text);
            assert.match(text, /refused at stage:\n.*No space left on device/);
            assert.doesNotMatch(text, /refused at (validation|preflight)/);
        } finally {
            await loadBalancer().shell("rm /etc/haproxy/large; umount /run/haproxy-fleet");
        }
    });

    it("removes undeclared files from an owned directory once the rest is proven", async () => {
        const maps = "/etc/haproxy/maps";
        const edit = (text: string) => (transaction: Transaction) => ({
            ...transaction,
            owned: [maps],
            files: [...transaction.files, { path: `${maps}/hosts.map`, content: text }],
        });
        const first = await loadBalancer().declare({}, edit("one\n")).up();
        assert.equal(first.code, 0, first.stderr);
        await loadBalancer().shell(`touch ${maps}/stray ${maps}/.hidden`);
        const { text } = await loadBalancer().declare({}, edit("two\n")).preview();
        assert.match(text, /undeclared entry stray would be removed/);
        assert.match(text, /undeclared entry \.hidden would be removed/);
        const failed = await loadBalancer()
            .declare({}, edit("two\n"))
            .up(redefine("haproxy_prove() { echo not proven; return 1; }"));
        assert.equal(failed.code, 1);
        assert.equal(
            await loadBalancer().shell(`ls -A ${maps} | xargs; cat ${maps}/hosts.map`),
            ".hidden hosts.map stray\none",
        );
        const { code, stderr, stdout } = await loadBalancer().declare({}, edit("two\n")).up();
        assert.equal(code, 0, stderr);
        assert.equal(await loadBalancer().shell(`ls -A ${maps} | xargs; cat ${maps}/hosts.map`), "hosts.map\ntwo");
        assert.equal(`${stdout}${stderr}`.match(/changed: .*stray/g)?.length ?? 0, 0);
        assert.equal((await loadBalancer().declare({}, edit("two\n")).preview()).text, "");
    });
    it("creates its directory again after it was removed by hand", async () => {
        await loadBalancer().shell("rm -rf /etc/haproxy");
        assert.match((await loadBalancer().declare().preview()).text, /haproxy.cfg: does not exist/);
        const { code, stderr } = await loadBalancer().declare().up();
        assert.equal(code, 0, stderr);
        assert.equal((await loadBalancer().declare().preview()).text, "");
    });
}

/** An edit of a payload: gives a new worker that does not serve less time than usual. */
function impatient(body: string): string {
    assert.match(body, /^haproxy_answer_limit=15$/m);
    return body.replace("\nhaproxy_answer_limit=15\n", "\nhaproxy_answer_limit=1\n");
}

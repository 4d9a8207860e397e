import assert from "node:assert/strict";
import { askCommand } from "../../components/convergence/payload/commands";
import { runOverSsh, SshError } from "../../components/convergence/ssh/ssh";
import { nextToken } from "../../components/convergence/token";
import { Convergence, type Launched, launch, leave, redefine, withinDeadline } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

/** Lists the unit of a converge while systemd knows it. */
const UNITS = "systemctl list-units --all --plain --no-legend 'haproxy-fleet-converge*'";

describeLab("a converge", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");

    /** Writes to /srv/NAME when it starts and when it ends. It ends at once, or when /srv/NAME.go exists. */
    const work = (name: string, waits = "") =>
        new Convergence(target(), [
            {
                kind: "execute",
                name,
                command: `
                    echo begins >>/srv/${name}
                    ${waits}
                    echo ends >>/srv/${name}; touch /srv/${name}.done`,
                creates: `/srv/${name}.done`,
            },
        ]);
    const quick = (name: string) => work(name);
    const slow = (name: string) => work(name, `until [ -e /srv/${name}.go ]; do sleep 0.1; done`);
    const go = (name: string) => host().exec(`touch /srv/${name}.go`);

    const target = () => sshTargetOf(lab(), host());
    /** Leaves the payload with a token, as an up does, and runs the command with that token. */
    const run = async (token: string, payload: string): Promise<Launched> => {
        await leave(target(), token, payload);
        return launch(target(), token);
    };

    const history = async (name: string) => (await host().exec(`cat /srv/${name} 2>/dev/null || :`)).stdout;

    const happens = (what: string, command: string) =>
        until(what, async () => (await host().exec(command, { check: false })).code === 0);
    const begun = (name: string) => happens(`${name} begins`, `[ -s /srv/${name} ]`);
    const ended = () => happens("the converge ends", `[ -z "$(${UNITS})" ]`);

    /** Breaks the connection silently, like a network fault or a laptop's lid. */
    const killSessions = () => host().exec("pkill -9 -f '^sshd: root' || :");

    /** An edit of a payload: a launch that waits for another converge runs this at its n-th sleep. Earlier sleeps are short. */
    const atNap = (number: number, shell: string) =>
        redefine(`naps=0
            sleep() { naps=$((naps + 1)); case $naps in ${number}) ${shell} ;; esac
            [ $naps -gt ${number} ] && command sleep "$@" || command sleep 0.02; }`);

    const whole = (name: string) => ({ code: 0, stdout: `changed: execute[${name}] (to run)\n`, stderr: "" });

    it("goes on without its connection, and the next run joins it", async () => {
        const payload = slow("cut").payload();
        const first = run("cut", payload).catch((error) => error);
        await begun("cut");
        await killSessions();
        const reported = await first;
        assert(
            reported instanceof SshError || reported.code === -1,
            `the first run reported an end over a broken connection: ${JSON.stringify(reported)}`,
        );
        const newest = "pgrep -nf '^/bin/sh /run/haproxy-fleet/(payload|apply).cut launch'";
        const { stdout: before } = await host().exec(`${newest} || :`);
        const joining = run("cut", payload);
        await happens("the next run is there", `new=$(${newest}) && [ "$new" != "${before.trim()}" ]`);
        await go("cut");
        const second = await joining;
        assert.deepEqual({ ...second, stderr: "" }, whole("cut"));
        assert.match(second.stderr, /^changed: execute\[cut\] \(to run\)$/m, "what it has said before");
        assert.equal(await history("cut"), "begins\nends\n", "run once");
    });

    it("that has ended without a connection leaves nothing to do", async () => {
        const first = run("gone", slow("gone").payload()).catch(() => undefined);
        await begun("gone");
        await killSessions();
        await first;
        await go("gone");
        await ended();
        assert.deepEqual(await launch(target(), "gone"), { code: 0, stdout: "nothing to do\n", stderr: "" });
        assert.equal(await history("gone"), "begins\nends\n", "run once");
        assert.equal((await host().exec("head -n 1 /var/lib/haproxy-fleet/token")).stdout, "gone\n");
    });

    it("goes on if the cable is cut, and the next preview reports it", async () => {
        const converge = slow("cable");
        const cut = assert.rejects(run("cable", converge.payload()), SshError);
        await begun("cable");
        await host().cutCable();
        await cut;
        await go("cable");
        await ended();
        await host().plugCable();
        assert.equal((await converge.preview()).text, "");
        assert.equal(await history("cable"), "begins\nends\n");
    });

    it("waits for another converge and names who holds the host", async () => {
        const first = run("holder", slow("holder").payload());
        await begun("holder");
        const second = await run("waiter", quick("waiter").payload(atNap(1, "touch /srv/holder.go")));
        assert.deepEqual({ ...second, stderr: "" }, whole("waiter"));
        const waiting = second.stderr.split("\n").filter((line) => line.startsWith("waiting"));
        assert.match(
            [...new Set(waiting)].join("\n"),
            new RegExp(
                `^waiting: another converge holds this host \\(by tester@lab as root from ${lab().gateway} at \\d\\d:\\d\\d:\\d\\dZ id=holder\\)$`,
            ),
        );
        assert.equal((await first).code, 0);
        assert.equal(await history("holder"), "begins\nends\n");
    });

    it("repeats who holds the host while it waits, which reveals a broken connection", async () => {
        const first = run("long", slow("long").payload());
        await begun("long");
        const hasty = atNap(25, "touch /srv/long.go");
        const { code, stderr } = await run("repeats", quick("repeats").payload(hasty));
        assert.equal(code, 0);
        const lines = stderr.split("\n").filter((line) => /^waiting: /.test(line));
        assert.ok(lines.length >= 3, stderr);
        assert.equal(new Set(lines).size, 1);
        assert.match(stderr, /^the host is free: starting$/m);
        await first;
    });

    it("that waits ends with its connection, so that an older payload is not applied later", async () => {
        const first = run("before", slow("before").payload()).catch(() => undefined);
        await begun("before");
        const second = run("abandoned", quick("abandoned").payload(atNap(1, "touch /srv/waits"))).catch(
            () => undefined,
        );
        await happens("a launch waits", "[ -e /srv/waits ]");
        await killSessions();
        await Promise.all([first, second]);
        await go("before");
        await happens("no launch waits", "! ls /run/haproxy-fleet/payload.*");
        await ended();
        assert.equal(await history("before"), "begins\nends\n");
        assert.equal(await history("abandoned"), "");
    });

    it("waits no longer than its own deadline", async () => {
        const first = run("endless", slow("endless").payload());
        await begun("endless");
        const { code, stderr } = await run("impatient", quick("impatient").payload(undefined, 1));
        assert.equal(code, 1);
        assert.match(
            stderr,
            /^refused: another converge has held this host for 1 s \(by tester@lab as root from .*\); nothing was done; look at what it does, then run again$/m,
        );
        await host().exec("systemctl kill haproxy-fleet-converge.service");
        await first;
        assert.equal(await history("impatient"), "");
    });

    /** A converge that ends before its launch begins to follow it; the launch waits for /srv/look. */
    async function followedLate(name: string): Promise<{ reported: ReturnType<typeof launch> }> {
        const late = (body: string) =>
            redefine("follow() {\nuntil [ -e /srv/look ]; do sleep 0.1; done\nrm /srv/look; follow_itself\n}")(
                body.replace("\nfollow() {", "\nfollow_itself() {"),
            );
        const reported = run(name, quick(name).payload(late));
        await happens(`${name} ends`, `[ -e /srv/${name}.done ]`);
        await ended();
        return { reported };
    }

    it("reports its end to a late follower, even if another converge has ended since", async () => {
        const { reported } = await followedLate("early");
        assert.equal((await run("second", quick("second").payload())).code, 0);
        await host().exec("touch /srv/look");
        assert.deepEqual({ ...(await reported), stderr: "" }, whole("early"));
    });

    it("reports its end to a late follower while another converge still runs", async () => {
        const { reported } = await followedLate("soon");
        const other = run("third", slow("third").payload());
        await begun("third");
        await host().exec("touch /srv/look");
        assert.deepEqual({ ...(await reported), stderr: "" }, whole("soon"));
        await go("third");
        assert.equal((await other).code, 0);
    });

    it("is run again if the host has forgotten it, or if its token is another machine's", async () => {
        const payload = quick("again").payload();
        const another = "sed -i 2s/./z/ /var/lib/haproxy-fleet/token";
        for (const forget of [":", "rm -r /var/lib/haproxy-fleet", another]) {
            await host().exec(`${forget}; rm -f /srv/again*`);
            assert.deepEqual({ ...(await run("again", payload)), stderr: "" }, whole("again"), forget);
            assert.equal(await history("again"), "begins\nends\n", forget);
        }
        assert.equal((await run("again", payload)).stdout, "nothing to do\n");
        await host().exec(another);
        const { code, stderr } = await launch(target(), "again");
        assert.equal(code, 1);
        assert.match(stderr, /^nothing was done: since it was asked, this host was restarted, or another machine took/);
    });

    it("says in the next preview why an up is due, if its own up did not see its end", async () => {
        const converge = quick("unseen");
        const unseen = async () => (await converge.whyRun()).warnings.filter((text) => /up was interrupted/.test(text));
        const up = slow("unseen");
        const first = run("unseen", up.payload()).catch(() => undefined);
        await begun("unseen");
        await killSessions();
        await first;
        await go("unseen");
        await ended();
        assert.equal((await unseen()).length, 1);
        assert.equal((await launch(target(), "unseen")).stdout, "nothing to do\n");
        assert.deepEqual(await unseen(), []);

        await host().exec("rm /srv/unseen*");
        assert.equal((await converge.up()).code, 0);
        assert.deepEqual(await unseen(), []);
    });

    it("has another token each time the host has forgotten everything, so that the engine plans an update", async () => {
        const converge = quick("forgotten");
        const tokens = new Set<string>();
        for (let times = 0; times < 3; times++) {
            await host().exec("rm -rf /var/lib/haproxy-fleet /srv/forgotten*");
            const token = nextToken(await converge.whyRun(), converge.payload());
            assert.equal(nextToken(await converge.whyRun(), converge.payload()), token, "asked twice");
            assert.equal((await run(token, converge.payload())).code, 0);
            assert.equal((await converge.whyRun()).token, token);
            tokens.add(token);
        }
        assert.equal(tokens.size, 3);
    });

    it("that is started several times at the same moment runs once, and every launch succeeds", async () => {
        const payload = slow("twins").payload();
        const runs = ["twins", "twins", "twins", "twins"].map((token) => run(token, payload));
        await begun("twins");
        await go("twins");
        const reports = await Promise.all(runs);
        // One that came after the end has found nothing to do.
        const late = { code: 0, stdout: "nothing to do\n" };
        for (const { code, stdout } of reports) {
            assert.deepEqual(
                { code, stdout },
                stdout === late.stdout ? late : { code: 0, stdout: whole("twins").stdout },
            );
        }
        assert.ok(reports.some(({ stdout }) => stdout === whole("twins").stdout));
        assert.equal(await history("twins"), "begins\nends\n");
    });

    it("says at most one step a second, in the end what it has done, and keeps every step in its log", async () => {
        const names = [...Array.from({ length: 20 }, (_, n) => `step-${n}`), "nap"];
        const resources = names.map((name) => ({
            kind: "execute" as const,
            name,
            command: `touch /srv/${name}${name === "nap" ? "; sleep 3" : ""}`,
            creates: `/srv/${name}`,
        }));
        const started = Date.now();
        const { code, stderr } = await new Convergence(target(), resources).up();
        const seconds = Math.ceil((Date.now() - started) / 1000);
        assert.equal(code, 0, stderr);
        const lines = stderr.trim().split("\n");
        assert.match(lines.pop() ?? "", /^changed: execute\[step-0\] \(to run\), execute\[step-1\] /);
        assert.equal(lines.at(-1), "execute[nap]: run");
        assert.ok(lines.length <= seconds, stderr);
        const { stdout } = await host().exec(`grep -c '^[*] execute' "$(ls -t /run/haproxy-fleet/log.* | head -n 1)"`);
        assert.equal(stdout, `${names.length}\n`);
    });

    it("is ended at its deadline, and reports that", async () => {
        await withinDeadline(async (seconds) => {
            const { code, stdout, stderr } = await run("late", slow("late").payload(undefined, seconds));
            assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
            if ((await history("late")) === "") return false;
            const words =
                /^the converge was ended at its deadline, after (\d+) s; run again, or give it a longer one; its last words: execute\[late\]: run$/m;
            const after = Number(words.exec(stderr)?.[1]);
            // The unit's clock starts a little earlier than ours, and whole seconds are counted.
            assert.ok(after >= seconds && after <= seconds + 2, stderr);
            return true;
        });
        assert.equal(await history("late"), "begins\n");
    });

    it("that was killed reports what it was doing", async () => {
        for (const [signal, end] of [
            ["KILL", "systemctl kill --signal=KILL haproxy-fleet-converge.service"],
            ["TERM", "systemctl kill haproxy-fleet-converge.service"],
            ["HUP", "systemctl kill --signal=HUP haproxy-fleet-converge.service"],
        ]) {
            const killed = run("killed", slow("killed").payload());
            await begun("killed");
            await host().exec(`${end}; rm -f /srv/killed*`);
            const { code, stdout, stderr } = await killed;
            assert.deepEqual({ code, stdout }, { code: 1, stdout: "" }, signal);
            const words = new RegExp(
                `^the converge was ended by SIG${signal} after \\d+ s, as by systemctl kill or a shutdown; nothing else was done; run again; its last words: execute\\[killed\\]: run$`,
                "m",
            );
            assert.match(stderr, words);
        }
    });

    it("is followed until its unit is gone, even if that takes more than a hundred polls", async () => {
        const slowToEnd = (body: string) =>
            redefine("sleep() { command sleep 0.001; }\nresult() { command sleep 3; result_itself; }")(
                body.replace("\nresult() {", "\nresult_itself() {"),
            );
        assert.deepEqual({ ...(await run("ending", quick("ending").payload(slowToEnd))), stderr: "" }, whole("ending"));
    });

    it("with a truncated or damaged payload does nothing", async () => {
        const payload = quick("part").payload();
        const parts = [0, 1, 300, payload.length >> 1, payload.length - 12, payload.length - 3, payload.length - 1];
        const damaged = payload.replace("echo begins", "echo BEGINS");
        for (const sent of [...parts.map((length) => payload.slice(0, length)), damaged]) {
            const command = askCommand("leave", undefined, "part");
            const { code, stderr } = await runOverSsh(target(), command, sent);
            if (sent === damaged) {
                assert.deepEqual(
                    [code, stderr],
                    [1, "refused: the payload arrived damaged; nothing was done; run again\n"],
                );
            }
            const launched = await launch(target(), "part");
            assert.equal(launched.code, 1, `${sent.length} of ${payload.length} characters`);
            assert.match(launched.stderr, /^nothing was done: /m);
            assert.equal(await history("part"), "");
        }
        assert.equal((await run("part", payload)).code, 0);
        assert.equal(await history("part"), "begins\nends\n");
    });

    it("of a host that was restarted after it was asked does nothing", async () => {
        const converge = quick("restarted");
        for (const lost of ["rm -r /run/haproxy-fleet", "rm /run/haproxy-fleet/payload.restarted"]) {
            await leave(target(), "restarted", converge.payload());
            await host().exec(lost);
            const { code, stderr } = await launch(target(), "restarted");
            assert.equal(code, 1);
            assert.match(stderr, /restarted.*run again$/m);
            assert.equal(await history("restarted"), "");
            await converge.whyRun();
        }
    });

    it("keeps a payload that waits from others, and forgets it after a day", async () => {
        await leave(target(), "waits", quick("waits").payload());
        const { stdout } = await host().exec(`
            stat -c '%a %U' /run/haproxy-fleet/payload.waits
            systemctl list-timers --all --no-legend haproxy-fleet-forget.timer | grep -c haproxy-fleet-forget.service
            systemctl show -p ActiveState --value haproxy-fleet-forget.timer
            systemctl start --wait haproxy-fleet-forget.service
            ls /run/haproxy-fleet/payload.* 2>/dev/null || echo forgotten`);
        assert.equal(stdout, "600 root\n1\nactive\nforgotten\n");
        const { stdout: left } = await host().exec(
            "systemctl show -p NextElapseUSecMonotonic --value haproxy-fleet-forget.timer; cat /proc/uptime",
        );
        const [next = "", up = ""] = left.split("\n");
        // As in `1d 2h 3min 4.5s` since the machine has booted.
        const units: Record<string, number> = { d: 86_400, h: 3_600, min: 60, s: 1, ms: 0.001 };
        const parts = [...next.matchAll(/([\d.]+)(d|h|min|ms|s)\b/g)];
        const after =
            parts.reduce((sum, [, n, unit = ""]) => sum + Number(n) * (units[unit] ?? 0), 0) - Number.parseFloat(up);
        assert.ok(Math.abs(after - 86_400) < 300, `${next}, ${up}`);
        // The timer goes with the last payload.
        assert.equal((await run("waited", quick("waited").payload())).code, 0);
        await happens("the timer is gone", "! systemctl is-active --quiet haproxy-fleet-forget.timer");
    });

    it("removes what killed converges have left, and results that are no longer read", async () => {
        const left =
            "in.4194305 payload.00 apply.00 began.00 why-run.4194305/haproxy/haproxy.cfg result.00 log.00 report.00";
        await host().exec(`
            cd /run/haproxy-fleet
            mkdir -p why-run.4194305/haproxy
            touch ${left}
            touch -d '2 hours ago' result.00 log.00 report.00 began.00
            touch -d '25 hours ago' payload.00`);
        assert.equal((await run("clears", quick("clears").payload())).code, 0);
        assert.equal((await host().exec(`cd /run/haproxy-fleet; ls -d why-run.* ${left} 2>/dev/null || :`)).stdout, "");
    });

    it("leaves no payload behind", async () => {
        const { stdout } = await host().exec(`
            ls /run/haproxy-fleet | grep -v -e '^log\\.' -e '^report\\.' -e '^result\\.' -e '^stamp$' -e '^step.out$' -e '^launch.out$' -e '^lock$' -e '^token$' -e '^launch$' -e '^began\\.' || :`);
        assert.equal(stdout, "");
        await ended();
    });
});

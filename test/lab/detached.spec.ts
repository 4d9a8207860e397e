import assert from "node:assert/strict";
import { bootstrap, withoutRuntime } from "../../components/convergence/payload/payload";
import { makePlan } from "../../components/convergence/payload/plan";
import { runOverSsh, SshError } from "../../components/convergence/ssh/ssh";
import { nextToken } from "../../components/convergence/token";
import { Convergence, redefine, withinDeadline } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

/** Lists the unit of a converge while systemd knows it. */
const UNITS = "systemctl list-units --all --plain --no-legend 'haproxy-fleet*'";

describeLab("a converge", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");

    /** Writes to /srv/NAME when it starts and when it ends. It ends at once, or when /srv/NAME.go exists. */
    const work = (name: string, waits = "") =>
        new Convergence(sshTargetOf(lab(), host()), [
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

    const launch = async (payload: string, timeout = 300_000) => {
        const { code, stdout, stderr } = await runOverSsh(
            sshTargetOf(lab(), host()),
            bootstrap("launch"),
            payload,
            timeout,
        );
        return { code, stdout: stdout.toString(), stderr };
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
        const payload = slow("cut").payload("token");
        const first = launch(payload).catch((error) => error);
        await begun("cut");
        await killSessions();
        const reported = await first;
        assert(
            reported instanceof SshError || reported.code === -1,
            `the first run reported an end over a broken connection: ${JSON.stringify(reported)}`,
        );
        const joining = launch(payload);
        await happens("the next run is there", 'in=$(ls /run/haproxy-fleet/in.*) && pgrep -f "^/bin/sh $in launch"');
        await go("cut");
        const second = await joining;
        assert.deepEqual({ ...second, stderr: "" }, whole("cut"));
        assert.match(second.stderr, /^execute\[cut\]: run$/m, "what it has said before");
        assert.equal(await history("cut"), "begins\nends\n", "run once");
    });

    it("that has ended without a connection gives the next run its result", async () => {
        const payload = slow("gone").payload("token");
        const first = launch(payload).catch(() => undefined);
        await begun("gone");
        await killSessions();
        await first;
        await go("gone");
        await ended();
        assert.deepEqual({ ...(await launch(payload)), stderr: "" }, whole("gone"));
        assert.equal(await history("gone"), "begins\nends\n", "run once");
        assert.equal((await host().exec("cat /var/lib/haproxy-fleet/token")).stdout, "token\n");
    });

    it("goes on if the cable is cut, and the next preview reports it", async () => {
        const converge = slow("cable");
        const cut = assert.rejects(launch(converge.payload("token")), SshError);
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
        const first = launch(slow("holder").payload("token"));
        await begun("holder");
        const second = await launch(quick("waiter").payload("other", atNap(1, "touch /srv/holder.go")));
        assert.deepEqual({ ...second, stderr: "" }, whole("waiter"));
        const waiting = second.stderr.split("\n").filter((line) => line.startsWith("waiting"));
        assert.match(
            [...new Set(waiting)].join("\n"),
            new RegExp(
                `^waiting: another converge holds this host \\(by root from ${lab().gateway} at \\d\\d:\\d\\d:\\d\\dZ id=[0-9a-f]{64}\\)$`,
            ),
        );
        assert.equal((await first).code, 0);
        assert.equal(await history("holder"), "begins\nends\n");
    });

    it("repeats who holds the host while it waits, which reveals a broken connection", async () => {
        const first = launch(slow("long").payload("token"));
        await begun("long");
        const hasty = atNap(25, "touch /srv/long.go");
        const { code, stderr } = await launch(quick("repeats").payload("other", hasty));
        assert.equal(code, 0);
        const lines = stderr.split("\n").filter((line) => /^waiting: /.test(line));
        assert.ok(lines.length >= 3, stderr);
        assert.equal(new Set(lines).size, 1);
        assert.match(stderr, /^the host is free: starting$/m);
        await first;
    });

    it("that waits ends with its connection, so that an older payload is not applied later", async () => {
        const first = launch(slow("before").payload("token")).catch(() => undefined);
        await begun("before");
        const second = launch(quick("abandoned").payload("other", atNap(1, "touch /srv/waits"))).catch(() => undefined);
        await happens("a launch waits", "[ -e /srv/waits ]");
        await killSessions();
        await Promise.all([first, second]);
        await go("before");
        await happens("no launch waits", "! ls /run/haproxy-fleet/in.*");
        await ended();
        assert.equal(await history("before"), "begins\nends\n");
        assert.equal(await history("abandoned"), "");
    });

    it("waits no longer than its own deadline", async () => {
        const first = launch(slow("endless").payload("token"));
        await begun("endless");
        const { code, stderr } = await launch(quick("impatient").payload("other", undefined, 1));
        assert.equal(code, 1);
        assert.match(
            stderr,
            /^refused: another converge has held this host for 1 s \(by root from .*\); nothing was done; look at what it does, then run again$/m,
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
        const reported = launch(quick(name).payload("token", late));
        await happens(`${name} ends`, `[ -e /srv/${name}.done ]`);
        await ended();
        return { reported };
    }

    it("reports its end to a late follower, even if another converge has ended since", async () => {
        const { reported } = await followedLate("early");
        assert.equal((await launch(quick("second").payload("other"))).code, 0);
        await host().exec("touch /srv/look");
        assert.deepEqual({ ...(await reported), stderr: "" }, whole("early"));
    });

    it("reports its end to a late follower while another converge still runs", async () => {
        const { reported } = await followedLate("soon");
        const other = launch(slow("third").payload("third"));
        await begun("third");
        await host().exec("touch /srv/look");
        assert.deepEqual({ ...(await reported), stderr: "" }, whole("soon"));
        await go("third");
        assert.equal((await other).code, 0);
    });

    it("is run again if the host has forgotten it, or if it was long ago", async () => {
        const payload = quick("again").payload("token");
        const forgets = ["rm -r /var/lib/haproxy-fleet", "touch -d '2 hours ago' /run/haproxy-fleet/result.*"];
        for (const forget of [":", ...forgets]) {
            await host().exec(`${forget}; rm -f /srv/again*`);
            assert.deepEqual({ ...(await launch(payload)), stderr: "" }, whole("again"), forget);
            assert.equal(await history("again"), "begins\nends\n", forget);
        }
        await host().exec("rm /srv/again*");
        assert.equal((await launch(payload)).code, 0);
        assert.equal(await history("again"), "", "the result of just now");
    });

    it("has another token each time the host has forgotten everything, so that the engine plans an update", async () => {
        const converge = quick("forgotten");
        const tokens = new Set<string>();
        for (let times = 0; times < 3; times++) {
            await host().exec("rm -rf /var/lib/haproxy-fleet /srv/forgotten*");
            const token = nextToken(await converge.whyRun(), makePlan(converge.resources));
            assert.equal(nextToken(await converge.whyRun(), makePlan(converge.resources)), token, "asked twice");
            assert.equal((await launch(converge.payload(token))).code, 0);
            assert.equal((await converge.whyRun()).token, token);
            tokens.add(token);
        }
        assert.equal(tokens.size, 3);
    });

    it("that is started twice at the same moment runs once, and both launches report it", async () => {
        const payload = slow("twins").payload("token");
        const runs = [launch(payload), launch(payload), launch(payload), launch(payload)];
        await begun("twins");
        await go("twins");
        for (const run of await Promise.all(runs)) assert.deepEqual({ ...run, stderr: "" }, whole("twins"));
        assert.equal(await history("twins"), "begins\nends\n");
    });

    it("is ended at its deadline, and reports that", async () => {
        await withinDeadline(async (seconds) => {
            const { code, stdout, stderr } = await launch(slow("late").payload("token", undefined, seconds));
            assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
            if ((await history("late")) === "") return false;
            assert.ok(
                stderr.includes(
                    `\nthe converge was ended at its deadline of ${seconds} s, during: execute[late]: run\n`,
                ),
                stderr,
            );
            return true;
        });
        assert.equal(await history("late"), "begins\n");
    });

    it("that was killed reports what it was doing", async () => {
        const run = launch(slow("killed").payload("token"));
        await begun("killed");
        await host().exec("systemctl kill --signal=KILL haproxy-fleet-converge.service");
        const { code, stderr } = await run;
        assert.equal(code, 1);
        assert.match(stderr, /^the converge was killed \(signal killed KILL\), during: execute\[killed\]: run$/m);
    });

    it("is followed until its unit is gone, even if that takes more than a hundred polls", async () => {
        const slowToEnd = (body: string) =>
            redefine("sleep() { command sleep 0.001; }\nresult() { command sleep 3; result_itself; }")(
                body.replace("\nresult() {", "\nresult_itself() {"),
            );
        assert.deepEqual(
            { ...(await launch(quick("ending").payload("token", slowToEnd))), stderr: "" },
            whole("ending"),
        );
    });

    it("with a truncated or damaged payload does nothing", async () => {
        const converge = quick("part");
        await converge.whyRun();
        const payload = converge.payload("token");
        for (const sent of [payload, withoutRuntime(payload)]) {
            const parts = [0, 1, 300, sent.length >> 1, sent.length - 12, sent.length - 3, sent.length - 1];
            for (const length of parts) {
                await launch(sent.slice(0, length)).catch(() => undefined);
                assert.equal(await history("part"), "", `${length} of ${sent.length} characters`);
            }
        }
        const { code, stderr } = await launch(payload.replace("echo begins", "echo BEGINS"));
        assert.deepEqual(
            { code, stderr },
            { code: 1, stderr: "refused: the payload arrived damaged; nothing was done; run again\n" },
        );
        assert.equal(await history("part"), "");
        assert.equal((await launch(payload)).code, 0);
        assert.equal(await history("part"), "begins\nends\n");
    });

    it("of a host that was restarted after the probe does nothing", async () => {
        const converge = quick("restarted");
        await converge.whyRun();
        await host().exec("rm /run/haproxy-fleet/runtime.*");
        const payload = withoutRuntime(converge.payload("token"));
        const { code, stderr } = await launch(payload);
        assert.equal(code, 1);
        assert.match(stderr, /runtime\..*: No such file or directory\nnothing was done: run again\n$/);
        const { stdout } = await host().exec("find /run/haproxy-fleet -name 'in.*'");
        assert.equal(stdout, "", "a payload was left");
        assert.equal(await history("restarted"), "");
        await converge.whyRun();
        assert.equal((await launch(payload)).code, 0);
        assert.equal(await history("restarted"), "begins\nends\n");
    });

    it("of a host whose copy of the payload is damaged does nothing, and the next preview repairs the copy", async () => {
        const converge = quick("damaged");
        for (const damage of ["s/deadline/headline/", "20q"]) {
            await converge.whyRun();
            await host().exec(`sed -i '${damage}' /run/haproxy-fleet/runtime.*`);
            assert.notEqual((await launch(withoutRuntime(converge.payload("token")))).code, 0);
            assert.equal(await history("damaged"), "");
        }
        await converge.whyRun();
        assert.equal((await launch(withoutRuntime(converge.payload("token")))).code, 0);
        assert.equal(await history("damaged"), "begins\nends\n");
    });

    it("removes what killed converges have left, and results that are no longer read", async () => {
        const left = "in.4194305 payload.00 why-run.4194305/haproxy/haproxy.cfg result.00 log.00 report.00";
        await host().exec(`
            cd /run/haproxy-fleet
            mkdir -p why-run.4194305/haproxy
            touch ${left}
            touch -d '2 hours ago' result.00 log.00 report.00`);
        assert.equal((await launch(quick("clears").payload("token"))).code, 0);
        assert.equal((await host().exec(`cd /run/haproxy-fleet; ls -d why-run.* ${left} 2>/dev/null || :`)).stdout, "");
    });

    it("leaves no payload behind", async () => {
        const { stdout } = await host().exec(`
            ls /run/haproxy-fleet | grep -v -e '^log\\.' -e '^report\\.' -e '^result\\.' -e '^stamp$' -e '^step.out$' -e '^launch.out$' -e '^lock$' -e '^token$' -e '^runtime\\.' || :`);
        assert.equal(stdout, "");
        await ended();
    });
});

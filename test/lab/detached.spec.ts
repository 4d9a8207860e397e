import assert from "node:assert/strict";
import { bootstrap, withoutRuntime } from "../../components/convergence/payload";
import { makePlan } from "../../components/convergence/plan";
import { runOverSsh, SshError } from "../../components/convergence/ssh";
import { nextToken } from "../../components/convergence/token";
import { sleep } from "../../lab/run";
import { Convergence, redefine } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { targetOf } from "../support/target";

describeLab("a converge", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");

    /** Writes to /srv/NAME when it begins, and again when it ends some seconds later, or when /srv/go is there. */
    const slow = (name: string, seconds: number | "until told" = 2) =>
        new Convergence(targetOf(lab(), host()), [
            {
                kind: "execute",
                name,
                command: `
                    echo begins >>/srv/${name}
                    ${seconds === "until told" ? "until [ -e /srv/go ]; do sleep 0.1; done; rm /srv/go" : `sleep ${seconds}`}
                    echo ends >>/srv/${name}; touch /srv/${name}.done`,
                creates: `/srv/${name}.done`,
            },
        ]);

    const launch = async (payload: string, timeout = 30_000) => {
        const { code, stdout, stderr } = await runOverSsh(
            targetOf(lab(), host()),
            bootstrap("launch"),
            payload,
            timeout,
        );
        return { code, stdout: stdout.toString(), stderr };
    };

    const history = async (name: string) => (await host().exec(`cat /srv/${name} 2>/dev/null || :`)).stdout;

    async function until(what: string, command: string): Promise<void> {
        for (let tries = 0; (await host().exec(command, { check: false })).code !== 0; tries++) {
            assert(tries < 200, `${what}: not within 10 s`);
            await sleep(50);
        }
    }
    const begun = (name: string) => until(`${name} begins`, `[ -s /srv/${name} ]`);
    const ended = () => until("the converge ends", "! systemctl is-active --quiet haproxy-fleet-converge.service");

    /** As a network or a laptop's lid does it: nothing is told to anybody. */
    const killSessions = () => host().exec("pkill -9 -f '^sshd: root' || :");

    const whole = (name: string) => ({ code: 0, stdout: `changed: execute[${name}] (to run)\n`, stderr: "" });

    it("goes on without its connection, and the next run joins it", async () => {
        const payload = slow("cut", 3).payload("token");
        const first = launch(payload).catch((error) => error);
        await begun("cut");
        await killSessions();
        const told = await first;
        assert(told instanceof SshError || told.code === -1, `told of an end that nobody saw: ${JSON.stringify(told)}`);
        const second = await launch(payload);
        assert.deepEqual({ ...second, stderr: "" }, whole("cut"));
        assert.match(second.stderr, /^execute\[cut\]: run$/m, "what it has said before");
        assert.equal(await history("cut"), "begins\nends\n", "run once");
    });

    it("that ended while nobody was connected answers the next run with its result", async () => {
        const payload = slow("gone", 1).payload("token");
        const first = launch(payload).catch(() => undefined);
        await begun("gone");
        await killSessions();
        await first;
        await ended();
        assert.deepEqual({ ...(await launch(payload)), stderr: "" }, whole("gone"));
        assert.equal(await history("gone"), "begins\nends\n", "run once");
        assert.equal((await host().exec("cat /var/lib/haproxy-fleet/token")).stdout, "token\n");
    });

    it("goes on when the cable is cut, and the next preview says so", async () => {
        const converge = slow("cable", 1);
        const first = launch(converge.payload("token"), 2500);
        await begun("cable");
        await host().cutCable();
        await assert.rejects(first, SshError);
        await ended();
        await host().plugCable();
        assert.equal((await converge.preview()).text, "");
        assert.equal(await history("cable"), "begins\nends\n");
    });

    it("waits for another one, and names who holds the host", async () => {
        const first = launch(slow("holder").payload("token"));
        await begun("holder");
        const second = await launch(slow("waiter", 0).payload("other"));
        assert.deepEqual({ ...second, stderr: "" }, whole("waiter"));
        const waiting = second.stderr.split("\n").filter((line) => line.startsWith("waiting"));
        assert.match(
            waiting.join("\n"),
            new RegExp(
                `^waiting: another converge holds this host \\(by root from ${lab().gateway} at \\d\\d:\\d\\d:\\d\\dZ id=[0-9a-f]{64}\\)$`,
            ),
        );
        assert.equal((await first).code, 0);
        assert.equal(await history("holder"), "begins\nends\n");
    });

    it("repeats while it waits for whom, so that its end of the connection is heard to be gone", async () => {
        const first = launch(slow("long", "until told").payload("token"));
        await begun("long");
        const hasty = redefine(`naps=0
            sleep() { naps=$((naps + 1)); [ $naps != 25 ] || touch /srv/go; command sleep 0.02; }`);
        const { code, stderr } = await launch(slow("repeats", 0).payload("other", hasty));
        assert.equal(code, 0);
        const lines = stderr.split("\n").filter((line) => /^waiting: /.test(line));
        assert.ok(lines.length >= 3, stderr);
        assert.equal(new Set(lines).size, 1);
        assert.match(stderr, /^the host is free: starting$/m);
        await first;
    });

    it("that waits is given up with its connection: an older payload does not come later", async () => {
        const first = launch(slow("before", "until told").payload("token")).catch(() => undefined);
        await begun("before");
        const second = launch(slow("abandoned", 0).payload("other")).catch(() => undefined);
        await until("somebody waits", 'in=$(ls /run/haproxy-fleet/in.*) && pgrep -f "^/bin/sh $in launch"');
        await killSessions();
        await Promise.all([first, second]);
        await host().exec("touch /srv/go");
        await until("nobody waits", "! ls /run/haproxy-fleet/in.*");
        await ended();
        assert.equal(await history("before"), "begins\nends\n");
        assert.equal(await history("abandoned"), "");
    });

    it("waits no longer than it may run itself", async () => {
        const first = launch(slow("endless", 30).payload("token"));
        await begun("endless");
        const { code, stderr } = await launch(slow("impatient", 0).payload("other", undefined, 1));
        assert.equal(code, 1);
        assert.match(
            stderr,
            /^refused: another converge has held this host for 1 s \(by root from .*\); nothing was done: look at what it does, then run again$/m,
        );
        await host().exec("systemctl stop haproxy-fleet-converge.service");
        await first;
        assert.equal(await history("impatient"), "");
    });

    /** A converge that is over before anybody looks; they look when there is /srv/look. */
    async function looksLate(name: string): Promise<{ told: ReturnType<typeof launch> }> {
        const late = (body: string) =>
            redefine("follow() {\nuntil [ -e /srv/look ]; do sleep 0.1; done\nrm /srv/look; follow_itself\n}")(
                body.replace("\nfollow() {", "\nfollow_itself() {"),
            );
        const told = launch(slow(name, 0).payload("token", late));
        await until(`${name} ends`, `[ -e /srv/${name}.done ]`);
        await ended();
        return { told };
    }

    it("tells its end to who looks later, when another one is over already", async () => {
        const { told } = await looksLate("early");
        assert.equal((await launch(slow("second", 0).payload("other"))).code, 0);
        await host().exec("touch /srv/look");
        assert.deepEqual({ ...(await told), stderr: "" }, whole("early"));
    });

    it("tells its end to who looks later, while another one still runs", async () => {
        const { told } = await looksLate("soon");
        const other = launch(slow("third", "until told").payload("third"));
        await begun("third");
        await host().exec("touch /srv/look");
        assert.deepEqual({ ...(await told), stderr: "" }, whole("soon"));
        await host().exec("touch /srv/go");
        assert.equal((await other).code, 0);
    });

    it("is run again where the host has forgotten it, or where it was long ago", async () => {
        const payload = slow("again", 0).payload("token");
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

    it("has another token each time the host has forgotten all, or the engine would plan nothing", async () => {
        const converge = slow("forgotten", 0);
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

    it("that was started twice in the same moment runs once, and both are told", async () => {
        const payload = slow("twins", 1).payload("token");
        const runs = await Promise.all([launch(payload), launch(payload), launch(payload), launch(payload)]);
        for (const run of runs) assert.deepEqual({ ...run, stderr: "" }, whole("twins"));
        assert.equal(await history("twins"), "begins\nends\n");
    });

    it("is ended at its deadline, and that is told", async () => {
        const { code, stdout, stderr } = await launch(slow("late", 30).payload("token", undefined, 1));
        assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
        assert.match(stderr, /^deadline passed: the converge was ended after 1 s while doing: execute\[late\]: run$/m);
        assert.equal(await history("late"), "begins\n");
    });

    it("that was killed says what it was doing", async () => {
        const run = launch(slow("killed", 30).payload("token"));
        await begun("killed");
        await host().exec("systemctl kill --signal=KILL haproxy-fleet-converge.service");
        const { code, stderr } = await run;
        assert.equal(code, 1);
        assert.match(stderr, /^the converge was killed \(signal killed KILL\) while doing: execute\[killed\]: run$/m);
    });

    it("whose payload was cut short or damaged does nothing", async () => {
        const converge = slow("part", 0);
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
            { code: 1, stderr: "refused: the payload arrived damaged; nothing was done: run again\n" },
        );
        assert.equal(await history("part"), "");
        assert.equal((await launch(payload)).code, 0);
        assert.equal(await history("part"), "begins\nends\n");
    });

    it("whose host was restarted since it was asked does nothing", async () => {
        const converge = slow("restarted", 0);
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

    it("whose host has damaged what it has kept does nothing, and the next preview repairs that", async () => {
        const converge = slow("damaged", 0);
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

    it("clears away what killed ones have left, and what nobody reads any more", async () => {
        const left = "in.4194305 payload.00 why-run.4194305/haproxy/haproxy.cfg result.00 log.00 report.00";
        await host().exec(`
            cd /run/haproxy-fleet
            mkdir -p why-run.4194305/haproxy
            touch ${left}
            touch -d '2 hours ago' result.00 log.00 report.00`);
        assert.equal((await launch(slow("clears", 0).payload("token"))).code, 0);
        assert.equal((await host().exec(`cd /run/haproxy-fleet; ls -d why-run.* ${left} 2>/dev/null || :`)).stdout, "");
    });

    it("leaves nothing of its payload behind", async () => {
        const { stdout } = await host().exec(`
            ls /run/haproxy-fleet | grep -v -e '^log\\.' -e '^report\\.' -e '^result\\.' -e '^stamp$' -e '^step.out$' -e '^launch.out$' -e '^lock$' -e '^token$' -e '^runtime\\.' || :
            systemctl list-units --all --plain --no-legend 'haproxy-fleet*'`);
        assert.equal(stdout, "");
    });
});

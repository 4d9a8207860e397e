import assert from "node:assert/strict";
import { until } from "../../support/traffic";
import type { Name, PairOfHosts } from "./pairOfHosts";

const PAIR = "/usr/local/libexec/haproxy-fleet/pair";

/** Handing the address over on purpose. */
export function handOver(pair: () => PairOfHosts): void {
    it("moves the address within 2 s, and it stays there: failback never", async () => {
        await pair().make("lb1");
        const missed = await pair().watch(async () => {
            assert.equal(
                await pair().shell("lb1", `${PAIR} yield -t 60 the package is upgraded; echo $?`),
                "handed over to lb2\n0",
            );
        });
        assert.ok(missed.nobody < 2 && missed.both === 0, JSON.stringify(missed));
        assert.equal(await pair().state("lb1"), "FAULT\tnone");
        assert.match(await pair().shell("lb1", `${PAIR} role`), /^outside\tyield\tthe package is upgraded$/m);
        // Nothing more to hand over.
        assert.equal(await pair().shell("lb1", `${PAIR} yield again; echo $?`), "0");
        assert.equal(
            await pair().shell(
                "lb1",
                `nft list tables; ${PAIR} resume; systemctl list-units --all 'haproxy-fleet-resume*' --no-legend`,
            ),
            "",
        );
        await pair().settle("lb2");
        await pair().shell("lb1", "sleep 4");
        assert.deepEqual(await pair().owners(), ["lb2"]);
    });

    it("loses no request on a new connection", async () => {
        const from = await pair().settle();
        let done = false;
        const answers: string[] = [];
        const requests = (async () => {
            while (!done) {
                const answer = await fetch(`http://${pair().address}/`, {
                    headers: { connection: "close" },
                    signal: AbortSignal.timeout(8000),
                }).then(
                    (response) => response.text(),
                    (error: Error) => `${error.message} ${String(error.cause)}`,
                );
                answers.push(answer);
            }
        })();
        await pair().shell(from, `sleep 0.5; ${PAIR} yield a test; ${PAIR} resume; sleep 0.5`);
        await pair().settle(pair().other(from));
        done = true;
        await requests;
        assert.deepEqual([...new Set(answers)], [from, pair().other(from)]);
    });

    it("ends by itself if nobody resumes", async () => {
        await pair().make("lb1");
        await pair().shell("lb1", `${PAIR} yield -t 2 a test`);
        await until("lb1 is BACKUP", async () => (await pair().state("lb1")) === "BACKUP\tnone");
        await pair().settle("lb2");
    });

    it("is refused if the peer does not serve, and changes nothing", async () => {
        await pair().make("lb1");
        await pair().shell("lb2", "systemctl stop haproxy");
        const said = await pair().shell("lb1", `${PAIR} yield a test; echo $?`);
        await pair().shell("lb2", "systemctl start haproxy");
        assert.equal(
            said,
            "lb2 cannot take the addresses over, because it does not serve: Connection refused; make it serve first\n1",
        );
        assert.deepEqual(await pair().owners(), ["lb1"]);
        assert.equal(
            await pair().shell(
                "lb1",
                "cat /run/haproxy-fleet-pair/yield; systemctl list-units --all 'haproxy-fleet-resume*' --no-legend",
            ),
            "0",
        );
        await pair().settle("lb1");
    });

    it("is taken back if the peer serves, but does not take over", async () => {
        await pair().shell("lb2", "systemctl stop keepalived");
        const said = await pair().shell("lb1", `${PAIR} yield a test; echo $?`);
        assert.match(
            said,
            /^lb2 has not taken the addresses over: .*; see whether keepalived runs there and is BACKUP; this host takes part again\n1$/,
        );
        await until("lb1 has it again", async () => (await pair().owners()).join() === "lb1");
        await pair().shell("lb2", "systemctl start keepalived");
        await pair().settle("lb1");
    });

    it("of an address outside of the hosts' network is proven by ARP, because there is no way to it without the address", async () => {
        await pair().make("lb1");
        const settings = { addresses: ["198.51.100.100/24"] };
        const both = (master: Name) =>
            until(`${master} is MASTER`, async () => {
                const states = [master, pair().other(master)].map((name) => pair().state(name));
                return (await Promise.all(states)).join() === "MASTER\tall,BACKUP\tnone";
            });
        for (const name of ["lb2", "lb1"] as const) await pair().converge(name, { settings });
        await both("lb1");
        assert.equal(await pair().shell("lb1", `${PAIR} yield a test`), "handed over to lb2");
        assert.equal(await pair().state("lb2"), "MASTER\tall");
        await pair().shell("lb1", `${PAIR} resume`);
        await both("lb2");
        await pair().shell("lb1", "systemctl stop keepalived");
        assert.match(
            await pair().shell("lb2", `${PAIR} yield a test`),
            /^lb1 has not taken the addresses over: 198\.51\.100\.100: .*; this host takes part again$/,
        );
        await pair().shell("lb1", "systemctl start keepalived");
        await both("lb2");
        for (const name of ["lb1", "lb2"] as const) await pair().converge(name);
        await pair().settle("lb2");
    });

    it("comes back at once with failback immediate", async () => {
        await pair().make("lb1");
        const settings = { failback: "immediate" } as const;
        await pair().converge("lb2", { settings });
        assert.match(await pair().converge("lb1", { settings }), /this host is MASTER/);
        assert.equal(await pair().shell("lb1", `${PAIR} yield a test`), "handed over to lb2");
        assert.deepEqual(await pair().owners(), ["lb2"]);
        await pair().shell("lb1", `${PAIR} resume`);
        await pair().settle("lb1");
        await pair().converge("lb2");
        await pair().converge("lb1");
    });

    it("of a host that stands by lasts, and it comes back when that is lifted", async () => {
        await pair().make("lb1");
        const settings = { standby: "lb1" };
        const { text } = await pair().declare("lb1", { settings }).preview();
        assert.match(text, /\/etc\/keepalived\/standby: content differs[\s\S]*\+1\n/);
        assert.match(text, /this host hands the addresses over before, and stays out/);
        await pair().converge("lb2", { settings });
        assert.match(
            await pair().converge("lb1", { settings }),
            /this host stands by: it stays out until standby is lifted/,
        );
        assert.deepEqual(await pair().owners(), ["lb2"]);
        assert.match(await pair().shell("lb1", `${PAIR} role`), /^role\tFAULT\tnone\t\d+\noutside\tstandby$/m);
        // The other one must not hand over to it.
        const restart = await pair().declare("lb2", { settings, maxconn: 600_000 }).preview();
        assert.equal(restart.severity, "refusal");
        assert.match(
            restart.text,
            /would hand the addresses over before HAProxy is restarted, but lb1 stands by; remove standby/,
        );
        assert.deepEqual(await pair().owners(), ["lb2"]);
        await pair().converge("lb1");
        await pair().converge("lb2");
        await pair().settle("lb2");
    });
}

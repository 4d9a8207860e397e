import assert from "node:assert/strict";
import { redefine } from "../../support/converge";
import { type BalancerHost, patient } from "./balancerHost";
import { atStart } from "./edit";
import { bothLoads } from "./load";

/** Reloads, restarts and starts, and their proofs. */
export function activations(balancer: () => BalancerHost): void {
    before(() => balancer().converge());

    it("changes and reloads nothing the second time", async () => {
        const [state, text] = [await balancer().state(), (await balancer().declare().preview()).text];
        assert.equal(text, "");
        await balancer().converge();
        assert.equal(await balancer().state(), state);
    });

    it("reloads five times under load without one failed request", async () => {
        const running = await bothLoads(balancer().url);
        const workers = new Set<string>();
        for (const [turn, app] of (["app2", "app1", "app2", "app1", "app2"] as const).entries()) {
            const declared = { app, mark: `turn-${turn}` };
            await balancer().converge(declared);
            assert.equal(await balancer().answer(), `${app} turn-${turn}`);
            workers.add(await balancer().processes());
        }
        const { requests, ...lost } = await running.stop();
        assert.equal(workers.size, 5);
        assert.ok(requests > 1000, `only ${requests} requests`);
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
    });

    it("undoes a manual edit and reload that has kept the digest", async () => {
        await balancer().converge({ app: "app1" });
        await balancer().handEdit();
        assert.equal(await balancer().answer(), "app2");
        assert.match((await balancer().declare().preview()).text, /would repair that and reload/);
        await balancer().converge();
        assert.equal(await balancer().answer(), "app1");
        assert.equal((await balancer().declare().preview()).text, "");
    });

    it("does not accept the old process's digest as proof", async () => {
        await balancer().converge({ app: "app1" });
        await balancer().handEdit();
        // Loses a reload. The test waits for a shorter time than a host, but for more than a second: the restored file must be newer than
        // the process, and times are compared in seconds.
        const lost = redefine("haproxy_activate() { :; }\nhaproxy_reason() { :; }");
        const { code, stderr } = await balancer()
            .declare()
            .up((body) => lost(body).replaceAll("haproxy_start_limit=75", "haproxy_start_limit=2"));
        assert.equal(code, 1);
        assert.match(stderr, /no new worker has started/);
        await balancer().converge();
        assert.equal(await balancer().answer(), "app1");
    });

    it("reloads a process that was started meanwhile with the old files", async () => {
        await balancer().converge({ mark: "before" });
        await balancer().shell("systemctl stop haproxy");
        const { code, stderr } = await balancer()
            .declare({ mark: "after" })
            .up(atStart("transaction_commit", "systemctl start haproxy"));
        assert.equal(code, 0, stderr);
        assert.match(stderr, /start \(it is not running\)/);
        assert.equal(await balancer().answer(), "app1 after");
    });

    it("restarts if a reload is not enough, and announces it", async () => {
        await balancer().converge();
        await balancer().shell('prlimit --pid "$(systemctl show -p MainPID --value haproxy)" --nofile=3300:3300');
        const more = { global: { maxconn: 1500 } };
        const { text } = await balancer().declare(more).preview();
        assert.match(text, /would repair that and restart/);
        assert.match(text, /restart: the running process is limited to 3300 file descriptors, 4004 are needed/);
        const before = await balancer().processes();
        await balancer().converge(more);
        assert.notEqual((await balancer().processes()).split(" ")[0], before.split(" ")[0]);
        const limits = await balancer().shell('cat "/proc/$(systemctl show -p MainPID --value haproxy)/limits"');
        assert.ok(Number(/Max open files +(\d+)/.exec(limits)?.[1]) >= 4004, limits);
        await balancer().converge();
    });

    it("keeps the last proven files as last good", async () => {
        const kept = "cat /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg";
        await balancer().converge({ mark: "kept" });
        const proven = await balancer().shell("cat /etc/haproxy/haproxy.cfg");
        assert.equal(await balancer().shell(kept), proven);
        const broken = redefine("haproxy_prove() { echo not proven; return 1; }");
        const { code } = await balancer().declare({ mark: "never" }).up(broken);
        assert.equal(code, 1);
        assert.equal(await balancer().shell(kept), proven);
        assert.equal(await balancer().shell("cat /etc/haproxy/haproxy.cfg"), proven);
    });

    it("keeps the last good until the next one is complete, and completes it without a reload", async () => {
        const kept = "cat /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg";
        await balancer().converge({ mark: "before" });
        const proven = await balancer().shell(kept);
        const full = redefine(
            'cp() { case $* in */last-good/*) echo "No space left on device"; return 1 ;; esac; command cp "$@"; }',
        );
        const { code, stderr } = await balancer().declare({ mark: "after" }).up(full);
        assert.equal(code, 1);
        assert.match(stderr, /the disk is full/);
        assert.equal(await balancer().shell(kept), proven);
        assert.match(
            (await balancer().declare({ mark: "after" }).preview()).text,
            /an earlier converge did not finish/,
        );
        const processes = await balancer().processes();
        await balancer().converge({ mark: "after" });
        assert.equal(await balancer().processes(), processes);
        assert.match(await balancer().shell(kept), /X-Mark after/);
    });

    it("reads the digest of a version before 2.4 from the description", async () => {
        await balancer().converge({ version: "2.2", app: "app2" });
        assert.match(await balancer().shell("cat /etc/haproxy/haproxy.cfg"), /^ {4}description [0-9a-f]{64}$/m);
        assert.equal((await balancer().declare({ version: "2.2", app: "app2" }).preview()).text, "");
        const before = await balancer().processes();
        await balancer().converge({ version: "2.2", app: "app2" });
        assert.equal(await balancer().processes(), before);
        await balancer().shell("sed -i 's/app2/x/' /etc/haproxy/haproxy.cfg && systemctl restart haproxy");
        await balancer().converge({ version: "2.2", app: "app1" });
        assert.equal(await balancer().answer(), "app1");
    });

    it("ignores an old worker that still has a connection", async () => {
        const young = { mark: "young", raw: patient };
        await balancer().converge({ mark: "old", raw: patient });
        const client = await balancer().hold();
        await balancer().converge(young);
        assert.match(await balancer().master("show proc"), /# old workers\n\d+/);
        assert.equal((await balancer().declare(young).preview()).text, "");
        client.destroy();
    });
}

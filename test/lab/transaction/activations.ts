import assert from "node:assert/strict";
import { redefine } from "../../support/converge";
import { atStart } from "./edit";
import { bothLoads } from "./load";
import { patient, type Subject } from "./subject";

/** Reloads, restarts and starts, and their proofs. */
export function activations(subject: () => Subject): void {
    before(() => subject().converge());

    it("changes and reloads nothing the second time", async () => {
        const [state, text] = [await subject().state(), (await subject().declare().preview()).text];
        assert.equal(text, "");
        await subject().converge();
        assert.equal(await subject().state(), state);
    });

    it("reloads five times under load without one failed request", async () => {
        const running = await bothLoads(subject().url);
        const workers = new Set<string>();
        for (const [turn, app] of (["app2", "app1", "app2", "app1", "app2"] as const).entries()) {
            const declared = { app, mark: `turn-${turn}` };
            await subject().converge(declared);
            assert.equal(await subject().answer(), `${app} turn-${turn}`);
            workers.add(await subject().processes());
        }
        const { requests, ...lost } = await running.stop();
        assert.equal(workers.size, 5);
        assert.ok(requests > 1000, `only ${requests} requests`);
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
    });

    it("undoes a manual edit and reload that has kept the digest", async () => {
        await subject().converge({ app: "app1" });
        await subject().handEdit();
        assert.equal(await subject().answer(), "app2");
        assert.match((await subject().declare().preview()).text, /would repair that and reload/);
        await subject().converge();
        assert.equal(await subject().answer(), "app1");
        assert.equal((await subject().declare().preview()).text, "");
    });

    it("does not accept the old process's digest as proof", async () => {
        await subject().converge({ app: "app1" });
        await subject().handEdit();
        // Loses a reload. The test waits for a shorter time than a host.
        const lost = redefine("haproxy_activate() { :; }\nhaproxy_reason() { :; }");
        const { code, stderr } = await subject()
            .declare()
            .up((body) => lost(body).replaceAll("haproxy_start_limit=75", "haproxy_start_limit=1"));
        assert.equal(code, 1);
        assert.match(stderr, /no new worker has started/);
        await subject().converge();
        assert.equal(await subject().answer(), "app1");
    });

    it("reloads a process that was started meanwhile with the old files", async () => {
        await subject().converge({ mark: "before" });
        await subject().shell("systemctl stop haproxy");
        const { code, stderr } = await subject()
            .declare({ mark: "after" })
            .up(atStart("transaction_commit", "systemctl start haproxy"));
        assert.equal(code, 0, stderr);
        assert.match(stderr, /start \(it does not run\)/);
        assert.equal(await subject().answer(), "app1 after");
    });

    it("restarts if a reload is not enough, and announces it", async () => {
        await subject().converge();
        await subject().shell('prlimit --pid "$(systemctl show -p MainPID --value haproxy)" --nofile=3300:3300');
        const more = { global: { maxconn: 1500 } };
        const { text } = await subject().declare(more).preview();
        assert.match(text, /would repair that and restart/);
        assert.match(text, /restart: the running process is limited to 3300 file descriptors, 4004 are needed/);
        const before = await subject().processes();
        await subject().converge(more);
        assert.notEqual((await subject().processes()).split(" ")[0], before.split(" ")[0]);
        const limits = await subject().shell('cat "/proc/$(systemctl show -p MainPID --value haproxy)/limits"');
        assert.ok(Number(/Max open files +(\d+)/.exec(limits)?.[1]) >= 4004, limits);
        await subject().converge();
    });

    it("keeps the last proven files as last good", async () => {
        const kept = "cat /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg";
        await subject().converge({ mark: "kept" });
        const proven = await subject().shell("cat /etc/haproxy/haproxy.cfg");
        assert.equal(await subject().shell(kept), proven);
        const broken = redefine("haproxy_prove() { echo not proven; return 1; }");
        const { code } = await subject().declare({ mark: "never" }).up(broken);
        assert.equal(code, 1);
        assert.equal(await subject().shell(kept), proven);
        assert.equal(await subject().shell("cat /etc/haproxy/haproxy.cfg"), proven);
    });

    it("keeps the last good until the next one is complete, and completes it without a reload", async () => {
        const kept = "cat /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg";
        await subject().converge({ mark: "before" });
        const proven = await subject().shell(kept);
        const full = redefine(
            'cp() { case $* in */last-good/*) echo "No space left on device"; return 1 ;; esac; command cp "$@"; }',
        );
        const { code, stderr } = await subject().declare({ mark: "after" }).up(full);
        assert.equal(code, 1);
        assert.match(stderr, /the disk is full/);
        assert.equal(await subject().shell(kept), proven);
        assert.match((await subject().declare({ mark: "after" }).preview()).text, /an earlier converge did not finish/);
        const processes = await subject().processes();
        await subject().converge({ mark: "after" });
        assert.equal(await subject().processes(), processes);
        assert.match(await subject().shell(kept), /X-Mark after/);
    });

    it("reads the digest of a version before 2.4 from the description", async () => {
        await subject().converge({ version: "2.2", app: "app2" });
        assert.match(await subject().shell("cat /etc/haproxy/haproxy.cfg"), /^ {4}description [0-9a-f]{64}$/m);
        assert.equal((await subject().declare({ version: "2.2", app: "app2" }).preview()).text, "");
        const before = await subject().processes();
        await subject().converge({ version: "2.2", app: "app2" });
        assert.equal(await subject().processes(), before);
        await subject().shell("sed -i 's/app2/x/' /etc/haproxy/haproxy.cfg && systemctl restart haproxy");
        await subject().converge({ version: "2.2", app: "app1" });
        assert.equal(await subject().answer(), "app1");
    });

    it("ignores an old worker that still has a connection", async () => {
        const young = { mark: "young", raw: patient };
        await subject().converge({ mark: "old", raw: patient });
        const client = await subject().hold();
        await subject().converge(young);
        assert.match(await subject().master("show proc"), /# old workers\n\d+/);
        assert.equal((await subject().declare(young).preview()).text, "");
        client.destroy();
    });
}

import assert from "node:assert/strict";
import { redefine } from "../../support/converge";
import { atStart } from "./edit";
import { bothLoads } from "./load";
import { type LoadBalancerHost, patient } from "./loadBalancerHost";

/** Reloads, restarts and starts, and their proofs. */
export function activations(loadBalancer: () => LoadBalancerHost): void {
    before(() => loadBalancer().converge());

    it("changes and reloads nothing the second time", async () => {
        const [state, text] = [await loadBalancer().state(), (await loadBalancer().declare().preview()).text];
        assert.equal(text, "");
        await loadBalancer().converge();
        assert.equal(await loadBalancer().state(), state);
    });

    it("reloads five times under load without one failed request", async () => {
        const running = await bothLoads(loadBalancer().url);
        const workers = new Set<string>();
        for (const [turn, app] of (["app2", "app1", "app2", "app1", "app2"] as const).entries()) {
            const declared = { app, mark: `turn-${turn}` };
            await loadBalancer().converge(declared);
            assert.equal(await loadBalancer().answer(), `${app} turn-${turn}`);
            workers.add(await loadBalancer().processes());
        }
        const { requests, ...lost } = await running.stop();
        assert.equal(workers.size, 5);
        assert.ok(requests > 1000, `only ${requests} requests`);
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
    });

    it("undoes a manual edit and reload that has kept the digest", async () => {
        await loadBalancer().converge({ app: "app1" });
        await loadBalancer().handEdit();
        assert.equal(await loadBalancer().answer(), "app2");
        assert.match((await loadBalancer().declare().preview()).text, /would converge it and reload/);
        await loadBalancer().converge();
        assert.equal(await loadBalancer().answer(), "app1");
        assert.equal((await loadBalancer().declare().preview()).text, "");
    });

    it("does not accept the old process's digest as proof", async () => {
        await loadBalancer().converge({ app: "app1" });
        await loadBalancer().handEdit();
        // Loses a reload. The test waits for a shorter time than a host, but for more than a second: the restored file must be newer than
        // the process, and times are compared in seconds.
        const lost = redefine("haproxy_activate() { :; }\nhaproxy_reason() { :; }");
        const { code, stderr } = await loadBalancer()
            .declare()
            .up((body) => lost(body).replaceAll("haproxy_start_limit=75", "haproxy_start_limit=2"));
        assert.equal(code, 1);
        assert.match(stderr, /no new worker has started/);
        await loadBalancer().converge();
        assert.equal(await loadBalancer().answer(), "app1");
    });

    it("reloads a process that was started meanwhile with the old files", async () => {
        await loadBalancer().converge({ mark: "before" });
        await loadBalancer().shell("systemctl stop haproxy");
        const { code, stderr } = await loadBalancer()
            .declare({ mark: "after" })
            .up(atStart("transaction_commit", "systemctl start haproxy"));
        assert.equal(code, 0, stderr);
        assert.match(stderr, /start \(it is not running\)/);
        assert.equal(await loadBalancer().answer(), "app1 after");
    });

    it("starts a process that has ended before its reload", async () => {
        await loadBalancer().converge({ mark: "before" });
        const before = await loadBalancer().processes();
        const { code, stderr } = await loadBalancer()
            .declare({ mark: "after" })
            .up(atStart("haproxy_activate", "systemctl stop haproxy"));
        assert.equal(code, 0, stderr);
        assert.match(stderr, /reload \(no connection is lost\)/);
        assert.equal(await loadBalancer().answer(), "app1 after");
        assert.notEqual((await loadBalancer().processes()).split(" ")[0], before.split(" ")[0]);
    });

    it("raises a limit that only a restart can raise when that is allowed, and announces it", async () => {
        await loadBalancer().converge();
        const dropIn = "/etc/systemd/system/haproxy.service.d/20-low.conf";
        await loadBalancer().shell(`
            printf '[Service]\\nLimitNOFILE=3300\\n' >${dropIn}
            systemctl daemon-reload && systemctl restart haproxy
            rm ${dropIn} && systemctl daemon-reload`);
        const before = await loadBalancer().processes();
        const more = { global: { maxconn: 1500 } };
        const answer = await loadBalancer().declare(more).preview();
        assert.ok(answer.refused);
        assert.match(
            answer.text,
            /pending: the running process may have 3300 file descriptors, maxconn needs 4004, and only a restart/,
        );
        assert.match(
            answer.text,
            /npm run pulumi -- up --config restart=now \(in a program of your own: restart: "now"\)/,
        );
        const refused = await loadBalancer().declare(more).up();
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, /pending: the running process may have 3300 file descriptors/);
        assert.equal(await loadBalancer().processes(), before);
        const allowed = loadBalancer().declare(more, undefined, { restart: "now" });
        assert.match((await allowed.preview()).text, /would converge it and restart/);
        assert.match(
            (await allowed.preview()).text,
            /restart: the running process is limited to 3300 file descriptors, 4004 are needed/,
        );
        assert.deepEqual((await allowed.whyRun()).settings, [{ name: "restart", needed: true }]);
        const { code, stderr } = await allowed.up();
        assert.equal(code, 0, stderr);
        assert.notEqual((await loadBalancer().processes()).split(" ")[0], before.split(" ")[0]);
        const limits = await loadBalancer().shell('cat "/proc/$(systemctl show -p MainPID --value haproxy)/limits"');
        assert.ok(Number(/Max open files +(\d+)/.exec(limits)?.[1]) >= 4004, limits);
        assert.deepEqual((await allowed.whyRun()).settings, [{ name: "restart", needed: false }]);
        await loadBalancer().converge();
    });

    it("keeps the last proven files as last good", async () => {
        const kept = "cat /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg";
        await loadBalancer().converge({ mark: "kept" });
        const proven = await loadBalancer().shell("cat /etc/haproxy/haproxy.cfg");
        assert.equal(await loadBalancer().shell(kept), proven);
        const broken = redefine("haproxy_prove() { echo not proven; return 1; }");
        const { code } = await loadBalancer().declare({ mark: "never" }).up(broken);
        assert.equal(code, 1);
        assert.equal(await loadBalancer().shell(kept), proven);
        assert.equal(await loadBalancer().shell("cat /etc/haproxy/haproxy.cfg"), proven);
    });

    it("keeps the last good until the next one is complete, and completes it without a reload", async () => {
        const kept = "cat /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg";
        await loadBalancer().converge({ mark: "before" });
        const proven = await loadBalancer().shell(kept);
        const full = redefine(
            'cp() { case $* in */last-good/*) echo "No space left on device"; return 1 ;; esac; command cp "$@"; }',
        );
        const { code, stderr } = await loadBalancer().declare({ mark: "after" }).up(full);
        assert.equal(code, 1);
        assert.match(stderr, /the disk is full/);
        assert.equal(await loadBalancer().shell(kept), proven);
        assert.match(
            (await loadBalancer().declare({ mark: "after" }).preview()).text,
            /an earlier converge did not finish/,
        );
        const processes = await loadBalancer().processes();
        await loadBalancer().converge({ mark: "after" });
        assert.equal(await loadBalancer().processes(), processes);
        assert.match(await loadBalancer().shell(kept), /X-Mark after/);
    });

    it("reads the digest of a version before 2.4 from the description", async () => {
        await loadBalancer().converge({ version: "2.2", app: "app2" });
        assert.match(await loadBalancer().shell("cat /etc/haproxy/haproxy.cfg"), /^ {4}description [0-9a-f]{64}$/m);
        assert.equal((await loadBalancer().declare({ version: "2.2", app: "app2" }).preview()).text, "");
        const before = await loadBalancer().processes();
        await loadBalancer().converge({ version: "2.2", app: "app2" });
        assert.equal(await loadBalancer().processes(), before);
        await loadBalancer().shell("sed -i 's/app2/x/' /etc/haproxy/haproxy.cfg && systemctl restart haproxy");
        await loadBalancer().converge({ version: "2.2", app: "app1" });
        assert.equal(await loadBalancer().answer(), "app1");
    });

    it("ignores an old worker that still has a connection", async () => {
        const young = { mark: "young", raw: patient };
        await loadBalancer().converge({ mark: "old", raw: patient });
        const client = await loadBalancer().hold();
        await loadBalancer().converge(young);
        assert.match(await loadBalancer().master("show proc"), /# old workers\n\d+/);
        assert.equal((await loadBalancer().declare(young).preview()).text, "");
        client.destroy();
    });
}

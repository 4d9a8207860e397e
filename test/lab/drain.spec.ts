import assert from "node:assert/strict";
import type { Bind, HaproxyConfig } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { EchoServer, Session } from "../support/echoSessions";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { atStart } from "./transaction/edit";
import { repair } from "./transaction/faults";
import { LoadBalancerHost, squat } from "./transaction/loadBalancerHost";

describeLab("the drain of a server that is removed", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const loadBalancer = () => new LoadBalancerHost(lab());
    let apps: EchoServer[];
    let sessions: Session[];

    beforeEach(async () => {
        sessions = [];
        apps = await Promise.all(["app1", "app2", "app3"].map((name) => EchoServer.start(name, lab().gateway)));
        await converge("10s", ["app1", "app2"]);
        await state("app1", "UP");
        await state("app2", "UP");
    });

    afterEach(async () => {
        for (const session of sessions) session.end();
        for (const app of apps) app.stop();
        await loadBalancer().shell(repair);
    });

    function configOf(drain: string, names: string[], binds: Bind[] = []): HaproxyConfig {
        return {
            version: "2.6",
            global: { maxconn: 1000 },
            frontends: [{ name: "in", mode: "tcp", binds: [{ port: 7000 }, ...binds], defaultBackend: "app" }],
            backends: [
                {
                    name: "app",
                    mode: "tcp",
                    drain,
                    // A late check does not mark a server down. Three refused ones do, within 1.5 s.
                    defaultServer: { inter: "500ms", fall: 3, rise: 1 },
                    servers: apps
                        .filter(({ name }) => names.includes(name))
                        .map(({ name, address, port }) => ({ name, address, port })),
                },
            ],
        };
    }

    function declare(...config: Parameters<typeof configOf>): Convergence {
        return new Convergence(sshTargetOf(lab(), loadBalancer().host), haproxy(configOf(...config)));
    }

    async function converge(drain: string, names: string[]): Promise<string> {
        const { code, stderr } = await declare(drain, names).up();
        assert.equal(code, 0, stderr);
        return stderr;
    }

    /** Opens sessions until one is with this server. */
    async function sessionWith(name: string): Promise<Session> {
        for (let n = 0; n < 10; n++) {
            const { session, server } = await open();
            if (server === name) return session;
            session.end();
        }
        throw new Error(`no session with ${name}`);
    }

    async function open(): Promise<{ session: Session; server: string }> {
        const opened = await Session.open(loadBalancer().host.address, 7000);
        sessions.push(opened.session);
        return opened;
    }

    /** Waits until the running process reports this about a server. */
    const state = (name: string, word: string) =>
        until(`${name} is ${word}`, async () =>
            (await loadBalancer().master("@1 show stat -1 4 -1")).split("\n").some((line) => {
                const columns = line.split(",");
                return columns[1] === name && (columns[17] ?? "").startsWith(word);
            }),
        );

    it("waits for its sessions, gives it no new ones, and is announced in the preview", async () => {
        const held = await sessionWith("app2");
        const worker = await loadBalancer().processes();
        const { text } = await declare("5m", ["app1"]).preview();
        assert.match(text, /reload: no connection is lost; first drains app\/app2, up to 300 s/);
        const up = declare("5m", ["app1"]).up();
        await state("app2", "DRAIN");
        for (let n = 0; n < 4; n++) assert.equal((await open()).server, "app1");
        await held.echo("still there");
        assert.equal(await loadBalancer().processes(), worker);
        held.end();
        const { code, stderr } = await up;
        assert.equal(code, 0, stderr);
        assert.match(stderr, /draining, sessions left: app\/app2 1\n/);
        assert.doesNotMatch(stderr, /not drained/);
        assert.notEqual(await loadBalancer().processes(), worker);
        assert.equal((await declare("5m", ["app1"]).preview()).text, "");
    });

    it("ends after its time limit, and the remaining sessions go on", async () => {
        const held = await sessionWith("app2");
        const stderr = await converge("1s", ["app1"]);
        assert.match(stderr, /not drained in time, the old worker keeps these sessions: app\/app2 1\n/);
        await held.echo("still there");
    });

    it("takes no longer than the converge's own deadline allows", async () => {
        await sessionWith("app2");
        const draining = declare("60s", ["app1"]);
        draining.resources.unshift({ kind: "execute", name: "late", command: "sleep 4", notIf: "false" });
        // Waits end two minutes before the deadline, which is here while the command runs.
        const { code, stderr } = await draining.up(undefined, 123);
        assert.equal(code, 0, stderr);
        assert.match(stderr, /not drained in time, the old worker keeps these sessions: app\/app2 1\n/);
        assert.doesNotMatch(stderr, /draining, sessions left/);
    });

    it("does not wait for a server that is down", async () => {
        const held = await sessionWith("app2");
        apps.find(({ name }) => name === "app2")?.refuse();
        await state("app2", "DOWN");
        assert.doesNotMatch(await converge("10m", ["app1"]), /drain/);
        await held.echo("still there");
    });

    it("stops waiting for a server that goes down meanwhile", async () => {
        await sessionWith("app2");
        const up = declare("10m", ["app1"]).up();
        await state("app2", "DRAIN");
        apps.find(({ name }) => name === "app2")?.refuse();
        const { code, stderr } = await up;
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /not drained/);
    });

    it("does not drain the last server that works", async () => {
        await sessionWith("app2");
        assert.doesNotMatch((await declare("10m", ["app3"]).preview()).text, /drain/);
        assert.doesNotMatch(await converge("10m", ["app3"]), /drain/);
        assert.equal((await open()).server, "app3");
    });

    /** Kills a converge while it drains. */
    async function killed(): Promise<void> {
        const up = declare("10m", ["app1"]).up();
        await state("app2", "DRAIN");
        await loadBalancer().shell("systemctl kill -s KILL haproxy-fleet-converge.service");
        assert.notEqual((await up).code, 0);
    }

    it("is completed by the next run if the converge is killed", async () => {
        const held = await sessionWith("app2");
        await killed();
        held.end();
        const stderr = await converge("60s", ["app1"]);
        assert.match(stderr, /reload/);
        assert.equal((await declare("60s", ["app1"]).preview()).text, "");
        assert.doesNotMatch(await loadBalancer().master("@1 show stat -1 4 -1"), /app2/);
    });

    it("is undone if the converge is killed and the server stays after all", async () => {
        await sessionWith("app2");
        await killed();
        assert.match((await declare("60s", ["app1", "app2"]).preview()).text, /reload/);
        await converge("60s", ["app1", "app2"]);
        await state("app2", "UP");
        await sessionWith("app2");
    });

    it("is undone if the converge is killed, even if the files and the process are as declared again", async () => {
        await sessionWith("app2");
        await killed();
        await loadBalancer().shell("cp -a /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg /etc/haproxy/");
        const both = declare("10m", ["app1", "app2"]);
        const { text } = await both.preview();
        assert.match(text, /an earlier converge did not finish/);
        assert.match(text, /no reload/);
        assert.doesNotMatch(text, /content differs/);
        assert.equal((await both.up()).code, 0);
        await state("app2", "UP");
        assert.equal((await both.preview()).text, "");
    });

    it("is not undone for a server that was put into maintenance since the converge was killed", async () => {
        await sessionWith("app2");
        await killed();
        await loadBalancer().master("@1 set server app/app2 state maint");
        await converge("60s", ["app1", "app2"]);
        await state("app2", "MAINT");
        assert.match(
            (await declare("60s", ["app1", "app2"]).whyRun()).warnings.join(),
            /set by hand: app\/app2 in maint/,
        );
        await loadBalancer().master("@1 set server app/app2 state ready");
    });

    it("is undone by the next run, even if that is refused", async () => {
        await sessionWith("app2");
        await killed();
        const refused = declare("60s", ["app1", "app2"]);
        refused.resources = haproxy({ ...configOf("60s", ["app1", "app2"]), defaults: { raw: ["nonsense"] } });
        assert.equal((await refused.up()).code, 1);
        await state("app2", "UP");
    });

    it("is not handed over by a reload by hand, if the converge is killed and the server stays", async () => {
        await sessionWith("app2");
        await killed();
        await loadBalancer().shell(`
            cp -a /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg /etc/haproxy/
            systemctl reload haproxy`);
        await state("app2", "UP");
        const both = declare("10m", ["app1", "app2"]);
        assert.deepEqual((await both.whyRun()).warnings, []);
        assert.equal((await both.preview()).text, "");
    });

    it("leaves a server as it is that was drained by hand", async () => {
        await loadBalancer().master("@1 set server app/app2 state drain");
        const failing = await declare("1s", ["app1"], [{ port: 8081 }]).up(
            atStart("haproxy_activate", squat("0.0.0.0:8081")),
        );
        assert.equal(failing.code, 1, failing.stderr);
        await state("app2", "DRAIN");
        await loadBalancer().master("@1 set server app/app2 state ready");
    });

    it("is undone if the reload fails", async () => {
        const { code, stderr } = await declare("1s", ["app1"], [{ port: 8081 }]).up(
            atStart("haproxy_activate", squat("0.0.0.0:8081")),
        );
        assert.equal(code, 1, stderr);
        assert.match(stderr, /first drains app\/app2/);
        await state("app2", "UP");
        await sessionWith("app2");
    });
});

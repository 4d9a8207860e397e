import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { hostRequirements } from "../../components/haproxy/host/requirements";
import type { HaproxyConfig, Server } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import { AppServer } from "../support/appServer";
import { Convergence } from "../support/converge";
import { EchoServer, Session } from "../support/echoSessions";
import { H2Load } from "../support/h2Load";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { bothLoads } from "./transaction/load";
import { LoadBalancerHost } from "./transaction/loadBalancerHost";

const CHANGES = 20;

/** What the tests vary of the declared configuration. */
interface Turn {
    servers: readonly { name: string; address: string; port: number }[];
    mark: string;
    maxconn?: number;
}

describeLab("load during changes", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const loadBalancer = () => new LoadBalancerHost(lab());
    const address = () => loadBalancer().host.address;
    let echo: EchoServer;
    let apps: AppServer[];

    before(async () => {
        echo = await EchoServer.start("echo", lab().gateway);
        apps = await Promise.all(["app1", "app2", "app3"].map((name) => AppServer.start(name, lab().gateway)));
    });
    after(() => {
        echo?.stop();
        for (const app of apps ?? []) app.stop();
    });

    function config({ servers, mark, maxconn = 2000 }: Turn): HaproxyConfig {
        const places = servers.map(({ name, address, port }): Server => ({ name, address, port }));
        return {
            version: "2.6",
            global: { maxconn },
            // Clients and servers share one process, which may pause for longer than HAProxy's usual timeouts.
            defaults: {
                timeouts: { connect: "1m", client: "10m", server: "10m", httpRequest: "10m", httpKeepAlive: "10m" },
            },
            frontends: [
                { name: "web", binds: [{ port: 80 }, { port: 81, raw: "proto h2" }], defaultBackend: "app" },
                { name: "tcp", mode: "tcp", binds: [{ port: 7000 }], defaultBackend: "echo" },
            ],
            backends: [
                { name: "app", drain: "5s", raw: [`http-response set-header X-Mark ${mark}`], servers: places },
                {
                    name: "echo",
                    mode: "tcp",
                    servers: [{ name: echo.name, address: echo.address, port: echo.port }],
                },
            ],
        };
    }

    async function converge(turn: Turn): Promise<string> {
        const run = new Convergence(sshTargetOf(lab(), loadBalancer().host), haproxy(config(turn)));
        const { code, stderr } = await run.up();
        assert.equal(code, 0, stderr);
        return stderr;
    }

    async function oldWorkers(): Promise<number> {
        const [, old = ""] = (await loadBalancer().master("show proc")).split("# old workers\n");
        return (old.split("# programs")[0] ?? "").split("\n").filter((line) => /^\d/.test(line)).length;
    }

    it(`loses no request and no session in ${CHANGES} changes`, async function () {
        const [app1, app2, app3] = apps as [AppServer, AppServer, AppServer];
        await converge({ servers: [app1, app2], mark: "first" });
        const sessions = [
            (await Session.open(address(), 7000)).session,
            await Session.upgrade(address(), 80),
            await Session.upgrade(address(), 80),
        ];
        const downloads = [download(address()), download(address())];
        const load = await bothLoads(loadBalancer().url);
        const h2 = new H2Load(`http://${address()}:81`, 10);
        for (let n = 0; n < CHANGES; n++) {
            const servers = n % 2 === 0 ? [app1, app2, app3] : [app1, app2];
            const said = await converge({ servers, mark: `turn-${n}` });
            assert.match(said, n % 2 === 0 ? /reload/ : /reload \(.*first drains app\/app3/);
            assert.ok((await oldWorkers()) <= 6, "old workers pile up");
            for (const session of sessions) await session.echo(`after turn ${n}`);
        }
        const { requests, ...lost } = await load.stop();
        const { answered, repeated, failures } = await h2.stop();
        for (const app of apps) app.finish();
        const received = (await Promise.all(downloads)).reduce((sum, bytes) => sum + bytes, 0);
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
        assert.ok(requests > 1000, `only ${requests} requests`);
        assert.deepEqual(failures, []);
        assert.ok(answered > 1000, `only ${answered} requests by HTTP/2`);
        if (this.test && repeated > 0) this.test.title += ` (HTTP/2: ${repeated} repeated)`;
        assert.ok(received > 0);
        assert.equal(
            received,
            apps.reduce((sum, { sent }) => sum + sent, 0),
        );
        for (const session of sessions) session.end();
        await until("no old worker is left", async () => (await oldWorkers()) === 0);
    });

    it("holds as many connections as the machine allows through a reload", async function () {
        // Each connection takes two descriptors here and two in HAProxy, which both have limits. Some are left for everything else.
        const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
        let count = Math.min(9_900, Math.floor((limit - 400) / 2));
        while (hostRequirements(config({ servers: apps, mark: "", maxconn: count + 10 })).fileDescriptors > limit)
            count--;
        const turn = { servers: apps, maxconn: count + 10 };
        await converge({ ...turn, mark: "before" });
        const sessions: Session[] = [];
        try {
            while (sessions.length < count) {
                const some = Array.from({ length: Math.min(100, count - sessions.length) }, () =>
                    Session.open(address(), 7000),
                );
                for (const { session } of await Promise.all(some)) sessions.push(session);
            }
            const worker = await loadBalancer().processes();
            await converge({ ...turn, mark: "after" });
            assert.notEqual(await loadBalancer().processes(), worker);
            for (let n = 0; n < count; n += 100)
                await Promise.all(sessions.slice(n, n + 100).map((session) => session.echo("still there")));
            const { session: another } = await Session.open(address(), 7000);
            await another.echo("a new one");
            another.end();
        } finally {
            for (const session of sessions) session.end();
        }
        await until("no old worker is left", async () => (await oldWorkers()) === 0);
        if (this.test) this.test.title += ` (${count})`;
    });
});

/** Bytes that a download has received, once it has ended. */
function download(host: string): Promise<number> {
    return new Promise((resolve, reject) => {
        const asked = get({ host, port: 80, path: "/download", agent: false }, (answer) => {
            let bytes = 0;
            answer.on("data", (piece: Buffer) => {
                bytes += piece.length;
            });
            answer.on("end", () => resolve(bytes));
            answer.on("error", reject);
        });
        asked.on("error", reject);
    });
}

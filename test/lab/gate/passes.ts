import assert from "node:assert/strict";
import { nameServer } from "../../support/nameServer";
import { all, checked, type GatedHost, to } from "./gatedHost";
import type { Register } from "./refusals";

/** What the gate lets pass, and without waiting for what cannot change its verdict. */
export function passes(once: Register): void {
    /** Seconds of an up that must succeed. */
    async function seconds(host: GatedHost, declared: Parameters<GatedHost["good"]>[0]): Promise<number> {
        const began = Date.now();
        await host.good(declared);
        return (Date.now() - began) / 1000;
    }

    once("passes a first converge whose servers are down", async (host) => {
        const declared = { backends: [checked("app", to([await host.dead("app1")]))] };
        await host.good(declared);
        assert.match(await host.site(), /^503/);
        assert.equal((await host.declared(declared).preview()).text, "");
    });

    once("passes a new backend that is down beside one that works", async (host) => {
        const apps = await host.serve("app1");
        const good = checked("app", to(apps));
        await host.begin({ backends: [good] });
        await host.good({ backends: [good, checked("soon", to([await host.dead("soon1")]))] });
    });

    once("passes a backend that was down before", async (host) => {
        const apps = await host.serve("app1", "app2");
        const [other] = await host.serve("other");
        assert.ok(other);
        const docs = checked("docs", to([other]));
        await host.begin({ backends: [checked("app", to(apps)), docs] });
        await all(apps, "refused");
        await host.reports("app/app1", /^DOWN/);
        await host.reports("app/app2", /^DOWN/);
        await host.good({ backends: [checked("app", to(apps, { maxconn: 50 })), docs] });
        // With nothing else that works, too.
        await other.become(500);
        await host.reports("docs/other", /^DOWN/);
        await host.good({ backends: [checked("app", to(apps)), docs] });
    });

    once("passes the repair of an edit by hand that took everything down", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        const right = { backends: [checked("app", to(apps))] };
        await host.begin(right);
        const edits = apps.map(({ port }) => `-e s/:${port}/:${none.port}/`).join(" ");
        await host.shell(`sed -i ${edits} /etc/haproxy/haproxy.cfg; systemctl reload haproxy`);
        await host.reports("app/app1", /^DOWN/);
        await host.reports("app/app2", /^DOWN/);
        await host.good(right);
        await host.refused({ backends: [checked("app", to(apps, { port: none.port }))] }, /app1 L4CON/);
    });

    once("passes a backend whose servers are all in maintenance by hand", async (host) => {
        const apps = await host.serve("app1", "app2");
        await host.begin({ backends: [checked("app", to(apps))] });
        for (const { name } of apps) await host.master(`@1 set server app/${name} state maint`);
        await host.good({ backends: [checked("app", to(apps, { maxconn: 50 }))] });
    });

    once("passes a server that was set to maintenance or drain, beside one that works", async (host) => {
        const apps = await host.serve("app1", "app2", "app3");
        await host.begin({ backends: [checked("app", to(apps), { minUp: 1 })] });
        await host.master("@1 set server app/app1 state maint");
        await host.master("@1 set server app/app2 state drain");
        await host.good({ backends: [checked("app", to(apps, { maxconn: 50 }), { minUp: 1 })] });
        assert.equal(await host.site(), "200 app3");
    });

    once("passes a backend whose servers are all declared with weight 0", async (host) => {
        const apps = await host.serve("app1", "app2");
        await host.begin({ backends: [checked("app", to(apps))] });
        await host.good({ backends: [checked("app", to(apps, { weight: 0 }))] });
        await host.good({ backends: [checked("app", to(apps))] });
        assert.match(await host.site(), /^200 app/);
    });

    once("passes servers without checks, though nothing answers", async (host) => {
        const [app] = await host.serve("app1");
        assert.ok(app);
        const backend = (port: number) => ({ name: "app", servers: to([app], { check: false, port }) });
        await host.good({ backends: [backend(app.port)] });
        await host.good({ backends: [backend((await host.dead("none")).port)] });
    });

    once("passes one of two servers with a wrong port, and says so", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        const [first, second] = apps;
        assert.ok(first && second);
        await host.begin({ backends: [checked("app", to(apps))] });
        const half = [...to([first]), ...to([second], { port: none.port })];
        const { stderr } = await host.good({ backends: [checked("app", half)] });
        assert.match(stderr, /\bapp\b.*app2 L4CON/);
    });

    once("passes a renamed backend that works", async (host) => {
        const apps = await host.serve("app1", "app2");
        await host.begin({ backends: [checked("app", to(apps))] });
        await host.good({ backends: [checked("shop", to(apps))] });
        assert.match(await host.site(), /^200 app/);
    });

    once("passes what acceptDown names, for one up", async (host) => {
        const apps = await host.serve("app1");
        const none = await host.dead("none");
        await host.begin({ backends: [checked("app", to(apps))] });
        const wrong = { backends: [checked("app", to(apps, { port: none.port }))] };
        await host.refused(wrong, /app1 L4CON/);
        await host.good({ ...wrong, acceptDown: ["app"] });
        // It is down now, so that the next up needs no setting.
        assert.equal((await host.declared(wrong).preview()).text, "");
        await host.good({ backends: [checked("app", to(apps, { port: none.port, maxconn: 50 }))] });
    });

    once("does not accept that another backend is down", async (host) => {
        const [one, two] = await host.serve("one", "two");
        const none = await host.dead("none");
        assert.ok(one && two);
        await host.begin({ backends: [checked("app", to([one])), checked("docs", to([two]))] });
        await host.refused(
            {
                backends: [
                    checked("app", to([one], { port: none.port })),
                    checked("docs", to([two], { port: none.port })),
                ],
                acceptDown: ["app"],
            },
            /\bdocs\b.*two L4CON/,
        );
    });

    once("does not wait for servers that are down and cannot change the verdict", async (host) => {
        const [good, bad] = await host.serve("good", "bad");
        assert.ok(good && bad);
        const servers = (maxconn: number) => [
            ...to([good], { maxconn }),
            ...to([bad], { maxconn, raw: "downinter 1h" }),
        ];
        await host.begin({ backends: [checked("app", servers(40))] });
        await bad.become(500);
        await host.reports("app/bad", /^DOWN/);
        const time = await seconds(host, { backends: [checked("app", servers(50))] });
        assert.ok(time < 8, `${time} s`);
    });

    once("passes servers that only an agent checks", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        // An agent that does not answer changes nothing.
        const agent = `agent-check agent-port ${none.port}`;
        const backend = (maxconn: number) => ({
            name: "app",
            servers: to(apps, { maxconn, check: false, raw: agent }),
        });
        await host.good({ backends: [backend(40)] });
        await host.good({ backends: [backend(50)] });
        assert.match(await host.site(), /^200 app/);
    });

    once("does not wait for checks that come once an hour", async (host) => {
        const apps = await host.serve("app1", "app2");
        const backends = (maxconn: number) => [
            checked("app", to(apps, { maxconn })),
            { name: "seldom", servers: to(apps, { maxconn, inter: "1h" }) },
        ];
        await host.good({ backends: backends(40) });
        const time = await seconds(host, { backends: backends(50) });
        assert.ok(time < 35, `${time} s`);
    });

    once("passes servers of a template, whose name resolves only after the reload", async (host) => {
        const [app] = await host.serve("app1");
        assert.ok(app);
        const dns = await nameServer(host.lab.gateway, { "app.test": app.address });
        const place = { fqdn: "app.test", port: app.port, resolvers: "dns", initAddr: "none" };
        const found = (maxconn: number) =>
            checked("found", [], { serverTemplates: [{ prefix: "s", count: 2, ...place, maxconn }] });
        const nameservers = [{ name: "one", address: host.lab.gateway, port: dns.port }];
        const more = { resolvers: [{ name: "dns", nameservers }] };
        try {
            await host.good({ backends: [found(40)], more });
            await host.reports("found/s1", /^UP$/);
            await host.good({ backends: [found(50)], more });
            await host.reports("found/s1", /^UP$/);
        } finally {
            dns.close();
        }
    });

    once("passes unresolved servers of a template", async (host) => {
        const apps = await host.serve("app1");
        const template = (maxconn: number) => ({
            name: "found",
            serverTemplates: [
                {
                    prefix: "s",
                    count: 5,
                    fqdn: "app.example.invalid",
                    port: 80,
                    resolvers: "dns",
                    initAddr: "none",
                    maxconn,
                },
            ],
            servers: [],
        });
        const more = {
            resolvers: [{ name: "dns", nameservers: [{ name: "none", address: host.lab.gateway, port: 9 }] }],
        };
        await host.good({ backends: [checked("app", to(apps)), template(40)], more });
        await host.good({ backends: [checked("app", to(apps)), template(50)], more });
    });
}

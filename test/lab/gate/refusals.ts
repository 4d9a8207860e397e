import assert from "node:assert/strict";
import type { Server } from "../../../components/haproxy/model";
import { watchPage } from "../../support/outage";
import { all, atGate, checked, type GatedHost, HOLD, QUICK, to } from "./gatedHost";

/** Registers a test; see `pool`. */
export type Register = (title: string, test: (host: GatedHost) => Promise<unknown>) => void;

/** What the gate restores. */
export function refusals(onEach: Register, once: Register): void {
    onEach("restores a service whose port nothing listens on, and passes the corrected one", async (host) => {
        const apps = await host.serve("app1", "app2");
        const wrong = { backends: [checked("app", to(apps, { port: (await host.dead("none")).port }))] };
        await host.begin({ backends: [checked("app", to(apps))] });
        const announced = (await host.declared(wrong).preview()).text;
        assert.match(announced, /reload/);

        const watch = watchPage(host.host.address);
        const stderr = await host.refused(wrong, /\bapp\b.*\bapp1 L4CON, app2 L4CON/);
        assert.match(await host.site(), /^200 app/);
        const outage = await watch.stop();
        assert.ok(watch.failed > 0, "no request met the wrong port");
        assert.ok(outage < 10, `${outage} s without an answer`);
        assert.doesNotMatch(stderr, /not the cause/);

        assert.equal((await host.declared(wrong).preview()).text, announced);
        const corrected = { backends: [checked("app", to([...apps, ...(await host.serve("app3"))]))] };
        await host.good(corrected);
        assert.equal((await host.declared(corrected).preview()).text, "");
    });

    onEach("restores a check with a wrong path, though the servers' addresses are unchanged", async (host) => {
        const apps = await host.serve("app1", "app2");
        await host.begin({ backends: [checked("app", to(apps))] });
        await host.refused(
            { backends: [checked("app", to(apps), { httpchk: { uri: "/wrong" } })] },
            /\bapp\b.*\bapp1 L7STS(\/404)?, app2 L7STS(\/404)?/,
        );
    });

    onEach("has after a restore the servers up at once that were up, and no other", async (host) => {
        const apps = await host.serve("app1", "app2");
        const [failing, kept] = await host.serve("failing", "kept");
        assert.ok(failing && kept);
        // Checks that would need 4 s to bring a server up again.
        const options = { defaultServer: { ...QUICK, inter: "1s", rise: 4 } };
        const servers = to([...apps, failing, kept]);
        await host.begin({ backends: [checked("app", servers, options)] });
        await failing.become(500);
        await host.reports("app/failing", /^DOWN/);
        await host.master("@1 set server app/kept state maint");
        await host.refused(
            { backends: [checked("app", servers, { ...options, httpchk: { uri: "/wrong" } })] },
            /app1 L7STS(\/404)?/,
        );
        for (let n = 0; n < 8; n++) assert.match(await host.site(), /^200 app/);
        assert.match((await host.servers()).get("app/kept")?.status ?? "", /^MAINT/);
    });

    once("restores a backend that had no checks before and fails them now", async (host) => {
        const apps = await host.serve("app1");
        await host.good({ backends: [{ name: "app", servers: to(apps, { check: false }) }] });
        await host.refused(
            { backends: [checked("app", to(apps), { httpchk: { uri: "/wrong" } })] },
            /app1 L7STS(\/404)?/,
        );
    });

    once("restores if all checked backends are down, whatever they are called now", async (host) => {
        const [one, other] = await host.serve("one", "other");
        const none = await host.dead("none");
        assert.ok(one && other);
        await host.begin({ backends: [checked("app", to([one])), checked("docs", to([other]))] });
        await host.refused(
            { backends: [checked("shop", to([none])), checked("pages", to([none]))] },
            /none L4CON[\s\S]*none L4CON/,
        );
    });

    once("restores a renamed backend beside one that works", async (host) => {
        const [app, other] = await host.serve("app1", "other");
        const none = await host.dead("none");
        assert.ok(app && other);
        const docs = checked("docs", to([other]));
        await host.begin({ backends: [checked("app", to([app])), docs] });
        await host.refused(
            { backends: [checked("shop", to([app], { port: none.port })), docs] },
            /\bshop\b.*app1 L4CON/,
        );
    });

    once("restores after a restart, too", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        await host.begin({ backends: [checked("app", to(apps))] });
        const dropIn = "/etc/systemd/system/haproxy.service.d/zz-no-reload.conf";
        await host.shell(`printf '[Service]\nExecReload=\n' >${dropIn}; systemctl daemon-reload`);
        try {
            await host.refused({ backends: [checked("app", to(apps, { port: none.port }))] }, /app1 L4CON, app2 L4CON/);
            await host.good({ backends: [checked("app", to(apps, { maxconn: 50 }))] });
        } finally {
            await host.shell(`rm ${dropIn}; systemctl daemon-reload`);
        }
    });

    once("restores a listen section, and names with every character", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        const servers = to(apps).map((server, n) => ({ ...server, name: `s.${n}:x-_` }));
        const declared = (port?: number) => ({
            backends: [],
            more: {
                frontends: [],
                listens: [
                    {
                        ...checked("a.b:c_d-E", port ? servers.map((server) => ({ ...server, port })) : servers),
                        binds: [{ port: 80 }],
                    },
                ],
            },
        });
        await host.begin(declared());
        await host.refused(declared(none.port), /backend a\.b:c_d-E .*s\.0:x-_ L4CON, s\.1:x-_ L4CON/);
    });

    once("restores a server that was drained for the change", async (host) => {
        const [stays, leaves] = await host.serve("stays", "leaves");
        const none = await host.dead("none");
        assert.ok(stays && leaves);
        const backend = (servers: Server[]) => checked("app", servers, { drain: "5s" });
        await host.begin({ backends: [backend(to([stays, leaves]))] });
        await host.refused({ backends: [backend(to([stays], { port: none.port }))] }, /stays L4CON/);
        await host.reports("app/leaves", /^UP$/);
        await host.good({ backends: [backend(to([stays]))] });
    });

    once("restores if only backups are left", async (host) => {
        const apps = await host.serve("app1", "app2");
        const [first, second] = apps;
        const none = await host.dead("none");
        assert.ok(first && second);
        const backup = to([second], { backup: true });
        await host.begin({ backends: [checked("app", [...to([first]), ...backup])] });
        await host.refused(
            { backends: [checked("app", [...to([first], { port: none.port }), ...backup])] },
            /\bapp\b.*app1 L4CON/,
        );
    });

    once("restores a backend whose backups are all that it has", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        await host.begin({ backends: [checked("app", to(apps, { backup: true }))] });
        await host.good({ backends: [checked("app", to(apps, { backup: true, maxconn: 50 }))] });
        await host.refused(
            { backends: [checked("app", to(apps, { backup: true, port: none.port }))] },
            /app1 L4CON, app2 L4CON/,
        );
    });

    once("restores if names of servers no longer resolve, though HAProxy calls that maintenance", async (host) => {
        const apps = await host.serve("app1");
        await host.begin({ backends: [checked("app", to(apps))] });
        const named = { resolvers: "dns", initAddr: "none", address: "app1.example.invalid" };
        await host.refused(
            {
                backends: [checked("app", to(apps, named))],
                more: {
                    resolvers: [{ name: "dns", nameservers: [{ name: "none", address: host.lab.gateway, port: 9 }] }],
                },
            },
            /\bapp\b/,
        );
    });

    once("restores if a check puts all servers into soft stop", async (host) => {
        const apps = await host.serve("app1", "app2");
        const backend = (uri: string) =>
            checked("app", to(apps), { httpchk: { uri }, raw: ["http-check disable-on-404"] });
        await host.begin({ backends: [backend("/health")] });
        await host.refused({ backends: [backend("/wrong")] }, /\bapp\b/);
    });

    once("restores a backend that tracks servers which are down", async (host) => {
        const apps = await host.serve("app1", "app2");
        await host.begin({ backends: [checked("app", to(apps))] });
        const tracks = apps.map(({ name, address, port }) => ({
            name,
            address,
            port,
            check: false,
            raw: `track checks/${name}`,
        }));
        await host.refused(
            {
                backends: [
                    { name: "app", servers: tracks },
                    checked("checks", to(apps), { httpchk: { uri: "/wrong" } }),
                ],
            },
            /\bapp\b/,
        );
    });

    once("says that the change was not the cause if the servers do not come back", async (host) => {
        const apps = await host.serve("app1", "app2");
        const before = { backends: [checked("app", to(apps))] };
        const change = { backends: [checked("app", to(apps, { maxconn: 50 }))] };
        await host.begin(before);
        const up = host.refused(change, /not the cause/, atGate(HOLD));
        await host.reaches("/run/gate");
        await all(apps, "refused");
        await host.reports("app/app1", /^DOWN/);
        await host.reports("app/app2", /^DOWN/);
        await host.shell("touch /run/go");
        await up;
        // What was down before is no reason to refuse anything.
        await host.good(change);
        await all(apps, 200);
        await host.reports("app/app1", /^UP$/);
        await host.good(before);
    });

    once("asks for the number of servers in minUp", async (host) => {
        const apps = await host.serve("app1", "app2", "app3");
        const none = await host.dead("none");
        const backend = (dead: number, minUp?: number | `${number}%`) =>
            checked(
                "app",
                apps.map(({ name, address, port }, n) => ({ name, address, port: n < dead ? none.port : port })),
                { minUp },
            );
        await host.begin({ backends: [backend(0, 2)] });
        await host.refused({ backends: [backend(2, 2)] }, /backend app .* of 3 servers up \(.*\), minUp is 2/);
        await host.refused({ backends: [backend(2, "50%")] }, /backend app .* of 3 servers up \(.*\), minUp is 50%/);
        await host.good({ backends: [backend(1, "50%")] });
        await host.good({ backends: [backend(2)] });
        // It had no more before, so the next change does not take them.
        await host.good({ backends: [checked("app", backend(2).servers ?? [], { minUp: 2, balance: "leastconn" })] });
    });

    once("watches the servers for the time of a bake", async (host) => {
        const [old, fresh] = await host.serve("old", "fresh");
        assert.ok(old && fresh);
        await host.begin({ backends: [checked("app", to([old]))] });
        const baked = { backends: [checked("app", to([fresh]))], bake: "4s" };
        const up = host.refused(baked, /fresh L4CON/);
        await host.reports("app/fresh", /^UP$/);
        await fresh.become("refused");
        await up;
        assert.equal(await host.site(), "200 old");

        await fresh.become(200);
        const began = Date.now();
        await host.good(baked);
        assert.ok(Date.now() - began >= 4000, "no bake");
        await fresh.become("refused");
        await host.reports("app/fresh", /^DOWN/);
        assert.equal((await host.declared(baked).preview()).text, "");
    });
}

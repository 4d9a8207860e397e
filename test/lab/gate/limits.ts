import assert from "node:assert/strict";
import type { Server } from "../../../components/haproxy/model";
import { all, checked, type GatedHost, to } from "./gatedHost";
import type { Register } from "./refusals";

/** How long the gate waits, and for whom. */
export function limits(once: Register): void {
    once("waits for slow checks, whatever they say", async (host) => {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        const slow = { inter: "5s", fall: 1, rise: 1 };
        await host.good({ backends: [checked("app", to(apps), { defaultServer: slow })] });
        await host.good({ backends: [checked("app", to(apps, { maxconn: 50 }), { defaultServer: slow })] });
        await host.refused(
            { backends: [checked("app", to(apps, { port: none.port }), { defaultServer: slow })] },
            /app1 L4CON, app2 L4CON/,
        );
    });

    once("waits for a server that answers its check late", async (host) => {
        const apps = await host.serve("late");
        await host.begin({ backends: [checked("app", to(apps))] });
        for (const app of apps) app.delay = 3000;
        const timeouts = { check: "4s" };
        await host.good({ backends: [checked("app", to(apps, { maxconn: 50 }), { timeouts })] });
        await all(apps, "silent");
        await host.refused({ backends: [checked("shop", to(apps), { timeouts: { check: "1s" } })] }, /late L7TOUT/);
    });

    /** Backends whose first checks come early, and late. */
    async function lateChecks(host: GatedHost) {
        const apps = await host.serve("app1", "app2");
        const none = await host.dead("none");
        const options = { defaultServer: { inter: "5s", fall: 1, rise: 1 } };
        const many = Array.from({ length: 10 }, (_, n) => ({ ...to(apps)[n % 2], name: `early${n}` }) as Server);
        const declared = (port?: number) => ({
            backends: [
                checked("early", many, options),
                checked("app", to(apps, port === undefined ? {} : { port }), options),
            ],
        });
        await host.begin(declared());
        return declared(none.port);
    }

    for (const command of ["reload", "restart"])
        once(`knows what works although HAProxy was ${command}ed a moment ago`, async (host) => {
            const wrong = await lateChecks(host);
            await host.shell(`systemctl ${command} haproxy`);
            await host.refused(wrong, /\bapp\b.*app1 L4CON/);
        });

    once("waits for first checks although no time is left before the deadline", async (host) => {
        const wrong = await lateChecks(host);
        const { code, stderr } = await host.declared(wrong).up(undefined, 100);
        assert.equal(code, 1, stderr);
        assert.match(stderr, /\bapp\b.*app1 L4CON/);
        assert.match(stderr, /last good files are back and active/);
    });

    once("needs no more than 5 s for a backend of 500 servers", async (host) => {
        const apps = await host.serve("app1");
        const [app] = apps;
        const none = await host.dead("none");
        assert.ok(app);
        const servers = (port: number) =>
            Array.from({ length: 500 }, (_, n) => ({
                name: `s${n}`,
                address: app.address,
                port,
                inter: "2s",
                fall: 1,
            }));
        await host.begin({ backends: [{ name: "app", servers: servers(app.port) }] });
        const began = Date.now();
        const stderr = await host.refused({ backends: [{ name: "app", servers: servers(none.port) }] }, /s0 L4CON/);
        const time = (Date.now() - began) / 1000;
        assert.ok(time < 20, `${time} s`);
        assert.ok(stderr.length < 5000, `an error of ${stderr.length} characters`);
    });
}

import assert from "node:assert/strict";
import { atGate, checked, type Declared, type GatedHost, HOLD, to } from "./gatedHost";
import type { Register } from "./refusals";

/** A converge that ends in the gate: the next run judges by the same baseline. */
export function interrupted(onEach: Register, once: Register): void {
    /** A service that works, the same with a wrong port, and an up of it that waits in the gate. */
    async function inGate(host: GatedHost, more: Partial<Declared> = {}, deadline?: number) {
        const apps = await host.serve("app1", "app2");
        const right: Declared = { backends: [checked("app", to(apps))] };
        const port = (await host.dead("none")).port;
        const wrong: Declared = { backends: [checked("app", to(apps, { port }))], ...more };
        await host.begin(right);
        const up = host.declared(wrong).up(atGate(HOLD), deadline);
        // It may end before a test waits for it.
        up.catch(() => undefined);
        await host.reaches("/run/gate");
        return { right, wrong, up };
    }

    /** The next run refuses the wrong port although the running process has had it for a while. */
    async function isRefusedNext(host: GatedHost, wrong: Declared) {
        await host.reports("app/app1", /^DOWN/);
        assert.notEqual((await host.declared(wrong).preview()).text, "");
        const { code, stderr } = await host.declared(wrong).up();
        assert.equal(code, 1, `no refusal:\n${stderr}`);
        assert.match(stderr, /\bapp\b.*app1 L4CON, app2 L4CON/);
        assert.match(stderr, /last good files are back and active/);
        assert.match(await host.site(), /^200 app/);
    }

    const KILL = "systemctl kill -s KILL haproxy-fleet-converge.service";

    onEach("that was killed is judged by the same baseline in the next run", async (host) => {
        const { right, wrong, up } = await inGate(host);
        await host.shell(KILL);
        assert.notEqual((await up).code, 0);
        await isRefusedNext(host, wrong);
        assert.equal((await host.declared(right).preview()).text, "");
    });

    once("that was killed is judged so even if the next run declares something else", async (host) => {
        const { right, wrong, up } = await inGate(host);
        await host.shell(KILL);
        await up;
        const other = { backends: [{ ...checked("app", wrong.backends[0]?.servers ?? []), balance: "leastconn" }] };
        await isRefusedNext(host, other);
        await host.good(right);
        await host.good({ backends: [{ ...checked("app", right.backends[0]?.servers ?? []), balance: "leastconn" }] });
    });

    once("that was killed is repaired by a corrected port", async (host) => {
        const { right, up } = await inGate(host);
        await host.shell(KILL);
        await up;
        const corrected = { backends: [checked("app", right.backends[0]?.servers ?? [], { balance: "leastconn" })] };
        await host.good(corrected);
        assert.match(await host.site(), /^200 app/);
        assert.equal((await host.declared(corrected).preview()).text, "");
    });

    once("whose host lost its power is judged by the same baseline", async (host) => {
        const { right, wrong, up } = await inGate(host);
        await host.host.powerCut();
        await up.catch(() => undefined);
        await host.host.boot();
        await host.shell("systemctl is-system-running --wait");
        await isRefusedNext(host, wrong);
        assert.equal((await host.declared(right).preview()).text, "");
    });

    once("that reached its deadline is judged by the same baseline", async (host) => {
        const { wrong, up } = await inGate(host, {}, 20);
        assert.match((await up).stderr, /ended at its deadline/);
        await isRefusedNext(host, wrong);
    });
}

import assert from "node:assert/strict";
import { runInThisContext } from "node:vm";
import { SharedValues } from "../../components/customized";

interface Config {
    global: { raw: string[]; maxconn?: number };
    backends: { name: string; servers: { name: string; weight?: number }[] }[];
}
const config = (): Config => ({
    global: { raw: [] },
    backends: [{ name: "a", servers: [{ name: "a1" }, { name: "a2" }] }],
});

/** A function of JavaScript that is not strict, in which a change of a frozen object is dropped in silence. */
const sloppy = (body: string) => runInThisContext(`(function (config) { ${body} })`) as (copy: Config) => unknown;

describe("SharedValues", () => {
    it("keeps what is left as it was, so that hosts share it", () => {
        const shared = new SharedValues();
        const value = config();
        assert.equal(shared.call(value, (copy: Config) => copy).returned, value);
        const { returned } = shared.call(value, (copy: Config) => ({ ...copy, global: { raw: ["nbthread 2"] } }));
        assert.deepEqual(returned, { ...config(), global: { raw: ["nbthread 2"] } });
        assert.equal((returned as Config).backends, value.backends);
        const sorted = shared.call(value, (copy: Config) => ({
            servers: [...(copy.backends[0]?.servers ?? [])].reverse(),
        }));
        assert.equal((sorted.returned as { servers: unknown[] }).servers[1], value.backends[0]?.servers[0]);
    });

    it("says what was changed in place, also by JavaScript that is not strict", () => {
        for (const [body, path] of [
            ["config.backends[0].servers[1].weight = 5; return config", "backends[0].servers[1].weight"],
            ["config.backends[0].name = 'b'; return { ...config }", "backends[0].name"],
            ["delete config.global; return config", "global"],
            ["config.global.raw.push('x'); return config", "global.raw[0]"],
            ["config.backends[0].servers.reverse(); return config", "backends[0].servers[0]"],
            ["config.backends.length = 0; return config", "backends[0]"],
            ["config.listens = []; return config", "listens"],
        ] as const) {
            const value = config();
            assert.deepEqual(new SharedValues().call(value, sloppy(body)), { returned: undefined, changed: path });
            assert.deepEqual(value, config());
        }
    });

    it("gives each host its own copy of an object that the function changes from call to call", () => {
        const shared = new SharedValues();
        const own: Record<string, unknown> = {};
        const call = (host: string) =>
            shared.call(config(), (copy: Config) => Object.assign(own, copy, { host })).returned;
        const [first, second] = [call("lb1"), call("lb2")] as { host: string }[];
        assert.deepEqual([first?.host, second?.host], ["lb1", "lb2"]);
    });
});

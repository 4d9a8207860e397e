import assert from "node:assert/strict";
import { serverGuardRules } from "../../../../components/haproxy/host/serverGuards";
import type { Backend, HaproxyConfig, ServerGuards } from "../../../../components/haproxy/model";
import { render } from "../../../../components/haproxy/render/index";
import { validate } from "../../../../components/haproxy/validate/index";

const backend = (name: string, removal: ServerGuards): Backend => ({
    name,
    servers: [{ name: "app1", address: "192.0.2.1", port: 80 }],
    ...removal,
});
const config = (...backends: Backend[]): HaproxyConfig => ({
    version: "2.6",
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }],
            useBackends: backends.map(({ name }) => ({ backend: name, if: [`{ path /${name} }`] })),
        },
    ],
    backends,
});
const issues = (removal: ServerGuards) =>
    validate(config(backend("app", removal))).map(({ rule, path }) => `${rule} ${path}`);

describe("server guards", () => {
    it("are one rule for each backend that declares any", () => {
        const model = config(
            backend("plain", {}),
            backend("guarded", { minServers: 2, maxShrinkPercent: 0 }),
            backend("without", { minServers: 2, maxShrinkPercent: 0, backups: false }),
            backend("drained", { drain: "1500ms" }),
            backend("up", { minUp: "50%" }),
        );
        assert.equal(
            serverGuardRules(model),
            "guarded 2 0 - yes -\nwithout 2 0 - no -\ndrained - - 2 yes -\nup - - - yes 50%",
        );
    });

    it("do not change haproxy.cfg", () => {
        const says = { minServers: 2, maxShrinkPercent: 0, backups: false, drain: "3s", minUp: 1 };
        const digest = "0";
        assert.deepEqual(
            render(config(backend("app", says)), { digest }),
            render(config(backend("app", {})), { digest }),
        );
    });

    it("accept a drain only if it is a duration that a converge can wait for", () => {
        assert.deepEqual(issues({ minServers: 1, maxShrinkPercent: 100, drain: "10m" }), []);
        for (const drain of ["soon", "11m"]) {
            assert.deepEqual(issues({ drain }), ["drain backends[0].drain"]);
        }
    });

    it("warn about fewer servers than minServers, because a host judges only what changes", () => {
        const guarded = (of: Partial<Backend>) =>
            validate(config({ ...backend("app", { minServers: 3 }), ...of })).map(
                ({ rule, path }) => `${rule} ${path}`,
            );
        const server = (name: string, backup?: boolean) => ({ name, address: "192.0.2.1", port: 80, backup });
        const template = { prefix: "t", fqdn: "app.example", port: 80 };
        const two = [server("a1"), server("a2"), server("b1", true)];
        const three = [...two, server("a3")];
        const few = ["min-servers backends[0].minServers"];
        assert.deepEqual(guarded({ servers: two }), few);
        assert.deepEqual(guarded({}), few);
        assert.deepEqual(guarded({ servers: three }), []);
        assert.deepEqual(guarded({ servers: two, serverTemplates: [{ ...template, count: 1 }] }), []);
        assert.deepEqual(guarded({ servers: two, raw: ["server a3 192.0.2.3:80"] }), []);
        assert.deepEqual(guarded({ servers: three, defaultServer: { backup: true } }), few);
        const own = three.map((each) => ({ ...each, backup: each.backup ?? false }));
        assert.deepEqual(guarded({ servers: own, defaultServer: { backup: true } }), []);
    });
});

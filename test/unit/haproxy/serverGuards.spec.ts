import assert from "node:assert/strict";
import { serverGuardRules } from "../../../components/haproxy/host/serverGuards";
import type { Backend, HaproxyConfig, ServerGuards } from "../../../components/haproxy/model";
import { render } from "../../../components/haproxy/render/index";
import { validate } from "../../../components/haproxy/validate/index";

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
const messages = (removal: ServerGuards) => validate(config(backend("app", removal))).map(({ message }) => message);

describe("the removal of servers", () => {
    it("is a rule for each backend that says something of it", () => {
        const model = config(
            backend("plain", {}),
            backend("guarded", { minServers: 2, maxShrinkPercent: 0 }),
            backend("drained", { drain: "1500ms" }),
        );
        assert.equal(serverGuardRules(model, false), "guarded 2 0 -\ndrained - - 2");
        assert.equal(serverGuardRules(model, true), "drained - - 2");
    });

    it("is no word of HAProxy's", () => {
        const says = { minServers: 2, maxShrinkPercent: 0, drain: "3s" };
        const digest = "0";
        assert.equal(render(config(backend("app", says)), { digest }), render(config(backend("app", {})), { digest }));
    });

    it("takes numbers that mean something", () => {
        assert.deepEqual(messages({ minServers: 1, maxShrinkPercent: 100, drain: "10m" }), []);
        assert.deepEqual(messages({ minServers: 0, maxShrinkPercent: 101, drain: "soon" }), [
            "minServers of backend app is 0: use a whole number from 1 to 100000",
            "maxShrinkPercent of backend app is 101: use a whole number from 0 to 100",
            'invalid duration "soon" of drain of backend app: use a number and us, ms, s, m, h or d, like "30s"',
        ]);
        assert.deepEqual(messages({ drain: "11m" }), [
            'drain 11m of backend app is longer than a converge may wait: use at most "10m"',
        ]);
    });

    it("warns of fewer servers than minServers, which a host that is as declared does not judge", () => {
        const guarded = (of: Partial<Backend>) => validate(config({ ...backend("app", { minServers: 3 }), ...of }));
        const server = (name: string, backup = false) => ({ name, address: "192.0.2.1", port: 80, backup });
        const template = { prefix: "t", fqdn: "app.example", port: 80 };
        const two = [server("a1"), server("a2"), server("b1", true)];
        const three = [...two, server("a3")];
        assert.deepEqual(guarded({ servers: two }), [
            {
                path: "backends[0].minServers",
                message:
                    "minServers of backend app is 3, but 2 servers are declared or found, backups not counted, so hosts refuse the next change without allowShrink: add servers, correct their tags or lower it",
                severity: "warning",
            },
        ]);
        assert.match(guarded({})[0]?.message ?? "", /^minServers of backend app is 3, but 1 server is declared/);
        assert.deepEqual(guarded({ servers: three }), []);
        assert.deepEqual(guarded({ servers: two, serverTemplates: [{ ...template, count: 1 }] }), []);
        assert.deepEqual(guarded({ servers: two, raw: ["server a3 192.0.2.3:80"] }), []);
        assert.match(
            guarded({ servers: three, defaultServer: { backup: true } })[0]?.message ?? "",
            /but 0 servers are/,
        );
    });
});

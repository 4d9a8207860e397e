import assert from "node:assert/strict";
import { gateLimit } from "../../../../components/haproxy/host/gateLimit";
import type { Backend, HaproxyConfig } from "../../../../components/haproxy/model";

const backend = (change: Partial<Backend> = {}): Backend => ({
    name: "app",
    servers: [{ name: "app1", address: "192.0.2.1", port: 80 }],
    ...change,
});
const limit = (change: Partial<Backend>, rest: Partial<HaproxyConfig> = {}) =>
    gateLimit({ version: "2.6", frontends: [], backends: [backend(change)], ...rest });
const server = { name: "app1", address: "192.0.2.1", port: 80 };

describe("the limit of the gate", () => {
    it("is the time in which checks find the slowest server down if it hangs, and 2 s", () => {
        assert.equal(limit({}), 23);
        assert.equal(limit({ defaultServer: { inter: "1s", fall: 2 } }), 14);
        assert.equal(limit({ defaultServer: { inter: "1s" }, servers: [server, { ...server, inter: "10s" }] }), 47);
        assert.equal(limit({ serverTemplates: [{ prefix: "t", count: 2, fqdn: "a.example", port: 80, fall: 9 }] }), 65);
        assert.equal(limit({}, { listens: [{ ...backend({ defaultServer: { inter: "5s" } }), binds: [] }] }), 32);
    });

    it("is as long as a server needs to come back, if that is more", () => {
        assert.equal(limit({ defaultServer: { rise: 10 } }), 72);
    });

    it("knows the timeouts of the section, or of its defaults", () => {
        const namedDefaults = [{ name: "slow", timeouts: { check: "20s" } }];
        assert.equal(limit({}, { defaults: { timeouts: { check: "1500ms" } } }), 14);
        // A host that drops packets: the attempt to connect ends after inter at the latest.
        assert.equal(limit({ timeouts: { connect: "10s", check: "1s" }, defaultServer: { inter: "4s" } }), 26);
        assert.equal(limit({ timeouts: { connect: "2s", check: "1s" }, defaultServer: { inter: "4s" } }), 20);
        assert.equal(limit({ from: "slow" }, { namedDefaults }), 68);
        assert.equal(limit({ from: "slow", timeouts: { check: "1s" } }, { namedDefaults }), 14);
    });

    it("reads raw parameters of servers, but not fastinter", () => {
        assert.equal(limit({ servers: [{ ...server, inter: "1s", raw: "fastinter 50s inter 6s" }] }), 35);
        assert.equal(limit({ defaultServer: { raw: "inter 6s fall 1" } }), 24);
        assert.equal(limit({ defaultServer: { raw: "inter 6s fall 1 rise 1" } }), 13);
        assert.equal(limit({ defaultServer: { raw: "inter 6s" }, servers: [{ ...server, inter: "1s" }] }), 20);
        assert.equal(limit({ raw: ["default-server inter 6s"] }), 35);
        const slow = { raw: ["default-server inter 6s fall 4"] };
        assert.equal(limit({}, { defaults: slow }), 46);
        assert.equal(
            limit({ from: "slow", defaultServer: { inter: "1s" } }, { namedDefaults: [{ name: "slow", ...slow }] }),
            26,
        );
    });

    it("is 5 s to 5 minutes", () => {
        assert.equal(limit({ servers: [{ ...server, inter: "1h", check: false }] }), 5);
        assert.equal(limit({ servers: [], timeouts: { check: "1m" } }), 5);
        assert.equal(limit({ servers: [{ ...server, inter: "70s" }] }), 227);
    });

    it("does not wait for servers that are checked too rarely", () => {
        assert.equal(limit({ servers: [{ ...server, inter: "2m" }] }), 127);
        assert.equal(limit({ servers: [{ ...server, inter: "1h" }] }), 5);
        assert.equal(
            limit({
                servers: [
                    { ...server, inter: "1h" },
                    { ...server, name: "app2" },
                ],
            }),
            23,
        );
        assert.equal(limit({ timeouts: { check: "10m" } }), 5);
    });
});

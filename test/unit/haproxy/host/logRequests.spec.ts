import assert from "node:assert/strict";
import { type HaproxyConfig, type Listen, logRequests } from "../../../../components/haproxy";
import { good, withFrontend } from "../validate/cases";

const asked = (config: HaproxyConfig) =>
    logRequests(config).map(({ address, port, ask }) => `${ask} ${address} ${port}`);
const loud = ["http 127.0.0.1 80"];

describe("logRequests", () => {
    it("asks plain HTTP first, and of that the binds on all addresses", () => {
        const db: Listen = { name: "db", mode: "tcp", binds: [{ port: 5432 }], servers: [] };
        const binds = [
            { port: 443, ssl: { crt: ["/x.pem"] } },
            { address: "2001:DB8::1", port: 80 },
            { address: ["0.0.0.0", "::"], port: 80 },
        ];
        assert.deepEqual(asked({ ...withFrontend({ binds }), listens: [db] }), [
            "http 127.0.0.1 80",
            "http ::1 80",
            "http 2001:db8::1 80",
            "tcp 127.0.0.1 443",
            "tcp 127.0.0.1 5432",
        ]);
    });

    it("asks five listeners at most", () => {
        assert.equal(asked(withFrontend({ binds: [{ port: 8000, portEnd: 8010 }] })).length, 5);
    });

    it("asks neither the statistics page nor the metrics", () => {
        const [stats, metrics] = [{ bind: { port: 8404 } }, { bind: { port: 8405 } }];
        assert.deepEqual(asked({ ...good, frontends: [], stats, metrics }), []);
    });

    it("asks no bind that the host itself cannot use", () => {
        for (const bind of [
            { port: 80, interface: "eth1" },
            { address: "198.51.100.1", port: 80, transparent: true },
            { port: 80, acceptProxy: true },
            { port: 80, raw: "accept-netscaler-cip 5" },
            { port: 80, raw: "namespace blue" },
            { port: 80, raw: "interface eth1" },
            { path: "/run/site.sock" },
        ]) {
            assert.deepEqual(asked(withFrontend({ binds: [bind] })), [], JSON.stringify(bind));
        }
    });

    it("asks no section that may leave no line of a request", () => {
        for (const config of [
            withFrontend({ options: { "dontlog-normal": true } }),
            withFrontend({ raw: ["option  dontlog-normal"] }),
            withFrontend({}, { defaults: { options: { "dontlog-normal": true } } }),
            withFrontend({}, { defaults: { raw: ["no log"] } }),
            withFrontend({ raw: ["no log", "log 192.0.2.1 local0"] }),
            withFrontend({ raw: ["disabled"] }),
            withFrontend({ raw: ["http-request set-log-level silent if { path / }"] }),
            withFrontend({ raw: ["tcp-request connection reject if !{ src 192.0.2.0/24 }"] }),
            withFrontend({ httpRequestRules: ["set-log-level silent"] }),
            withFrontend({ tcpRequestRules: [{ at: "session", action: "reject" }] }),
            withFrontend({ tcpRequestRules: [{ at: "connection", action: "expect-proxy" }] }),
            { ...good, backends: [{ name: "app", servers: [], raw: ["http-response set-log-level silent"] }] },
        ]) {
            assert.deepEqual(asked(config), [], JSON.stringify(config));
        }
        for (const config of [
            withFrontend({ raw: ["no log", "log global"] }),
            withFrontend({ raw: ["log global"] }, { defaults: { raw: ["no log"] } }),
            withFrontend(
                { options: { "dontlog-normal": false } },
                { defaults: { options: { "dontlog-normal": true } } },
            ),
            withFrontend({ raw: ["no option dontlog-normal"], options: { "dontlog-normal": true } }),
            withFrontend({ tcpRequestRules: [{ at: "content", action: "reject" }] }),
        ]) {
            assert.deepEqual(asked(config), loud, JSON.stringify(config));
        }
    });

    it("asks no section whose lines do not show what was asked", () => {
        const raw = (line: string) => withFrontend({ raw: [line] });
        for (const config of [
            raw('log-format "%ci %ST"'),
            withFrontend({ options: { httplog: false } }),
            withFrontend({}, { defaults: { options: { tcplog: true } } }),
        ]) {
            assert.deepEqual(asked(config), [], JSON.stringify(config));
        }
        for (const config of [
            raw('log-format "%ci %{+Q}r"'),
            raw('log-format "%HU"'),
            raw('log-format "%[capture.req.uri]"'),
            withFrontend({ options: { httplog: "clf" } }),
            withFrontend({ options: { httpslog: true, httplog: false } }),
        ]) {
            assert.deepEqual(asked(config), loud, JSON.stringify(config));
        }
    });
});

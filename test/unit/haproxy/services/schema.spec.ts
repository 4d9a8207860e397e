import assert from "node:assert/strict";
import { type haproxy, slot } from "../../../../components";
import { balancedServicesFormIssues } from "../../../../components/haproxy/services/schema";

const shop = { name: "shop", default: true, port: 8080 };

/** The issues of a service from plain data, a line each. */
const issuesOf = (service: unknown, settings: object = {}) =>
    balancedServicesFormIssues({ version: "2.6", services: [service], ...settings }).map(
        ({ path, message }) => `${path}: ${message}`,
    );

describe("the form of services", () => {
    it("accepts every argument", () => {
        const everything: haproxy.Service = {
            name: "shop",
            protocol: "http",
            listen: 8080,
            hosts: ["shop.example.com"],
            routes: [{ paths: ["/a"], headers: { "X-A": true, "X-B": "b" }, methods: ["GET"] }],
            default: true,
            port: 80,
            servers: [{ name: "shop1", address: "192.0.2.1", weight: 2, backup: true, cookie: "a", maxconn: 5 }],
            tag: "shop::web",
            backupFacility: "ams",
            minServers: 1,
            maxShrinkPercent: 25,
            backups: true,
            drain: "30s",
            minUp: "50%",
            balance: "leastconn",
            weights: { shop1: 3 },
            slowStart: "10s",
            serverMaxconn: 100,
            serverTls: { verify: "required", caFile: "/etc/ssl/ca.pem", sni: "str(a)" },
            check: { protocol: "smtp", hello: "EHLO", domain: "lb.example.com", inter: "1s", fall: 1, rise: 1 },
            persistence: { by: "cookie", name: "A", secure: true },
            clientAddress: "x-forwarded-for",
            forwardFor: true,
            allow: ["192.0.2.0/24"],
            deny: ["192.0.2.1", "2001:db8::/32"],
            rateLimit: { count: 1, seconds: 1 },
            basicAuth: { realm: "A", users: [{ name: "a", passwordSecret: "a", hashed: true }] },
            redirects: [{ hosts: ["a"], pathPrefix: "/a", to: { scheme: "https", host: "b" }, code: 301 }],
            timeouts: { connect: "1s", server: "1s", queue: "1s", check: "1s", tunnel: "1s" },
            httpRequestRules: ["set-header X-A b", { action: "deny", if: ["{ path /x }"] }],
            raw: ["errorfile 503 /etc/503"],
        };
        assert.deepEqual(issuesOf(everything), []);
    });

    it("shows every path, what is expected and the value", () => {
        const data = {
            name: "a:b",
            hosts: ["https://shop.example.com"],
            routes: [{ paths: ["x"], headers: { "X A": "1" }, methods: ["post"] }],
            port: 99_999,
            check: { uri: "healthz" },
            allow: [],
            deny: ["fe80::1%eth0", "192.0.2.0/33"],
            timeouts: { server: "soon" },
            persistence: { by: "ip" },
            raw: "fullconn 5",
        };
        assert.deepEqual(issuesOf(data), [
            'services[0].name: expected a name of letters, digits, "-", "_" and ".", got "a:b"',
            'services[0].hosts[0]: expected a host name without scheme, port, path or wildcard, got "https://shop.example.com"',
            'services[0].routes[0].paths[0]: expected a path that begins with "/", percent-encoded where a URL needs it, got "x"',
            'services[0].routes[0].headers.X A: expected a header name of letters, digits and "-", got "X A"',
            'services[0].routes[0].methods[0]: expected a method in capitals, like "POST", got "post"',
            "services[0].port: expected a whole number from 1 to 65535, got 99999",
            'services[0].check.uri: expected a path that begins with "/" and has no spaces, got "healthz"',
            'services[0].persistence.by: expected "cookie" or "address", got "ip"',
            "services[0].allow: expected at least one network, got an empty list",
            'services[0].deny[0]: expected an IP address, or a network like "192.0.2.0/24", got "fe80::1%eth0"',
            'services[0].deny[1]: expected an IP address, or a network like "192.0.2.0/24", got "192.0.2.0/33"',
            'services[0].timeouts.server: expected a duration with its unit, like "30s": us, ms, s, m, h or d, got "soon"',
            'services[0].raw: expected a list of texts, got "fullconn 5"',
        ]);
    });

    it("refuses unknown keys, and names those of the intended kind of check", () => {
        assert.deepEqual(issuesOf({ ...shop, check: { uri: "/", inetr: "2s" } }), [
            'services[0].check: unknown key "inetr"; did you mean inter?',
        ]);
        assert.deepEqual(issuesOf({ ...shop, check: { url: "/" } }), [
            'services[0].check: unknown key "url"; did you mean uri?',
        ]);
        assert.deepEqual(issuesOf({ ...shop, check: { protocol: "pgsql" } }), [
            "services[0].check.user: expected text, got nothing",
        ]);
        assert.deepEqual(issuesOf({ ...shop, check: { protocol: "http" } }), [
            'services[0].check.protocol: expected "tcp", "redis", "ldap", "ssl-hello", "mysql", "pgsql" or "smtp", got "http"',
        ]);
        assert.match(issuesOf(shop, { maxcon: 1 }).join(), /^: unknown key "maxcon"; did you mean maxconn\?$/);
    });

    it("requires at least one condition in a route, and at most one kind of paths", () => {
        const of = (route: object) =>
            issuesOf({ ...shop, routes: [route] }).map((line) => line.replace(/(, got|; make|: paths).*/, ""));
        const right = [
            { paths: ["/a"] },
            { pathPrefixes: ["/a"], paths: [] },
            { pathRegex: "a" },
            { headers: { A: true } },
        ];
        for (const route of right) {
            assert.deepEqual(of(route), []);
        }
        assert.deepEqual(of({ paths: ["/a"], pathPrefixes: ["/b"] }), [
            "services[0].routes[0]: expected only one of paths, pathPrefixes and pathRegex",
        ]);
        for (const route of [{}, { paths: [] }, { headers: {}, methods: [] }]) {
            assert.deepEqual(of(route), ["services[0].routes[0]: expected at least one condition"]);
        }
    });

    it("accepts services without servers, which may answer by themselves, and timeouts that are unset", () => {
        assert.deepEqual(issuesOf({ ...shop, servers: [], timeouts: { tunnel: "0" } }), []);
    });

    it("requires either a password or the name of its secret", () => {
        const message =
            "expected exactly one of password (in a program, a secret) and passwordSecret (in a stack, a key of its config)";
        const user = (credential: object) =>
            issuesOf({ ...shop, basicAuth: { users: [{ name: "ops", ...credential }] } });
        const auth = (credential: object) =>
            issuesOf(shop, { stats: { bind: { port: 8404 }, auth: { user: "ops", ...credential } } });
        for (const credential of [{ password: "x" }, { passwordSecret: "x" }]) {
            assert.deepEqual([...user({ ...credential, hashed: true }), ...auth(credential)], []);
        }
        for (const [credential, keys] of [
            [{}, ""],
            [{ password: "x", passwordSecret: "x" }, ", password and passwordSecret"],
        ] as const) {
            assert.deepEqual(user(credential), [
                `services[0].basicAuth.users[0]: ${message}, got an object with name${keys}`,
            ]);
            assert.deepEqual(auth(credential), [`stats.auth: ${message}, got an object with user${keys}`]);
        }
        assert.deepEqual(user({ password: 5 }), [
            "services[0].basicAuth.users[0].password: expected text, got a number that may be a secret",
        ]);
        assert.deepEqual(user({ passwordSecret: "x", hashd: true }), [
            'services[0].basicAuth.users[0]: unknown key "hashd"; did you mean hashed?',
        ]);
    });

    it("accepts slots as addresses and ports of servers, but not as other numbers", () => {
        const marker = slot("a.port");
        assert.deepEqual(issuesOf({ ...shop, servers: [{ name: "a", address: slot("a.address"), port: marker }] }), []);
        assert.deepEqual(issuesOf({ ...shop, port: marker, servers: [{ name: "a", address: "a", weight: marker }] }), [
            'services[0].port: expected a whole number from 1 to 65535, got "‹a.port›"',
            'services[0].servers[0].weight: expected a whole number from 0 to 256, got "‹a.port›"',
        ]);
    });

    it("does not show a value that was written instead of a secret's name", () => {
        const users = [{ name: "ops", passwordSecret: "TopS3cret!" }];
        assert.deepEqual(issuesOf({ ...shop, basicAuth: { users } }), [
            "services[0].basicAuth.users[0].passwordSecret: expected 1 to 63 lower-case letters, digits, dots and hyphens, got a text that may be a secret",
        ]);
    });
});

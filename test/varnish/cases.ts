import { slot } from "../../components/convergence/slots";
import type { Backend, Frontend, HaproxyConfig } from "../../components/haproxy/model";
import { fromServices, type Service } from "../../components/haproxy/services/compile";
import { type Case, until, untilStats } from "./vtc";

/** A frontend on port 80 with app servers, which have health checks only in cases about them. */
function site(frontend: Partial<Frontend>, backends: Record<string, Partial<Backend> & { ports?: number[] }>) {
    const config: HaproxyConfig = {
        version: "2.2",
        global: { maxconn: 100 },
        frontends: [{ name: "web", binds: [{ address: "127.0.0.1", port: 80 }], defaultBackend: "app", ...frontend }],
        backends: Object.entries(backends).map(([name, { ports = [], ...backend }]) => ({
            name,
            servers: ports.map((port, i) => ({
                name: `${name}${i + 1}`,
                address: "127.0.0.1",
                port,
                check: false,
            })),
            ...backend,
        })),
    };
    return config;
}

/** A service with one server of its name, without health checks. */
const service = (name: string, port: number, rest: Partial<Service>): Service => ({
    name,
    port,
    servers: [{ name: `${name}1`, address: "127.0.0.1", check: false }],
    ...rest,
});

const page = (status: string, body: string) =>
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

export const cases: Record<string, Case> = {
    "routes by host, path, method and header, by the first rule that matches": {
        config: site(
            {
                acls: [
                    { name: "shop", host: ["shop.example.com", "www.shop.example.com"] },
                    { name: "api", pathBeg: ["/api/"] },
                    { name: "status", path: ["/status"] },
                    { name: "beta", criterion: "req.hdr(X-Beta) -m str yes" },
                ],
                useBackends: [
                    { backend: "api", if: ["shop", "api"] },
                    { backend: "status", if: ["status", "METH_GET"] },
                    { backend: "beta", if: ["beta"] },
                    { backend: "shop", if: ["shop"] },
                ],
            },
            {
                app: { ports: [81] },
                api: { ports: [82] },
                status: { ports: [83] },
                beta: { ports: [84] },
                shop: { ports: [85] },
            },
        ),
        servers: { app1: 81, api1: 82, status1: 83, beta1: 84, shop1: 85 },
        steps: [
            { path: "/", status: 200, by: "app1" },
            { path: "/api/", status: 200, by: "app1" },
            { path: "/api/x", headers: { Host: "SHOP.example.com" }, status: 200, by: "api1" },
            { path: "/api/x", headers: { Host: "shop.example.com:8443" }, status: 200, by: "api1" },
            { path: "/apix", headers: { Host: "www.shop.example.com" }, status: 200, by: "shop1" },
            { path: "/", headers: { Host: "x.shop.example.com" }, status: 200, by: "app1" },
            { path: "/status?deep", status: 200, by: "status1" },
            { path: "/status", method: "DELETE", status: 200, by: "app1" },
            { path: "/", headers: { Host: "shop.example.com", "X-Beta": "yes" }, status: 200, by: "beta1" },
            { path: "/", headers: { "X-Beta": "yesterday" }, status: 200, by: "app1" },
        ],
    },
    "routes and redirects by maps": {
        config: {
            ...site(
                {
                    httpRequestRules: [
                        "redirect location %[path,map(/etc/haproxy/fleet/moved.map)] if { path,map(/etc/haproxy/fleet/moved.map) -m found }",
                    ],
                    useBackends: [
                        { backend: "%[req.hdr(host),field(1,:),lower,map(/etc/haproxy/fleet/hosts.map,app)]" },
                    ],
                },
                { app: { ports: [81] }, shop: { ports: [82] } },
            ),
            maps: [
                { name: "hosts", entries: [{ key: "shop.example.com", value: "shop" }] },
                { name: "moved", entries: [{ key: "/old", value: "/new?from=old #there" }] },
            ],
        },
        servers: { app1: 81, shop1: 82 },
        steps: [
            { path: "/", status: 200, by: "app1" },
            { path: "/", headers: { Host: "Shop.example.com:80" }, status: 200, by: "shop1" },
            { path: "/old", status: 302, by: null, answer: { Location: "/new?from=old #there" } },
        ],
    },
    "keeps rules in their order": {
        config: site(
            {
                acls: [{ name: "ops", pathBeg: ["/ops"] }],
                httpRequestRules: [
                    { action: "del-header", name: "X-User" },
                    { action: "allow", if: ["{ path /ops/ping }"] },
                    { action: "return", status: 200, body: "before", if: ["{ path /ops/return }"] },
                    { action: "deny", status: 404, if: ["ops"] },
                    { action: "return", status: 200, body: "after", if: ["ops"] },
                    { action: "set-path", format: "/v2%[path]" },
                    { action: "set-header", name: "X-Path", format: "%[path]" },
                    { action: "deny", if: ["{ path_beg /v2/no }"] },
                ],
                httpResponseRules: [
                    { action: "set-header", name: "X-Order", format: "one" },
                    { action: "set-header", name: "X-Order", format: "%[res.hdr(X-Order)] two" },
                ],
                httpAfterResponseRules: [{ action: "set-header", name: "X-Frame-Options", format: "DENY" }],
                defaultBackend: "app",
                useBackends: [{ backend: "ping", if: ["ops"] }],
            },
            { app: { ports: [81] }, ping: { ports: [82] } },
        ),
        servers: {
            app1: { port: 81, sees: { url: "/v2/a?b=c", "X-Path": "/v2/a", "X-User": null } },
            ping1: { port: 82, sees: { url: "/ops/ping", "X-Path": null } },
        },
        steps: [
            {
                path: "/a?b=c",
                headers: { "X-User": "root" },
                status: 200,
                by: "app1",
                answer: { "X-Order": "one two" },
            },
            { path: "/ops/ping", status: 200, by: "ping1" },
            { path: "/ops/return", status: 200, by: null, body: "before", answer: { "X-Frame-Options": "DENY" } },
            { path: "/ops/x", status: 404, by: null, answer: { "X-Frame-Options": "DENY", "X-Order": null } },
            { path: "/no", status: 403, by: null },
        ],
    },
    "redirects to another scheme, host or path": {
        config: site(
            {
                httpRequestRules: [
                    { action: "redirect", prefix: "https://www.example.com", code: 308, if: ["{ path_beg /old/ }"] },
                    { action: "redirect", location: "https://www.example.com/new?x=%[path]", if: ["{ path /moved }"] },
                    { action: "redirect", scheme: "https", code: 301, if: ["!{ path_beg /.well-known/ }"] },
                ],
            },
            { app: { ports: [81] } },
        ),
        servers: { app1: 81 },
        steps: [
            { path: "/a?b=c", status: 301, by: null, answer: { Location: "https://www.example.com/a?b=c" } },
            { path: "/old/a?b", status: 308, by: null, answer: { Location: "https://www.example.com/old/a?b" } },
            { path: "/moved", status: 302, by: null, answer: { Location: "https://www.example.com/new?x=/moved" } },
            { path: "/.well-known/acme-challenge/x", status: 200, by: "app1" },
        ],
    },
    "limits the rate of each client, and answers with Retry-After": {
        config: site(
            {
                httpRequestRules: [
                    { action: "track-sc", counter: 0, key: "req.hdr(X-Client)", table: "rates" },
                    {
                        action: "return",
                        status: 429,
                        body: "slow down",
                        headers: { "Retry-After": "60" },
                        if: ["{ sc_http_req_rate(0,rates) gt 3 }"],
                    },
                ],
            },
            {
                app: { ports: [81] },
                // An hour: the count does not depend on how fast the test is.
                rates: { stickTable: { type: "string", size: "1k", expire: "1h", store: ["http_req_rate(1h)"] } },
            },
        ),
        servers: { app1: 81 },
        steps: [
            ...[1, 2, 3].map(() => ({ path: "/", headers: { "X-Client": "a" }, status: 200, by: "app1" })),
            ...[4, 5].map(() => ({
                path: "/",
                headers: { "X-Client": "a" },
                status: 429,
                by: null,
                body: "slow down",
                answer: { "Retry-After": "60" },
            })),
            { path: "/", headers: { "X-Client": "b" }, status: 200, by: "app1" },
        ],
    },
    "keeps a client on its server by a cookie": {
        config: site(
            {},
            {
                app: {
                    cookie: { name: "SRV", attr: ["SameSite=Lax"] },
                    servers: ["a", "b"].map((cookie, i) => ({
                        name: `app${i + 1}`,
                        address: "127.0.0.1",
                        port: 81 + i,
                        check: false,
                        cookie,
                    })),
                },
            },
        ),
        servers: { app1: 81, app2: { port: 82, sees: { Cookie: null } } },
        steps: [
            { path: "/", status: 200, by: "app1", answer: { "Set-Cookie": /^SRV=a;.*HttpOnly.*SameSite=Lax/ } },
            ...[1, 2, 3].map(() => ({
                path: "/",
                headers: { Cookie: "SRV=b" },
                status: 200,
                by: "app2",
                answer: { "Set-Cookie": null },
            })),
            { path: "/", headers: { Cookie: "SRV=gone" }, status: 200, answer: { "Set-Cookie": /^SRV=[ab];/ } },
        ],
    },
    "asks for a password, and accepts only members of the group": {
        config: {
            ...site(
                {
                    httpRequestRules: [{ action: "auth", realm: "Ops only", if: ["!{ http_auth_group(ops) admins }"] }],
                },
                { app: { ports: [81] } },
            ),
            userlists: [
                {
                    name: "ops",
                    groups: [{ name: "admins", users: ["ann"] }],
                    users: [
                        { name: "ann", password: slot("ann"), insecure: true },
                        { name: "ben", password: slot("ben"), insecure: true },
                    ],
                },
            ],
        },
        servers: { app1: 81 },
        steps: [
            { path: "/", status: 401, by: null, answer: { "WWW-Authenticate": 'Basic realm="Ops only"' } },
            { path: "/", headers: { Authorization: `Basic ${btoa("ann:pass of ann")}` }, status: 200, by: "app1" },
            { path: "/", headers: { Authorization: `Basic ${btoa("ann:pass of ben")}` }, status: 401, by: null },
            { path: "/", headers: { Authorization: `Basic ${btoa("ben:pass of ben")}` }, status: 401, by: null },
        ],
    },
    "answers with custom error files": {
        config: {
            ...site(
                { errorfiles: "ours", httpRequestRules: [{ action: "deny", if: ["{ path /no }"] }] },
                { app: { ports: [81], raw: ["retries 0"] } },
            ),
            httpErrors: [
                {
                    name: "ours",
                    errorfiles: {
                        403: { content: page("403 Forbidden", "not here") },
                        503: { content: page("503 Service Unavailable", "back soon") },
                    },
                },
            ],
        },
        steps: [
            { path: "/no", status: 403, body: "not here" },
            { path: "/", status: 503, body: "back soon" },
        ],
    },
    "takes a server out if its check fails, and uses the backup only if no other is up": {
        config: {
            ...site(
                {},
                {
                    app: {
                        httpchk: { uri: "/healthz", host: "app.example.com" },
                        defaultServer: { inter: "500ms", fall: 1, rise: 1 },
                        servers: [
                            { name: "app1", address: "127.0.0.1", port: 81 },
                            { name: "app2", address: "127.0.0.1", port: 82 },
                            { name: "sorry", address: "127.0.0.1", port: 83, check: false, backup: true },
                        ],
                    },
                },
            ),
            stats: untilStats,
        },
        servers: { app1: { port: 81, status: 500 }, app2: 82, sorry: 83 },
        steps: [
            until("app1", "L7STS"),
            ...[1, 2, 3].map(() => ({ path: "/", status: 200, by: "app2" })),
            { cli: "disable server app/app2" },
            ...[1, 2].map(() => ({ path: "/", status: 200, by: "sorry" })),
            { cli: "enable server app/app2" },
            { path: "/", status: 200, by: "app2" },
        ],
    },
    "sends the declared health check": {
        config: {
            ...site(
                {},
                {
                    app: {
                        httpchk: {
                            method: "HEAD",
                            uri: "/clickCount?deep=1",
                            host: "app.example.com",
                            expect: "status 204",
                        },
                        defaultServer: { inter: "500ms", fall: 1, rise: 1 },
                        servers: [{ name: "app1", address: "127.0.0.1", port: 81 }],
                    },
                },
            ),
            stats: untilStats,
        },
        servers: { app1: { port: 81, status: 204, sees: { url: "/clickCount?deep=1", Host: "app.example.com" } } },
        steps: [until("app1", "L7OK")],
    },
    "balances in turn, without a server of weight 0": {
        config: site(
            { useBackends: [{ backend: "heavy", if: ["{ path /heavy }"] }] },
            {
                app: { ports: [81, 82] },
                heavy: {
                    servers: [0, 1].map((weight, i) => ({
                        name: `heavy${i + 1}`,
                        address: "127.0.0.1",
                        port: 83 + i,
                        check: false,
                        weight,
                    })),
                },
            },
        ),
        servers: { app1: 81, app2: 82, heavy1: 83, heavy2: 84 },
        steps: [
            ...["app1", "app2", "app1", "app2"].map((by) => ({ path: "/", status: 200, by })),
            ...["heavy2", "heavy2", "heavy2"].map((by) => ({ path: "/heavy", status: 200, by })),
        ],
    },
    "passes a tcp service through, and adds a path for an http service": {
        config: fromServices({ version: "2.2", maxconn: 100 }, [
            service("raw", 81, { protocol: "tcp", listen: 5000 }),
            service("count", 82, {
                default: true,
                httpRequestRules: [
                    { action: "set-path", format: "/clickCount%[path]", if: ["!{ path_beg /clickCount }"] },
                ],
                forwardFor: true,
            }),
        ]),
        servers: {
            raw1: { port: 81, sees: { url: "/as/it/is", "X-Forwarded-For": null } },
            count1: { port: 82, sees: { url: "/clickCount/x", "X-Forwarded-For": "127.0.0.1" } },
        },
        steps: [
            { port: 5000, path: "/as/it/is", status: 200, by: "raw1" },
            { path: "/x", status: 200, by: "count1" },
            { path: "/clickCount/x", status: 200, by: "count1" },
        ],
    },
};

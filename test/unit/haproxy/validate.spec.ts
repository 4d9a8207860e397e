import assert from "node:assert/strict";
import { slot } from "../../../components/convergence/slots";
import {
    type Backend,
    type Bind,
    type Frontend,
    type HaproxyConfig,
    otherOptions,
    type Server,
} from "../../../components/haproxy";
import { validate } from "../../../components/haproxy/validate/index";

const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };
const backend: Backend = { name: "app", servers: [server] };
const frontend: Frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
const good: HaproxyConfig = { version: "2.6", frontends: [frontend], backends: [backend] };

const withFrontend = (change: Partial<Frontend>, rest: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    ...good,
    frontends: [{ ...frontend, ...change }],
    ...rest,
});
const withBackend = (change: Partial<Backend>, rest: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    ...good,
    backends: [{ ...backend, ...change }],
    ...rest,
});
const withServer = (change: Partial<Server>): HaproxyConfig => withBackend({ servers: [{ ...server, ...change }] });
const withBinds = (...binds: Bind[]): HaproxyConfig => withFrontend({ binds });

/** Models, and the rule and path of each issue. */
const cases: Record<string, [HaproxyConfig, ...string[]]> = {
    "a good model": [good],
    "a release that is too old": [{ ...good, version: "1.8" }, "version version"],
    "a release with a patch level": [{ ...good, version: "2.6.12" }, "form version"],

    "line breaks and control characters, in keys too": [
        withFrontend({
            raw: ["option x\n    stats admin if TRUE"],
            options: otherOptions({ "httplog\n    stats": true }),
            httpRequestRules: [
                { action: "set-header", name: "X-A", format: "a\x7f" },
                { action: "return", body: "two\nlines" },
            ],
            tcpRequestRules: ["content accept\nx"],
        }),
        "control-character frontends[0].raw[0]",
        "control-character frontends[0].options",
        "control-character frontends[0].httpRequestRules[0].format",
        "control-character frontends[0].tcpRequestRules[0]",
    ],
    "tabs between words, and a line break at the end": [
        withFrontend({ raw: ["acl\ta\tpath\t/x\n"], httpRequestRules: ["deny if\ta\r\n"] }),
    ],
    "names that HAProxy refuses, or cuts at #": [
        {
            ...good,
            frontends: [{ ...frontend, name: "my site", acls: [{ name: "a b", criterion: "src 192.0.2.1" }] }],
            backends: [
                {
                    ...backend,
                    servers: [{ ...server, name: "ä/1" }],
                    serverTemplates: [{ prefix: "t#", count: 1, fqdn: "a.test", port: 80 }],
                },
            ],
            resolvers: [{ name: "dns#1", nameservers: [{ name: "a'", address: "192.0.2.53" }] }],
            peers: [
                {
                    name: "pair",
                    peers: [
                        { address: "192.0.2.1", port: 1024 },
                        { name: "b#", address: "b", port: 1 },
                    ],
                },
            ],
        },
        "name frontends[0].name",
        "name frontends[0].acls[0].name",
        "name backends[0].servers[0].name",
        "name backends[0].serverTemplates[0].prefix",
        "name resolvers[0].name",
        "name resolvers[0].nameservers[0].name",
        "name peers[0].peers[1].name",
    ],

    "an unknown default backend": [
        withFrontend({ defaultBackend: "ap" }),
        "unknown-reference frontends[0].defaultBackend",
        "unused-backend backends[0].name",
    ],
    "sections that are not declared": [
        withBackend(
            {
                from: "slow",
                errorfiles: "pages",
                stickTable: { type: "ip", size: "1k", peers: "pair" },
                stickRules: [{ rule: "on", pattern: "src", table: "other" }],
                servers: [{ ...server, resolvers: "dns" }],
                defaultServer: { resolvers: "dns" },
                httpRequestRules: [
                    { action: "cache-use", cache: "c" },
                    { action: "track-sc", counter: 0, table: "gone" },
                    { action: "track-sc", counter: 1 },
                ],
            },
            { frontends: [{ ...frontend, tcpRequestRules: [{ at: "connection", action: "track-sc", counter: 0 }] }] },
        ),
        "unknown-reference backends[0].from",
        "unknown-reference backends[0].errorfiles",
        "unknown-reference backends[0].stickTable.peers",
        "unknown-reference backends[0].stickRules[0].table",
        "unknown-reference backends[0].servers[0].resolvers",
        "unknown-reference backends[0].defaultServer.resolvers",
        "unknown-reference backends[0].httpRequestRules[0].cache",
        "unknown-reference backends[0].httpRequestRules[1].table",
        "unknown-reference frontends[0].tcpRequestRules[0].table",
    ],
    "sections that raw lines declare": [
        withBackend({
            servers: [{ ...server, resolvers: "dns" }],
            httpRequestRules: [
                { action: "cache-use", cache: "c" },
                { action: "track-sc", counter: 0, table: "rates" },
                { action: "track-sc", counter: 1, table: "pair/t" },
            ],
            raw: ["resolvers dns", "parse-resolv-conf", "cache c", "total-max-size 4", "backend rates"],
        }),
        "unknown-reference backends[0].httpRequestRules[2].table",
    ],
    "the resolvers that HAProxy has by itself": [withServer({ resolvers: "default" })],
    "passwords in plain text, and hashes": [
        withBackend(
            { cookie: { name: "S", dynamicKey: "key" } },
            {
                stats: { bind: { port: 8404 }, auth: [{ user: "o:ps", password: "hunter2" }] },
                userlists: [
                    {
                        name: "ops",
                        users: [
                            { name: "ann", password: "hunter2", insecure: true },
                            { name: "ben", password: "$5$salt$hash" },
                            { name: "eve", password: slot("eve") },
                        ],
                    },
                ],
            },
        ),
        "plain-password backends[0].cookie.dynamicKey",
        "plain-password stats.auth[0].password",
        "stats-user stats.auth[0].user",
        "plain-password userlists[0].users[0].password",
        "plain-hash userlists[0].users[1].password",
    ],

    "nothing to prove a reload by": [{ ...good, global: { statsSockets: [] } }, "no-stats-socket global.statsSockets"],
    "settings that raw lines repeat": [
        { ...good, global: { raw: ["maxconn 5", "  user\troot", "maxconnrate 5", "tune.bufsize 32768"] } },
        "duplicate-setting global.raw[0]",
        "duplicate-setting global.raw[1]",
    ],
    "durations that mean no limit": [
        {
            ...withBackend({ timeouts: { queue: "0", tunnel: "0" } }),
            global: { hardStopAfter: "0s" },
            defaults: { timeouts: { httpRequest: "0ms", check: "1ms" } },
            namedDefaults: [{ name: "slow", timeouts: { httpKeepAlive: "0" } }],
        },
        "zero-duration backends[0].timeouts.queue",
        "zero-duration global.hardStopAfter",
        "zero-duration defaults.timeouts.httpRequest",
        "zero-duration namedDefaults[0].timeouts.httpKeepAlive",
    ],
    "a statistics page that everybody may read": [
        { ...good, stats: { bind: { address: ["127.0.0.1", "::"], port: 8404 } } },
        "open-stats stats",
    ],
    "a statistics page on an address of its own": [{ ...good, stats: { bind: { address: "192.0.2.1", port: 8404 } } }],
    "a statistics page that no request gets": [
        { ...good, stats: { bind: { address: "192.0.2.1", port: 8404 }, uri: "stats" } },
        "stats-uri stats.uri",
    ],

    "duplicate binds, however they are written": [
        {
            ...withBinds(
                { port: 80 },
                { address: "0.0.0.0", port: 80, acceptProxy: true },
                { address: "*", port: 8404 },
                { address: "2001:DB8:0::1", port: 81 },
                { address: ["127.0.0.1", "2001:db8::1"], port: 81, maxconn: 5 },
                { port: 8000, portEnd: 8010 },
                { port: 8005, name: "odd" },
                { port: 8005, interface: "eth1" },
                { path: "/run/a" },
                { path: "/run/a", mode: "600" },
            ),
            stats: { bind: { port: 8404 }, auth: [{ user: "ops", password: slot("stats-password") }] },
        },
        "duplicate-bind frontends[0].binds[1]",
        "duplicate-bind frontends[0].binds[4]",
        "duplicate-bind frontends[0].binds[6]",
        "duplicate-bind frontends[0].binds[9]",
        "duplicate-bind stats.bind",
    ],
    "binds that share a port as meant": [
        withBinds(
            { port: 80, raw: "thread 1" },
            { port: 80, raw: "thread 2" },
            { port: 80, raw: "interface eth1" },
            { port: 81 },
            { port: 81 },
        ),
    ],
    "peers where a frontend listens": [
        { ...good, peers: [{ name: "fleet", peers: [{ address: "127.0.0.1", port: 80 }] }] },
        "duplicate-bind peers[0].peers[0]",
    ],
    "binds to host names": [withBinds({ address: ["127.0.0.1", "lb1"], port: 82 })],
    "binds to sockets, and to two addresses in one": [
        withBinds({ address: "/run/x", port: 83 }, { address: "192.0.2.1:84,192.0.2.2", port: 84 }),
        "bind-address frontends[0].binds[0].address",
        "bind-address frontends[0].binds[1].address",
    ],

    "mailers by host name": [
        { ...good, mailers: [{ name: "mail", mailers: [{ name: "smtp", address: "mail.example.com" }] }] },
    ],
    "acls that nothing uses": [
        withFrontend({
            acls: [
                { name: "api", pathBeg: ["/api/"] },
                { name: "x", path: ["/x"] },
            ],
            raw: ["http-request deny if !x"],
        }),
        "unused-acl frontends[0].acls[0].name",
    ],
    "hosts and paths that never match": [
        withFrontend({
            acls: [
                { name: "a", host: ["shop.example.com:8080", "*.example.com", "shop.example.com.", "192.0.2.1"] },
                { name: "a", path: ["x", "/x?y", "/*"] },
                { name: "a", pathBeg: ["https://x/"] },
            ],
            raw: ["http-request deny if a"],
        }),
        "acl-never-matches frontends[0].acls[0].host[0]",
        "acl-never-matches frontends[0].acls[0].host[1]",
        "acl-never-matches frontends[0].acls[1].path[0]",
        "acl-never-matches frontends[0].acls[1].path[1]",
        "acl-never-matches frontends[0].acls[2].pathBeg[0]",
    ],
    "headers that HTTP does not allow": [
        withBackend({
            httpRequestRules: [
                { action: "set-header", name: "X A", format: "a" },
                { action: "return", headers: { "X:": "", "X-B": "" }, if: ["{ path /x }"] },
            ],
            httpResponseRules: [{ action: "del-header", name: "Server:" }],
            httpChecks: [{ step: "send", uri: "/", headers: { "A B": "c" } }],
        }),
        "header-name backends[0].httpRequestRules[0].name",
        "header-name backends[0].httpRequestRules[1].headers.X:",
        "header-name backends[0].httpResponseRules[0].name",
        "header-name backends[0].httpChecks[0].headers.A B",
    ],
    "rules of TCP behind one that always ends the evaluation": [
        withBackend(
            { tcpResponseRules: [{ action: "close" }, "content accept if { res.len gt 0 }"] },
            {
                frontends: [
                    {
                        ...frontend,
                        tcpRequestRules: [
                            { at: "connection", action: "accept" },
                            { at: "content", action: "reject", if: ["{ src 192.0.2.1 }"] },
                            "content accept if TRUE",
                            "content reject",
                            "inspect-delay 5s",
                            { at: "content", action: "accept" },
                        ],
                    },
                ],
            },
        ),
        "unreachable-rule backends[0].tcpResponseRules[1]",
        "unreachable-rule frontends[0].tcpRequestRules[5]",
    ],
    "backends behind one that has no condition": [
        withFrontend({ useBackends: [{ backend: "app" }] }),
        "unreachable-rule frontends[0].useBackends[0]",
    ],
    "raw rules before declared ones of their kind": [
        withFrontend({
            raw: [
                "http-request deny if METH_TRACE",
                "http-response set-header Strict-Transport-Security max-age=31536000",
                "tcp-request  content reject if FALSE",
                "tcp-request connection accept",
                "tcp-request inspect-delay 5s",
                "use_backend app unless METH_PUT",
                "redirect scheme https if !{ ssl_fc }",
            ],
            tcpRequestRules: ["content accept", "inspect-delay 1s"],
            httpRequestRules: [{ action: "redirect", scheme: "https", if: ["METH_GET"] }],
            useBackends: [{ backend: "app", if: ["METH_GET"] }],
        }),
        "raw-before-rules frontends[0].raw[0]",
        "raw-before-rules frontends[0].raw[2]",
    ],

    "backends without servers": [
        {
            ...good,
            backends: [
                { name: "app", servers: [] },
                { name: "errors", servers: [], raw: ["errorfile 503 /etc/haproxy/sorry.http"] },
                { name: "table", servers: [], stickTable: { type: "ip", size: "1k" } },
            ],
            frontends: [{ ...frontend, raw: ["use_backend %[path]"] }],
        },
        "no-servers backends[0].servers",
    ],
    "servers of which none has a weight": [
        {
            ...good,
            backends: [
                { name: "app", servers: [{ ...server, weight: 0 }] },
                { name: "a", servers: [server], defaultServer: { weight: 0 } },
                { name: "b", servers: [{ ...server, weight: 1 }], defaultServer: { weight: 0 } },
                { name: "c", servers: [{ ...server, weight: 0 }], raw: ["server x 192.0.2.9:80"] },
            ],
            frontends: [{ ...frontend, raw: ["use_backend %[path]"] }],
        },
        "zero-weights backends[0].servers",
        "zero-weights backends[1].servers",
    ],
    "a backend that nothing uses, unless a name is computed": [
        { ...good, backends: [backend, { name: "old", servers: [server] }] },
        "unused-backend backends[1].name",
    ],
    "addresses of servers that are none": [
        withBackend({
            servers: [
                "10.211.55.5/clickCount",
                "https://app1.test/",
                "192.0.2.1:8080",
                "192.0.2.256",
                "unix@/run/x",
                "a b",
            ].map((address, i) => ({ name: `s${i}`, address, port: 80 })),
            serverTemplates: [{ prefix: "t", count: 2, fqdn: "app.test:80", port: 80 }],
        }),
        ...[0, 1, 2, 3, 4, 5].map((i) => `server-address backends[0].servers[${i}].address`),
        "server-address backends[0].serverTemplates[0].fqdn",
    ],
    "addresses of servers": [
        withBackend({
            servers: ["2001:db8::1", "app1", "_http._tcp.app.test.", "*"].map((address, i) => ({
                name: `s${i}`,
                address,
                port: 80,
            })),
        }),
    ],
    "certificates of any host": [
        {
            ...good,
            frontends: [{ ...frontend, useBackends: [{ backend: "some", if: ["TRUE"] }] }],
            backends: [
                {
                    ...backend,
                    defaultServer: { ssl: { caFile: "/ca.pem" } },
                    servers: ["app1", "app2"].map((name) => ({ ...server, name })),
                },
                {
                    name: "some",
                    defaultServer: { ssl: { caFile: "/ca.pem" } },
                    servers: [
                        { ...server, name: "a", ssl: { caFile: "/ca.pem" } },
                        { ...server, name: "b", ssl: { caFile: "/ca.pem", verifyhost: "b.test" } },
                        { ...server, name: "c", ssl: { caFile: "/ca.pem", sni: "str(c.test)" } },
                        { ...server, name: "d", raw: "sni req.hdr(host)" },
                        { ...server, name: "e", ssl: { verify: "none" } },
                    ],
                },
            ],
        },
        "unverified-name backends[0].defaultServer.ssl",
        "unverified-name backends[1].servers[0].ssl",
    ],
    "cookies that keep no client": [
        {
            ...withBackend({ cookie: { name: "SRV" }, servers: [server, { ...server, name: "app2", cookie: "b" }] }),
            listens: [{ name: "l", binds: [{ port: 81 }], servers: [{ ...server, cookie: "a" }] }],
        },
        "server-without-cookie backends[0].servers[0].cookie",
        "unused-cookie listens[0].servers[0].cookie",
    ],
    "a balance by source behind another proxy": [
        withBackend({ balance: "source", httpRequestRules: ["deny if { hdr_ip(x-forwarded-for,-1) 192.0.2.9 }"] }),
        "balance-behind-proxy backends[0].balance",
    ],
    "a balance by source that is made the client's": [
        withBackend({ balance: "source", httpRequestRules: ["set-src hdr_ip(x-forwarded-for,-1)"] }),
    ],
    "checks that are not HTTP": [
        withBackend({ httpchk: { uri: "health z", host: "http://x" } }),
        "check-request backends[0].httpchk.uri",
        "check-request backends[0].httpchk.host",
    ],
    "checks of every form that is HTTP": [
        withBackend({
            httpChecks: [
                { step: "send", method: "OPTIONS", uri: "*" },
                { step: "expect", match: "status 200" },
                { step: "connect" },
                { step: "send", uri: "http://x/", version: "HTTP/1.1", headers: { host: "x" } },
            ],
        }),
    ],
    "a check by HTTP/1.1 without a host": [
        withBackend({ httpchk: { uri: "/", version: "HTTP/1.1" } }),
        "check-without-host backends[0].httpchk.version",
    ],
    "a check that hides headers": [
        {
            ...withBackend({ options: { httpchk: "HEAD /h HTTP/1.1\\r\\nHost:\\ x" } }),
            defaults: { options: { httpchk: "GET / HTTP/1.1\r\nHost: x" } },
        },
        "check-hidden-host backends[0].options.httpchk",
        "check-hidden-host defaults.options.httpchk",
    ],
    "checks that only connect, although others ask": [
        withBackend(
            { httpchk: { uri: "/" } },
            {
                listens: [
                    { name: "api", binds: [{ port: 81 }], servers: [server] },
                    { name: "raw", binds: [{ port: 82 }], servers: [server], raw: ["option httpchk GET /"] },
                    { name: "meant", binds: [{ port: 83 }], servers: [server], tcpChecks: [{ step: "connect" }] },
                    { name: "unchecked", binds: [{ port: 84 }], servers: [{ ...server, check: false }] },
                    { name: "db", mode: "tcp", binds: [{ port: 85 }], servers: [server] },
                    { name: "redis", binds: [{ port: 86 }], servers: [server], options: { "redis-check": true } },
                ],
            },
        ),
        "connect-only-check listens[0].httpchk",
    ],
};

describe("validate", () => {
    for (const [title, [config, ...expected]] of Object.entries(cases)) {
        it(`${expected.length === 0 ? "accepts" : "finds"} ${title}`, () => {
            const found = validate(config).map(({ rule, path }) => `${rule} ${path}`);
            assert.deepEqual(found.sort(), [...expected].sort());
        });
    }

    it("does not show a password, and keeps a message on one line", () => {
        const messages = (config: HaproxyConfig) => validate(config).map(({ message }) => message);
        const stats = { bind: { port: 8404 }, auth: [{ user: "ops", password: "hunter2" }] };
        assert.equal(
            messages({ ...good, stats }).some((message) => message.includes("hunter2")),
            false,
        );
        assert.equal(
            messages(withServer({ name: "a\nb" })).some((message) => message.includes("\n")),
            false,
        );
    });
});

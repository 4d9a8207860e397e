import assert from "node:assert/strict";
import { slot } from "../../../components/convergence/slots";
import type { Backend, Frontend, HaproxyConfig, Server } from "../../../components/haproxy/model";
import { validate } from "../../../components/haproxy/validate/index";

const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };
const backend: Backend = { name: "app", servers: [server] };
const frontend: Frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
const good: HaproxyConfig = { version: "2.6", frontends: [frontend], backends: [backend] };

const withFrontend = (change: Partial<Frontend>): HaproxyConfig => ({
    ...good,
    frontends: [{ ...frontend, ...change }],
});
const withBackend = (change: Partial<Backend>): HaproxyConfig => ({ ...good, backends: [{ ...backend, ...change }] });
const withServer = (change: Partial<Server>): HaproxyConfig => withBackend({ servers: [{ ...server, ...change }] });

/** What is wrong in a model: severity, path and message of each issue. */
const cases: Record<string, [HaproxyConfig, ...string[]]> = {
    "a good model": [good],
    "a version without -dW": [
        { ...good, version: "1.8" },
        'error version: invalid HAProxy version "1.8": use 2.2 or later, like "2.6"',
    ],
    "a version with a patch level": [
        { ...good, version: "2.6.12" },
        'error version: invalid HAProxy version "2.6.12": use 2.2 or later, like "2.6"',
    ],
    "an unknown default backend": [
        withFrontend({ defaultBackend: "ap" }),
        'error frontends[0].defaultBackend: unknown backend "ap" in frontend http: declared are app',
        "warning backends[0].name: no frontend uses backend app: use it or remove it",
    ],
    "an unknown backend in a rule": [
        withFrontend({ useBackends: [{ backend: "x", if: ["TRUE"] }] }),
        'error frontends[0].useBackends[0].backend: unknown backend "x" in frontend http: declared are app',
    ],
    "an unknown acl": [
        withFrontend({ useBackends: [{ backend: "app", if: ["!api", "{ path /x }", "or", "METH_GET"] }] }),
        'error frontends[0].useBackends[0].if[0]: unknown acl "api" in a condition of frontend http: no acl is declared, or write it out like "{ path_beg /api }"',
    ],
    "an acl declared in a raw line": [
        withFrontend({ raw: ["acl api path_beg /api"], useBackends: [{ backend: "app", if: ["api"] }] }),
    ],
    "rules after one without a condition": [
        withFrontend({ useBackends: [{ backend: "app" }] }),
        "warning frontends[0].useBackends[0]: use_backend app in frontend http has no condition, so nothing after it is ever used",
    ],
    "an acl that nothing uses": [
        withFrontend({ acls: [{ name: "api", pathBeg: ["/api/"] }] }),
        "warning frontends[0].acls[0].name: acl api of frontend http is never used: use it or remove it",
    ],
    "host names that never match": [
        withFrontend({
            acls: [{ name: "shop", host: ["shop.example.com:8080", "*.example.com"] }],
            raw: ["http-request deny if shop"],
        }),
        'error frontends[0].acls[0].host[0]: invalid host name "shop.example.com:8080" in acl shop of frontend http: use a name without scheme, port or wildcard; for a whole domain use criterion "hdr_end(host) -i .example.com"',
        'error frontends[0].acls[0].host[1]: invalid host name "*.example.com" in acl shop of frontend http: use a name without scheme, port or wildcard; for a whole domain use criterion "hdr_end(host) -i .example.com"',
    ],
    "paths that never match": [
        withFrontend({
            acls: [
                { name: "a", path: ["x"] },
                { name: "a", pathBeg: [] },
            ],
            raw: ["http-request deny if a"],
        }),
        'error frontends[0].acls[0].path[0]: path "x" in acl a of frontend http never matches: begin it with "/"',
        "error frontends[0].acls[1].pathBeg: no value in acl a of frontend http, so it never matches: add one",
    ],
    "a host acl in mode tcp": [
        {
            ...withFrontend({
                mode: "tcp",
                acls: [{ name: "shop", host: ["shop.example.com"] }],
                useBackends: [{ backend: "app", if: ["shop"] }],
            }),
        },
        "error frontends[0].acls[0]: acl shop of frontend http needs mode http: tcp has neither host nor path",
    ],
    "modes that do not fit": [
        withBackend({ mode: "tcp" }),
        "error frontends[0].defaultBackend: backend app has mode tcp but frontend http has mode http: give both the same",
    ],
    "duplicate names": [
        {
            ...good,
            frontends: [frontend, { ...frontend, binds: [{ port: 81 }] }],
            backends: [{ ...backend, servers: [server, { ...server, address: "192.0.2.2" }] }, backend],
        },
        'error frontends[1].name: duplicate frontend "http": give each its own name',
        'error backends[1].name: duplicate backend "app": give each its own name',
        'error backends[0].servers[1].name: duplicate server in backend app "app1": give each its own name',
    ],
    "a frontend named like the statistics page": [
        { ...withFrontend({ name: "stats" }), stats: { bind: { address: "127.0.0.1", port: 8404 } } },
        'error stats: duplicate frontend "stats": give each its own name',
    ],
    "duplicate binds, however they are written": [
        {
            ...withFrontend({
                binds: [
                    { port: 80 },
                    { address: "0.0.0.0", port: 80 },
                    { address: "*", port: 8404 },
                    { address: "2001:DB8:0::1", port: 81 },
                    { address: "2001:db8::1", port: 81 },
                ],
            }),
            stats: { bind: { port: 8404 }, auth: [{ user: "ops", password: slot("stats-password") }] },
        },
        "error frontends[0].binds[1]: duplicate bind *:80 of frontend http: frontend http has it; connections would go to either",
        "error frontends[0].binds[4]: duplicate bind 2001:db8::1:81 of frontend http: frontend http has it; connections would go to either",
        "error stats.bind: duplicate bind *:8404 of the stats page: frontend http has it; connections would go to either",
    ],
    "binds of several addresses": [
        withFrontend({
            binds: [
                { address: ["*", "::"], v6only: true, port: 80 },
                { address: [], port: 81 },
                { address: ["127.0.0.1", "lb1"], port: 82 },
                { address: ["::1", "::"], port: 80 },
            ],
        }),
        "error frontends[0].binds[1].address: no address for a bind of frontend http: name one, or leave it out for all of IPv4",
        'error frontends[0].binds[2].address[1]: invalid address "lb1" of a bind of frontend http: use an IP address, or "*" for all',
        "error frontends[0].binds[3]: duplicate bind :::80 of frontend http: frontend http has it; connections would go to either",
    ],
    "a statistics page that anybody may read": [
        { ...good, stats: { bind: { address: ["127.0.0.1", "::"], port: 8404 } } },
        "warning stats: the stats page is open to everybody who reaches port 8404 of the host, and shows all servers: give it auth, or bind it to an address such as 127.0.0.1",
    ],
    "a statistics page on an address of its own": [{ ...good, stats: { bind: { address: "192.0.2.1", port: 8404 } } }],
    "certificates that are anybody's": [
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
        "warning backends[0].defaultServer.ssl: no name to verify in the certificate of the servers of backend app, so that anybody's passes whom the ca-file trusts: add verifyhost, or sni",
        "warning backends[1].servers[0].ssl: no name to verify in the certificate of server a of backend some, so that anybody's passes whom the ca-file trusts: add verifyhost, or sni",
    ],
    "names HAProxy refuses": [
        {
            ...good,
            frontends: [{ ...frontend, name: "my site" }],
            backends: [{ ...backend, servers: [{ ...server, name: "ä/1" }] }],
        },
        'error frontends[0].name: invalid name "my site" of a frontend: use letters, digits, "-", "_", "." and ":"',
        'error backends[0].servers[0].name: invalid name "ä/1" of a server of backend app: use letters, digits, "-", "_", "." and ":"',
    ],
    "a name with a line break, kept on one line": [
        withServer({ name: "a\nb", port: 0 }),
        'error backends[0].servers[0].name: invalid name "a\\nb" of a server of backend app: use letters, digits, "-", "_", "." and ":"',
        "error backends[0].servers[0].port: invalid port 0 of server a\\x0ab of backend app: use a whole number from 1 to 65535",
    ],
    "a balance by content in mode tcp": [
        { ...withBackend({ balance: "uri" }), defaults: { mode: "tcp" } },
        'error backends[0].balance: balance "uri" of backend app needs mode http: use another',
    ],
    "wrong ports": [
        { ...withServer({ port: 0 }), frontends: [{ ...frontend, binds: [{ port: 65_536 }, { port: 80.5 }] }] },
        "error frontends[0].binds[0].port: invalid port 65536 of a bind of frontend http: use a whole number from 1 to 65535",
        "error frontends[0].binds[1].port: invalid port 80.5 of a bind of frontend http: use a whole number from 1 to 65535",
        "error backends[0].servers[0].port: invalid port 0 of server app1 of backend app: use a whole number from 1 to 65535",
    ],
    "a path in a server's address": [
        withServer({ address: "10.211.55.5/clickCount" }),
        'error backends[0].servers[0].address: path "/clickCount" in address "10.211.55.5/clickCount" of server app1 of backend app: HAProxy drops it silently before 2.9 and refuses to start from 2.9; to check that path use httpchk.uri "/clickCount", to serve under it the raw line "http-request set-path /clickCount%[path]"',
    ],
    "a scheme in a server's address": [
        withServer({ address: "https://app1.example.com/" }),
        'error backends[0].servers[0].address: scheme "https://" in address "https://app1.example.com/" of server app1 of backend app: HAProxy takes it for a name to resolve; give the bare address, and the port beside it',
    ],
    "a port in a server's address": [
        withServer({ address: "192.0.2.1:8080" }),
        'error backends[0].servers[0].address: port in address "192.0.2.1:8080" of server app1 of backend app: give it as "port"',
    ],
    "an address that is none": [
        withServer({ address: "192.0.2.256" }),
        'error backends[0].servers[0].address: invalid address "192.0.2.256" of server app1 of backend app: use an IP address or a host name',
    ],
    "a bind to a name": [
        withFrontend({ binds: [{ address: "lb.example.com", port: 80 }] }),
        'error frontends[0].binds[0].address: invalid address "lb.example.com" of a bind of frontend http: use an IP address, or "*" for all',
    ],
    "nothing to listen on and nobody to serve": [
        { ...good, frontends: [{ ...frontend, binds: [] }], backends: [{ ...backend, servers: [] }] },
        "error frontends[0].binds: no bind in frontend http: add one with a port",
        "error backends[0].servers: no server in backend app, so every request gets a 503: add one",
    ],
    durations: [
        {
            ...good,
            global: { hardStopAfter: "10 minutes" },
            defaults: { timeouts: { client: "25d", server: "0s", check: "5000" } },
        },
        'error global.hardStopAfter: invalid duration "10 minutes" of hard-stop-after of global: use a number and us, ms, s, m, h or d, like "30s"',
        'error defaults.timeouts.client: duration "25d" of timeout client of defaults is too long for HAProxy: use at most "24d"',
        'error defaults.timeouts.server: duration "0s" of timeout server of defaults means no limit at all: use a positive one',
    ],
    "lines that would break the file": [
        { ...withBackend({ raw: ["option x\n    stats admin if TRUE", 'http-request set-header a "b'] }) },
        'error backends[0].raw[0]: control character in a raw line of backend app "option x\\n    stats admin if TRUE": remove it',
        'error backends[0].raw[1]: unclosed quote " in a raw line of backend app "http-request set-header a \\"b": close it or escape it with a backslash',
    ],
    "a health check that would be sent wrongly": [
        withBackend({ httpchk: { uri: "http://x/health z", version: "HTTP/1.1" } }),
        'error backends[0].httpchk.uri: space, quote or backslash in httpchk uri of backend app "http://x/health z": remove or percent-encode it',
        'error backends[0].httpchk.uri: invalid httpchk uri "http://x/health z" of backend app: begin it with "/"; the host goes into httpchk.host',
        "error backends[0].httpchk.version: httpchk of backend app says HTTP/1.1 without a host: add httpchk.host",
    ],
    "keywords newer than the version": [
        {
            ...withFrontend({
                options: { "idle-close-on-response": true },
                raw: ["use_backend app if { hdr(host),host_only x.example }"],
            }),
            version: "2.4",
        },
        'error frontends[0].options.idle-close-on-response: keyword "option idle-close-on-response" in frontend http "option idle-close-on-response" needs HAProxy 2.6, but the declared version is 2.4: remove it or raise the declared version',
        'error frontends[0].raw[0]: keyword "host_only" in a raw line of frontend http "use_backend app if { hdr(host),host_only x.example }" needs HAProxy 2.7, but the declared version is 2.4: use field(1,:)',
    ],
    "keywords by where they stand": [
        {
            ...withServer({ raw: "ws h1 init-state up" }),
            version: "2.4",
            global: { raw: ["set-var proc.x int(1)", "setcap cap_net_bind_service", "process 1"] },
            frontends: [
                { ...frontend, binds: [{ port: 80, raw: "shards by-thread" }], raw: ["bind :81 shards 2", "guid x"] },
            ],
        },
        'error global.raw[1]: keyword "setcap" in a raw line of global "setcap cap_net_bind_service" needs HAProxy 2.9, but the declared version is 2.4: remove it or raise the declared version',
        'error frontends[0].raw[0]: keyword "shards" in a raw line of frontend http "bind :81 shards 2" needs HAProxy 2.5, but the declared version is 2.4: remove it or raise the declared version',
        'error frontends[0].raw[1]: keyword "guid" in a raw line of frontend http "guid x" needs HAProxy 3.0, but the declared version is 2.4: remove it or raise the declared version',
        'error frontends[0].binds[0].raw: keyword "shards" in a bind of frontend http "shards by-thread" needs HAProxy 2.5, but the declared version is 2.4: remove it or raise the declared version',
        'error backends[0].servers[0].raw: keyword "ws" in server app1 of backend app "ws h1 init-state up" needs HAProxy 2.5, but the declared version is 2.4: remove it or raise the declared version',
        'error backends[0].servers[0].raw: keyword "init-state" in server app1 of backend app "ws h1 init-state up" needs HAProxy 3.1, but the declared version is 2.4: remove it or raise the declared version',
    ],
    "a keyword that is gone": [
        withBackend({ raw: ["reqadd X-Via:\\ lb"] }),
        'error backends[0].raw[0]: keyword "reqadd" in a raw line of backend app "reqadd X-Via:\\\\ lb" is gone since HAProxy 2.1, but the declared version is 2.6: use http-request rules',
    ],
    "limits out of range": [
        {
            ...withServer({ weight: 257, maxconn: 0 }),
            global: { maxconn: 100 },
            frontends: [{ ...frontend, maxconn: 200 }],
        },
        "error frontends[0].maxconn: maxconn of frontend http (the process has 100) is 200: use a whole number from 1 to 100",
        "error backends[0].servers[0].weight: weight of server app1 of backend app is 257: use a whole number from 0 to 256",
        "error backends[0].servers[0].maxconn: maxconn of server app1 of backend app is 0: use a whole number from 1 to 10000000",
    ],
    "a time for requests in a backend that does not wait for bodies": [
        withBackend({ timeouts: { httpRequest: "20s" } }),
        "error backends[0].timeouts.httpRequest: timeout http-request in backend app, where HAProxy ignores it: put it into the frontend",
    ],
    "a time for requests in a backend that waits for bodies as its defaults say": [
        {
            ...withBackend({ timeouts: { httpRequest: "20s" } }),
            defaults: { options: { "http-buffer-request": true } },
        },
    ],
    "answers of DNS that hold for no time: only those that are gone may": [
        {
            ...good,
            resolvers: [{ name: "dns", nameservers: [], parseResolvConf: true, hold: { obsolete: "0s", valid: "0s" } }],
        },
        'error resolvers[0].hold.valid: duration "0s" of valid of resolvers dns means no limit at all: use a positive one',
    ],
    "a balance HAProxy does not know": [
        withBackend({ balance: "round-robin" }),
        'error backends[0].balance: unknown balance "round-robin" of backend app: use roundrobin, leastconn, source, first, random, uri, static-rr, url_param, hdr(name), hash or rdp-cookie',
    ],
    "a password in plain text, which is not repeated": [
        { ...good, stats: { bind: { port: 8404 }, auth: [{ user: "o:ps", password: "hunter2" }] } },
        'error stats.auth[0].user: colon in user "o:ps" of the stats page: it would begin the password',
        'error stats.auth[0].password: password of user "o:ps" of the stats page is plain text: use a secret',
    ],
    "a password in a slot": [
        { ...good, stats: { bind: { port: 8404 }, auth: [{ user: "ops", password: slot("stats-password") }] } },
    ],
    "nothing to prove a reload by": [
        { ...good, global: { statsSockets: [] } },
        "error global.statsSockets: no stats socket: without one the running configuration cannot be proved",
    ],
};

describe("check", () => {
    for (const [title, [config, ...expected]] of Object.entries(cases)) {
        it(`${expected.length === 0 ? "passes" : "fails on"} ${title}`, () => {
            const found = validate(config).map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
            assert.deepEqual(found.sort(), [...expected].sort());
        });
    }
});

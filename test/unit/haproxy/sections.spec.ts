import assert from "node:assert/strict";
import { slot } from "../../../components/convergence/slots";
import { hostRequirements } from "../../../components/haproxy/host/requirements";
import type { Backend, Bind, HaproxyConfig, Server } from "../../../components/haproxy/model";
import { validate } from "../../../components/haproxy/validate/index";

const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };
const model = (backend: Partial<Backend>, rest: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [server], ...backend }],
    ...rest,
});
const bound = (...binds: Bind[]): HaproxyConfig =>
    model({}, { frontends: [{ name: "http", binds, defaultBackend: "app" }] });

const faults: Record<string, [HaproxyConfig, ...string[]]> = {
    "names of sections that do not exist": [
        model({
            from: "slow",
            errorfiles: "pages",
            stickTable: { type: "ip", size: "1k", peers: "pair" },
            stickRules: [{ rule: "on", pattern: "src", table: "other" }],
            servers: [{ ...server, resolvers: "dns" }],
            httpRequestRules: [
                { action: "auth", if: ["!{ http_auth(ops) }"] },
                { action: "cache-use", cache: "c" },
                { action: "deny", if: ["{ sc_http_req_rate(0,rates) gt 1 }"] },
                "track-sc0 src table gone",
            ],
        }),
        'error backends[0].from: unknown defaults "slow" in backend app: no defaults is declared',
        'error backends[0].errorfiles: unknown http-errors "pages" in backend app: no http-errors is declared',
        'error backends[0].stickTable.peers: unknown peers "pair" in backend app: no peers is declared',
        'error backends[0].stickRules[0].table: unknown table "other" in backend app: declared are app',
        'error backends[0].servers[0].resolvers: unknown resolvers "dns" in server app1 of backend app: declared are default',
        'error backends[0].httpRequestRules[0].if[0]: unknown userlist "ops" in backend app: no userlist is declared',
        'error backends[0].httpRequestRules[1].cache: unknown cache "c" in backend app: no cache is declared',
        'error backends[0].httpRequestRules[2].if[0]: unknown table "rates" in backend app: declared are app',
        'error backends[0].httpRequestRules[3]: unknown table "gone" in backend app: declared are app',
    ],
    "cookies that keep nobody": [
        model({ cookie: { name: "SRV" }, servers: [server, { ...server, name: "app2", cookie: "b" }] }),
        "warning backends[0].servers[0].cookie: no cookie value for server app1 of backend app, so its clients do not stay: give it one, or the cookie a dynamicKey",
    ],
    "two kinds of check, and a second request without a connection": [
        model({
            protocolCheck: { protocol: "redis" },
            httpChecks: [
                { step: "send", uri: "/" },
                { step: "expect", match: "status 200" },
                { step: "send", uri: "/b" },
            ],
        }),
        "error backends[0].protocolCheck: httpChecks and protocolCheck of backend app: HAProxy has one kind of check, take one",
        "error backends[0].httpChecks[2]: send after an expect in a check of backend app, which HAProxy refuses: connect anew before it",
    ],
    "a balance by source behind another proxy": [
        model({ balance: "source", httpRequestRules: ["deny if { hdr_ip(x-forwarded-for,-1) 192.0.2.9 }"] }),
        'warning backends[0].balance: balance source of backend app goes by the address of the proxy before it, as backend app reads X-Forwarded-For: use "hdr(X-Forwarded-For)", or the proxy protocol',
    ],
    "nothing in a balance by source where the source is made the client's": [
        model({ balance: "source", httpRequestRules: ["set-src hdr_ip(x-forwarded-for,-1)"] }),
    ],
    "checks that ask nothing, where others ask": [
        model(
            { httpchk: { uri: "/" } },
            {
                listens: [
                    { name: "api", binds: [{ port: 81 }], servers: [server] },
                    { name: "raw", binds: [{ port: 82 }], servers: [server], raw: ["http-check expect status 200"] },
                    { name: "meant", binds: [{ port: 83 }], servers: [server], tcpChecks: [{ step: "connect" }] },
                    { name: "unchecked", binds: [{ port: 84 }], servers: [{ ...server, check: false }] },
                    { name: "db", mode: "tcp", binds: [{ port: 85 }], servers: [server] },
                ],
            },
        ),
        'warning listens[0].httpchk: servers of listen api are merely connected to, those of backend app are asked by HTTP: give it a httpchk, or say tcpChecks [{ step: "connect" }] if that is meant',
        "warning listens[1].raw[0]: http-check in listen raw without option httpchk, so servers are merely connected to: use httpchk or httpChecks",
    ],
    "a rule newer than the version, once": [
        model({ httpRequestRules: ["sc-add-gpc(0,0) 1"] }),
        'error backends[0].httpRequestRules[0]: keyword "sc-add-gpc" in a http-request rule of backend app "http-request sc-add-gpc(0,0) 1" needs HAProxy 2.8, but the declared version is 2.6: remove it or raise the declared version',
    ],
    "TLS that verifies nobody": [
        model({ servers: [{ ...server, ssl: {} }] }),
        'error backends[0].servers[0].ssl: TLS without a ca-file to server app1 of backend app, so that no certificate can be verified: add caFile, or say verify "none"',
    ],
    "binds that overlap, or lack a part": [
        bound(
            { port: 90, portEnd: 80 },
            { port: 8000, portEnd: 8010 },
            { port: 8005 },
            { port: 8005, interface: "eth1" },
            { path: "run/x.sock", mode: "9" },
            { port: 443, ssl: { crt: [], verify: "required" } },
        ),
        "error frontends[0].binds[0].portEnd: last port of a bind of frontend http is 80: use a whole number from 90 to 65535",
        "error frontends[0].binds[2]: duplicate bind *:8005 of frontend http: frontend http has it; connections would go to either",
        'error frontends[0].binds[4].path: relative path "run/x.sock" of socket of frontend http: use an absolute one',
        'error frontends[0].binds[4].mode: invalid mode "9" of a socket of frontend http: use octal like "600"',
        "error frontends[0].binds[5].ssl.crt: no certificate for a TLS bind of frontend http: name one",
        "error frontends[0].binds[5].ssl.verify: verify required without a ca-file of frontend http: add caFile",
    ],
    "as many certificates as a line has words for, and one more": [
        bound(
            { port: 443, ssl: { crt: Array.from({ length: 29 }, (_, i) => `/etc/ssl/${i}.pem`) } },
            { port: 444, ssl: { crt: Array.from({ length: 30 }, (_, i) => `/etc/ssl/${i}.pem`) } },
        ),
        "error frontends[0].binds[1].ssl.crt: a TLS bind of frontend http has 65 words, and HAProxy reads 64 of a line: name a directory that holds its certificates",
    ],
    "peers where others listen": [
        model({}, { peers: [{ name: "fleet", peers: [{ address: "127.0.0.1", port: 80 }] }] }),
        "error peers[0].peers[0]: duplicate bind *:80 of peers fleet: frontend http has it; connections would go to either",
    ],
    "passwords in plain text, and users nobody knows": [
        model(
            {},
            {
                userlists: [
                    {
                        name: "ops",
                        groups: [{ name: "g", users: ["ben"] }],
                        users: [
                            { name: "ann", password: "hunter2" },
                            { name: "eve", password: slot("eve") },
                        ],
                    },
                ],
            },
        ),
        'error userlists[0].users[0].password: password of user "ann" of userlist ops is plain text: use a secret',
        'error userlists[0].groups[0].users[0]: unknown user "ben" in group g of userlist ops: declare it there',
    ],
    "named defaults and caches by Vary before 2.4": [
        model(
            {},
            {
                version: "2.2",
                namedDefaults: [{ name: "slow" }],
                caches: [{ name: "c", totalMaxSize: 5000, processVary: true }],
            },
        ),
        "error namedDefaults: defaults by name need HAProxy 2.4, but the declared version is 2.2",
        "error caches[0].totalMaxSize: total-max-size of cache c is 5000: use a whole number from 1 to 4095",
        'error caches[0].processVary: keyword "process-vary" in cache c "process-vary on" needs HAProxy 2.4, but the declared version is 2.2: remove it or raise the declared version',
    ],
};

describe("sections", () => {
    for (const [title, [config, ...expected]] of Object.entries(faults)) {
        it(`finds ${title}`, () => {
            const found = validate(config).map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
            assert.deepEqual(found.sort(), [...expected].sort());
        });
    }
});

describe("hostNeeds of binds", () => {
    it("names every port, http only where a plain request is answered, and who cannot connect there", () => {
        const config = bound(
            { port: 80 },
            { port: 443, ssl: { crt: ["/x"] } },
            { port: 81, acceptProxy: true },
            { port: 82, raw: "ssl crt /x" },
            { port: 90, portEnd: 91 },
            { port: 83, interface: "eth1" },
            { address: "198.51.100.1", port: 84, transparent: true },
            { port: 85, raw: "transparent interface eth2" },
            { path: "/run/site/x.sock" },
        );
        const listens = [
            {
                name: "db",
                mode: "tcp" as const,
                binds: [{ port: 5432 }],
                raw: ["bind :86 interface eth3"],
                servers: [server],
            },
        ];
        const peers = [
            {
                name: "pair",
                peers: [
                    { address: "127.0.0.1", port: 87 },
                    { name: "other", address: "192.0.2.12", port: 88 },
                ],
            },
        ];
        const { binds, socketDirectories } = hostRequirements({ ...config, listens, peers });
        assert.deepEqual(
            binds.map(({ port, mode, interface: device, transparent }) =>
                [port, mode, device, transparent && "transparent"].filter(Boolean).join(" "),
            ),
            [
                "80 http",
                "443 tcp",
                "81 tcp",
                "82 tcp",
                "90 http",
                "91 http",
                "83 http eth1",
                "84 http transparent",
                "85 tcp eth2 transparent",
                "5432 tcp",
                "86 tcp eth3",
                "87 tcp",
            ],
        );
        assert.deepEqual(socketDirectories, ["/run/haproxy", "/run/site"]);
    });
});

describe("hostNeeds of memory", () => {
    it("counts what a connection takes, more with TLS on a side, most with both", () => {
        const tls: Bind = { port: 443, ssl: { crt: ["/x"] } };
        const kilobytes = (bind: Bind, backend: Partial<Backend> = {}) =>
            hostRequirements({
                ...bound(bind),
                global: { maxconn: 1000 },
                backends: [{ name: "app", servers: [server], ...backend }],
            }).memoryNeeded;
        const secure = { servers: [{ ...server, ssl: { verify: "none" as const } }] };
        assert.equal(kilobytes({ port: 80 }), 50_000);
        assert.equal(kilobytes(tls), 125_000);
        assert.equal(kilobytes({ port: 80 }, secure), 125_000);
        assert.equal(kilobytes(tls, secure), 200_000);
        assert.equal(
            kilobytes({ port: 443, raw: "ssl crt /x" }, { defaultServer: { raw: "ssl verify none" } }),
            200_000,
        );
    });
});

import { slot } from "../../components/convergence/slots";
import type { Backend, Frontend, HaproxyConfig, Server } from "../../components/haproxy/model";
import { otherOptions } from "../../components/haproxy/model";

/** Models on which `check` and the daemons have to agree: a unit test asks the one, a golden test the others. */

const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };

interface Parts extends Partial<HaproxyConfig> {
    readonly frontend?: Partial<Frontend>;
    readonly backend?: Partial<Backend>;
}

function model({ frontend, backend, ...rest }: Parts): HaproxyConfig {
    return {
        version: "2.2",
        frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app", ...frontend }],
        backends: [{ name: "app", servers: [server], ...backend }],
        ...rest,
    };
}

const tcp = { frontend: { mode: "tcp" }, backend: { mode: "tcp" } } as const;
const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const onResponse = { action: "set-header", name: "X-A", format: "a" } as const;
const onRequest = { path: ["/x"], name: "x" };

/** What daemons refuse, or warn of, by what `check` says of it. */
export const refused: Record<string, readonly [Parts, RegExp]> = {
    "a line of more than 64 words": [
        {
            frontend: {
                useBackends: [{ backend: "app", if: many(70, (i) => (i % 2 ? "or" : "METH_GET")) }],
                defaultBackend: undefined,
            },
        },
        /use_backend app of frontend http has 73 words, and HAProxy reads 64/,
    ],
    "an option of frontends in a backend": [
        { backend: { options: { dontlognull: true } } },
        /option dontlognull of backend app, where HAProxy ignores it: put it into the frontend/,
    ],
    "an option of backends in a frontend": [
        { frontend: { options: { redispatch: false } } },
        /option redispatch of frontend http, where HAProxy ignores it: put it into the backend/,
    ],
    "an option of HTTP in mode tcp": [
        { ...tcp, backend: { mode: "tcp", options: { forwardfor: true } } },
        /option forwardfor of backend app needs mode http/,
    ],
    "an option of HTTP in the defaults of mode tcp": [
        { ...tcp, defaults: { options: { forwardfor: true } } },
        /option forwardfor of the defaults of frontend http needs mode http/,
    ],
    "an option that cannot be taken back": [
        { backend: { options: { httpchk: false } } },
        /option httpchk of backend app is false, but HAProxy knows no "no option httpchk"/,
    ],
    "an option that nobody knows": [
        { backend: { options: { ...otherOptions({ "http-server-clsoe": true }) } } },
        /unknown option "http-server-clsoe" of backend app/,
    ],
    "an option that is gone": [
        { version: "2.6", backend: { options: { ...otherOptions({ http_proxy: true }) } } },
        /keyword "option http_proxy" .* is gone since HAProxy 2.5/,
    ],
    "a balance by content that mode tcp inherits": [
        { ...tcp, defaults: { balance: "uri" } },
        /balance "uri" of backend app needs mode http/,
    ],
    "a balance that is newer": [{ backend: { balance: "hash src" } }, /keyword "balance hash" .* needs HAProxy 2.6/],
    "a cookie in mode tcp": [
        { ...tcp, backend: { mode: "tcp", cookie: { name: "S" }, servers: [{ ...server, cookie: "a" }] } },
        /cookie of backend app needs mode http/,
    ],
    "a cookie for a domain without a dot": [
        { backend: { cookie: { name: "S", domains: ["localhost"] }, servers: [{ ...server, cookie: "a" }] } },
        /invalid domain "localhost" of the cookie of backend app/,
    ],
    "two attributes of a cookie in one": [
        { backend: { cookie: { name: "S", attr: ["A=b; C=d"] }, servers: [{ ...server, cookie: "a" }] } },
        /semicolon in attribute "A=b; C=d"/,
    ],
    "a rewritten cookie that the server does not see": [
        {
            backend: { cookie: { name: "S", mode: "rewrite", indirect: true }, servers: [{ ...server, cookie: "a" }] },
        },
        /indirect with rewrite of the cookie of backend app/,
    ],
    "a table of no size": [
        { backend: { stickTable: { type: "ip", size: "0" } } },
        /invalid size "0" of the stick table of backend app/,
    ],
    "a length of keys that have one": [
        { backend: { stickTable: { type: "ip", length: 8, size: "1k" } } },
        /length of the stick table of backend app, which has keys of type ip/,
    ],
    "a rate without its period": [
        { backend: { stickTable: { type: "ip", size: "1k", store: ["http_req_rate"] } } },
        /invalid store "http_req_rate" .*: write it like "http_req_rate\(10s\)"/,
    ],
    "a counter that nobody knows": [
        { backend: { stickTable: { type: "ip", size: "1k", store: ["http_rate(10s)"] } } },
        /unknown store "http_rate\(10s\)"/,
    ],
    "a counter that is newer": [
        { backend: { stickTable: { type: "ip", size: "1k", store: ["gpc(2)"] } } },
        /keyword "gpc" in the stick table of backend app .* needs HAProxy 2.5/,
    ],
    "a counter twice": [
        { backend: { stickTable: { type: "ip", size: "1k", store: ["gpc0", "gpc0"] } } },
        /duplicate store of the stick table of backend app "gpc0"/,
    ],
    "two tables of one name": [
        {
            frontend: { name: "app", stickTable: { type: "ip", size: "1k" } },
            backend: { stickTable: { type: "ip", size: "1k" } },
        },
        /duplicate name of sections with a stick table "app"/,
    ],
    "an unknown acl of a stick rule": [
        {
            backend: {
                stickTable: { type: "ip", size: "1k" },
                stickRules: [{ rule: "on", pattern: "src", if: ["who"] }],
            },
        },
        /unknown acl "who" in a condition of backend app/,
    ],
    "an unknown acl of a raw line": [
        { frontend: { raw: ["http-request deny if who"] } },
        /unknown acl "who" in a condition of frontend http/,
    ],
    "an unknown backend of a raw line": [
        { frontend: { raw: ["use_backend none if METH_GET"] } },
        /unknown backend "none" in frontend http/,
    ],
    "an unknown backend in a condition": [
        { frontend: { useBackends: [{ backend: "app", if: ["{ nbsrv(none) lt 1 }"] }] } },
        /unknown backend "none" in frontend http/,
    ],
    "an unknown server in a condition": [
        { frontend: { useBackends: [{ backend: "app", if: ["{ srv_is_up(app/app2) }"] }] } },
        /unknown server "app\/app2" in frontend http: declared are app\/app1/,
    ],
    "a table of its own that a section does not have": [
        { frontend: { httpRequestRules: ["track-sc0 src"] } },
        /unknown table "http" in frontend http/,
    ],
    "a rate of a table of its own that a section does not have": [
        { frontend: { raw: ["acl fast src_http_req_rate gt 5"] } },
        /unknown table "http" in frontend http/,
    ],
    "a server of the name that a template makes": [
        { backend: { serverTemplates: [{ prefix: "app", count: 2, fqdn: "localhost", port: 80 }] } },
        /duplicate server in backend app "app1"/,
    ],
    'an acl named "or"': [
        { frontend: { acls: [{ name: "or", path: ["/"] }], httpRequestRules: [{ action: "deny", if: ["METH_GET"] }] } },
        /acl "or" of frontend http/,
    ],
    "a raw redirect before declared rules": [
        { frontend: { raw: ["redirect scheme https if !{ ssl_fc }"], httpRequestRules: ["set-nice 5"] } },
        /raw redirect line beside declared rules of frontend http, .*: put it into httpRequestRules/,
    ],
    "raw rules in another order than they run": [
        { frontend: { raw: ["use_backend app if METH_GET", "http-request deny if METH_POST"] } },
        /raw line "use_backend app if METH_GET" of frontend http before "http-request deny if METH_POST"/,
    ],
    "an acl of the request in a rule of responses": [
        { frontend: { acls: [onRequest], httpResponseRules: [{ ...onResponse, if: ["x"] }] } },
        /"x" in a condition of frontend http goes by the request, which rules of responses do not have/,
    ],
    "more certificates than fit on a line": [
        { frontend: { binds: [{ port: 443, ssl: { crt: many(32, (i) => `/etc/ssl/${i}.pem`) } }] } },
        /a TLS bind of frontend http has 69 words, .* name a directory that holds its certificates/,
    ],
    "an acl of which one line goes by the request in a rule of responses": [
        {
            frontend: {
                acls: [onRequest, { name: "x", criterion: "src 192.0.2.0/24" }],
                httpAfterResponseRules: [{ ...onResponse, if: ["x"] }],
            },
        },
        /"x" in a condition of frontend http goes by the request/,
    ],
    "a criterion of the request at connection": [
        { frontend: { raw: ["tcp-request connection reject if { path_beg /x }"] } },
        /goes by the request, which rules of connections do not have, so it never matches: use it at "content"/,
    ],
    "a header of the request in one of the response": [
        { frontend: { httpResponseRules: [{ ...onResponse, format: "%[req.hdr(host)]" }] } },
        /sample "req.hdr\(host\)" in a http-response rule of frontend http goes by the request/,
    ],
    "a variable of the response at a request": [
        { backend: { httpRequestRules: [{ action: "set-var", variable: "txn.a", expression: "res.hdr(x)" }] } },
        /sample "res.hdr\(x\)" in a http-request rule of backend app goes by the response/,
    ],
    "a rule that is never reached": [
        { frontend: { httpRequestRules: [{ action: "deny" }, "set-nice 5"] } },
        /http-request rule "set-nice 5" of frontend http is never reached/,
    ],
    "steps of checks before their connect": [
        { backend: { httpChecks: [{ step: "send", uri: "/" }, { step: "connect" }, { step: "send", uri: "/" }] } },
        /connect after send in a check of backend app: begin with a connect/,
    ],
    "two requests of a check on one connection": [
        { backend: { httpChecks: ["comment two", { step: "send", uri: "/" }, { step: "send", uri: "/" }] } },
        /send after a send in a check of backend app/,
    ],
    "a request of a check whose answer nobody wants": [
        { backend: { httpChecks: [{ step: "connect" }, { step: "send", uri: "/" }, { step: "connect" }] } },
        /connect after a send in a check of backend app: expect something/,
    ],
    "a check that asks nothing": [
        { backend: { httpChecks: [{ step: "connect" }, { step: "expect", match: "status 200" }] } },
        /expect after a connect in a check of backend app/,
    ],
    "a check by TLS that trusts nobody": [
        { backend: { tcpChecks: [{ step: "connect", ssl: true }] } },
        /check by TLS of server app1 of backend app, of which nothing says whom to trust/,
    ],
    "peers without any": [{ peers: [{ name: "pair", peers: [] }] }, /no peer in peers pair/],
    "mailers that nobody uses": [
        { mailers: [{ name: "mail", mailers: [{ name: "smtp", address: "127.0.0.1" }] }] },
        /mailers mail of which nobody makes use/,
    ],
    "a criterion of the response in a rule of requests": [
        { frontend: { httpRequestRules: [{ action: "deny", if: ["{ status 500 }"] }] } },
        /goes by the response, which rules of requests do not have/,
    ],
    "a denial by a status without a message": [
        { frontend: { httpRequestRules: [{ action: "deny", status: 418, if: ["METH_GET"] }] } },
        /status of deny in .* is 418, for which HAProxy has no message/,
    ],
    "a redirect by prefix in a response": [
        { frontend: { httpResponseRules: [{ action: "redirect", prefix: "/x" }] } },
        /redirect without a location/,
    ],
    "rules in defaults without a name": [
        { version: "2.6", defaults: { raw: ["http-request deny if METH_TRACE"] } },
        /HAProxy takes rules in defaults with a name only/,
    ],
    "a status without an error file": [
        { frontend: { errorfiles: "e" }, httpErrors: [{ name: "e", errorfiles: { 414: "/dev/null" } }] },
        /invalid status "414" in http-errors e: use 200, 400/,
    ],
    "a cache of a long name": [
        { caches: [{ name: "c".repeat(33), totalMaxSize: 4 }] },
        /name "c+" of a cache has 33 characters/,
    ],
    "resolvers without name servers": [
        { resolvers: [{ name: "dns", nameservers: [] }] },
        /no name server in resolvers dns/,
    ],
    "an algorithm of compression that nobody knows": [
        { frontend: { compression: { algo: ["zip"], type: [] } } },
        /unknown algorithm of compression of frontend http "zip"/,
    ],
    "no algorithm of compression": [
        { frontend: { compression: { algo: [], type: [] } } },
        /no algorithm of compression of frontend http/,
    ],
};

/** What daemons accept and `check` finds nothing in. */
export const accepted: Record<string, Parts> = {
    "more hosts and paths than fit on a line": {
        frontend: {
            acls: [
                { name: "shop", host: many(200, (i) => `h${i}.example.com`) },
                { name: "shop", path: many(51, (i) => `/${i}`) },
            ],
            useBackends: [{ backend: "app", if: ["shop"] }],
        },
    },
    "requests by address": {
        frontend: {
            acls: [{ name: "bare", host: ["192.0.2.1"] }],
            httpRequestRules: [{ action: "deny", if: ["bare"] }],
        },
        backend: { httpchk: { uri: "/", host: "[2001:db8::1]:80" } },
    },
    "values that are keywords of later releases": {
        version: "2.4",
        frontend: {
            binds: [{ port: 80, raw: "name shards" }],
            raw: ["bind :81 name guid-prefix"],
            httpRequestRules: ["set-header X-Mode pause", "set-header X-Mode do-log if METH_GET"],
        },
        backend: {
            raw: ["server ws 192.0.2.9:80 check"],
            cookie: { name: "guid" },
            servers: [{ ...server, cookie: "ws" }],
        },
    },
    "rules after a redirect to nowhere": {
        version: "2.6",
        frontend: {
            httpRequestRules: [
                "redirect location %[path,map_reg(/etc/hosts)] ignore-empty",
                { action: "set-path", format: "/" },
            ],
        },
    },
    "statuses of later releases": {
        version: "2.6",
        frontend: {
            errorfiles: "e",
            httpRequestRules: [{ action: "deny", status: 422, if: ["METH_PUT"] }, "deny deny_status 501 if METH_GET"],
        },
        httpErrors: [{ name: "e", errorfiles: { 422: "/dev/null", 501: "/dev/null", 421: "/dev/null" } }],
    },
    "every form of what tables store": {
        version: "3.0",
        backend: {
            stickTable: {
                type: "binary",
                length: 20,
                size: "1m",
                store: [
                    "gpc(2)",
                    "gpc_rate(2,10s)",
                    "gpt(3)",
                    "http_fail_rate(1m)",
                    "server_key",
                    "glitch_cnt",
                    "conn_rate(5000)",
                ],
            },
        },
    },
    "raw rules in the order in which they run": {
        frontend: {
            raw: [
                "acl local src 127.0.0.0/8",
                "tcp-request connection accept if local",
                "http-request deny if METH_TRACE",
                "redirect scheme https if !{ ssl_fc } !local",
                "use_backend app if METH_GET",
                "default_backend app",
            ],
            defaultBackend: undefined,
        },
    },
    "conditions that both sides know": {
        frontend: {
            acls: [{ name: "x", criterion: "src 192.0.2.0/24" }],
            httpResponseRules: [
                { ...onResponse, if: ["x", "METH_GET", "{ status 200 }"] },
                { ...onResponse, format: "%[capture.req.uri] %[hdr(x)]", if: ["{ capture.req.uri -m beg /x }"] },
            ],
        },
    },
    "tables, servers and backends by name": {
        backend: {
            stickTable: { type: "ip", size: "1k", store: ["http_req_rate(10s)"] },
            raw: ["server spare 192.0.2.2:80 check", "http-request deny if { src_http_req_rate gt 9 }"],
            serverTemplates: [{ prefix: "web", count: 2, fqdn: "localhost", port: 80 }],
        },
        frontend: {
            httpRequestRules: [
                "track-sc0 src table app if { nbsrv(app) gt 1 } { srv_is_up(app/spare) } { srv_is_up(app/web2) }",
            ],
        },
    },
    "options that mode tcp may have": {
        ...tcp,
        defaults: { options: { forwardfor: false, "http-server-close": true } },
        frontend: { mode: "tcp", options: { tcplog: false, tcpka: true, dontlognull: false } },
        backend: { mode: "tcp", options: { redispatch: false } },
    },
    "times of every kind": {
        defaults: { timeouts: { clientFin: "5s", serverFin: "6s", tarpit: "7s" } },
        frontend: {
            timeouts: { clientFin: "5s", tarpit: "7s" },
            httpRequestRules: [{ action: "tarpit", status: 429, if: ["METH_TRACE"] }],
        },
        backend: { timeouts: { serverFin: "6s", tarpit: "7s" } },
    },
    "checks in several steps": {
        backend: {
            httpChecks: [
                "disable-on-404",
                "comment one",
                { step: "connect" },
                { step: "send", uri: "/" },
                { step: "expect", match: "status 200" },
                "connect port 81",
            ],
        },
    },
    "a raw stick rule of responses": {
        backend: {
            raw: [
                "stick-table type string len 32 size 10k",
                "stick store-response res.cook(SID) if { res.cook(SID) -m found }",
            ],
        },
    },
    "a check by TLS that trusts everybody": {
        backend: { tcpChecks: [{ step: "connect", ssl: true }], defaultServer: { raw: "verify none" } },
    },
    "an acl that only a sample names": {
        version: "3.0",
        frontend: {
            acls: [onRequest],
            httpRequestRules: [{ action: "set-header", name: "X-A", format: "%[acl(x)]" }],
        },
    },
    "no logs": { global: { log: [] } },
    "cookies of every kind": {
        backend: {
            cookie: { name: "S", mode: "prefix", domains: [".example.com", "example.org"], dynamicKey: slot("key") },
        },
    },
};

/** The model of a case. */
export function verdictModel(parts: Parts): HaproxyConfig {
    return model(parts);
}

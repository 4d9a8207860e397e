import { slot } from "../../../components/convergence/slots";
import { fromServices, type Service } from "../../../components/haproxy";
import { alone, many, onRequest, onResponse, type Parts, server, tcp } from "./model";

/** Services compiled to a model, each with one server. */
const services = (...list: Partial<Service>[]): Parts =>
    fromServices(
        { version: "2.2" },
        list.map((service, i) => ({ name: `s${i}`, port: 80, servers: [server], ...service })),
    );

/** Models that the daemons accept, and in which we find no issue. */
export const accepted: Record<string, Parts> = {
    "a backend that answers by error files of the model": {
        ...alone({ errorfiles: "e" }),
        httpErrors: [{ name: "e", errorfiles: { 503: { content: "HTTP/1.1 503 Sorry\r\n\r\n" } } }],
    },
    "a backend that answers by an error file": alone({ raw: ["errorfile 503 /dev/null"] }),
    "a backend that redirects": alone({ raw: ["redirect location https://example.com/"] }),
    "a backend that redirects by a rule": alone({ httpRequestRules: [{ action: "redirect", location: "/x" }] }),
    "a backend that shows statistics": alone({ raw: ["stats enable", "stats uri /"] }),
    "a backend that rejects": {
        frontend: { mode: "tcp" },
        ...alone({ mode: "tcp", tcpRequestRules: [{ at: "content", action: "reject" }] }),
    },
    "services without servers that answer by themselves": services(
        { hosts: ["a.test"], servers: [], redirects: [{ to: { host: "www.a.test" } }] },
        { hosts: ["b.test"], servers: [], raw: ["errorfile 503 /dev/null"] },
        { hosts: ["c.test"], servers: [], raw: ["http-request return status 204"] },
        { hosts: ["d.test"], servers: [], raw: ["dispatch 192.0.2.1:80"] },
        { protocol: "tcp", listen: 90, servers: [], raw: ["option transparent"] },
    ),
    "a service with raw lines beside its arguments": services({
        name: "http",
        default: true,
        persistence: { by: "cookie" },
        redirects: [{ to: { scheme: "https" } }],
        raw: [
            "use-server app1 if { path /one }",
            "http-response set-header Strict-Transport-Security max-age=31536000",
            "tcp-response inspect-delay 5s",
            "redirect location /new if { path /old }",
            "timeout http-request 5s",
            "server spare 192.0.2.2:80 check cookie spare",
        ],
    }),
    "defaults with rules, of a frontend and of backends with and without balance": {
        version: "2.4",
        namedDefaults: [{ name: "d", raw: ["http-request set-header X-A a", "http-response set-header X-B b"] }],
        frontends: [
            { name: "http", from: "d", binds: [{ port: 80 }], useBackends: [{ backend: "a" }] },
            { name: "https", from: "d", binds: [{ port: 81 }], defaultBackend: "b" },
        ],
        backends: [
            { name: "a", from: "d", servers: [], options: { transparent: true } },
            { name: "b", from: "d", servers: [server] },
        ],
    },
    "a frontend of the statistics page's usual name": {
        frontend: { name: "stats" },
        stats: { bind: { address: "127.0.0.1", port: 8404 } },
    },
    "a listen section of the statistics page's usual name": {
        listens: [{ name: "stats", binds: [{ port: 81 }], servers: [server] }],
        stats: { bind: { address: "127.0.0.1", port: 8404 } },
    },
    "a frontend of the metrics' usual name, beside the statistics page": {
        frontend: { name: "metrics" },
        stats: { bind: { address: "127.0.0.1", port: 8404 } },
        metrics: { bind: { address: "127.0.0.1", port: 8405 } },
    },
    "a server by a name that has to have an IPv4 address": {
        backend: { servers: [{ ...server, address: "ipv4@localhost" }] },
    },
    "a server that inherits how certificates are verified": {
        backend: {
            defaultServer: { ssl: { verify: "none" } },
            servers: [{ ...server, ssl: { sni: "str(app.example.com)" } }],
        },
    },
    "texts with line breaks that a check sends and expects": {
        backend: {
            tcpChecks: [
                { step: "connect" },
                { step: "send", data: "PING\r\n" },
                { step: "expect", string: "+PONG\r\n" },
            ],
        },
    },
    "raw lines of another family than the declared rules": {
        backend: {
            httpRequestRules: [{ action: "redirect", scheme: "https", if: ["!{ ssl_fc }"] }],
            raw: [
                "tcp-response inspect-delay 5s",
                "http-response set-header Strict-Transport-Security max-age=31536000",
            ],
            tcpResponseRules: [{ action: "accept" }],
        },
        frontend: { raw: ["use_backend app unless METH_PUT"], httpResponseRules: [onResponse] },
    },
    "a raw rule before declared ones of another phase": {
        frontend: {
            raw: ["tcp-request connection reject if { src 192.0.2.9 }"],
            tcpRequestRules: [{ at: "content", action: "accept", if: ["METH_GET"] }],
        },
    },
    "alternatives by OR": {
        frontend: { httpRequestRules: [{ action: "deny", if: ["METH_POST", "OR", "METH_PUT", "||", "METH_DELETE"] }] },
    },
    "peers and name servers by host name": {
        peers: [
            {
                name: "pair",
                peers: [
                    { address: "localhost", port: 1024 },
                    { name: "other", address: "localhost", port: 1025 },
                ],
            },
        ],
        resolvers: [{ name: "dns", nameservers: [{ name: "a", address: "localhost" }] }],
        backend: {
            stickTable: { type: "ip", size: "1k", peers: "pair" },
        },
    },
    "a counter by its number, not a table": {
        version: "2.6",
        frontend: {
            stickTable: { type: "ip", size: "1k", store: ["gpc(1)"] },
            httpRequestRules: [
                { action: "track-sc", counter: 0 },
                { action: "deny", if: ["{ sc_inc_gpc(0,0) gt 9 }"] },
            ],
        },
    },
    "a time for requests in a backend, and no tunnel": {
        backend: { timeouts: { httpRequest: "5s", tunnel: "0" } },
    },
    "more connections of a frontend than of the process": { global: { maxconn: 100 }, frontend: { maxconn: 2000 } },
    "an error file that fits a larger buffer": {
        global: { raw: ["tune.bufsize 65536"] },
        frontend: { errorfiles: "e" },
        httpErrors: [
            { name: "e", errorfiles: { 503: { content: `HTTP/1.1 503 Sorry\r\n\r\n${"x".repeat(20_000)}` } } },
        ],
    },
    "two binds of one port by thread": {
        version: "2.6",
        frontend: {
            binds: [
                { port: 80, raw: "thread 1" },
                { port: 80, raw: "thread 2" },
            ],
        },
    },
    "tabs between the words of raw lines, and line breaks at their ends": {
        frontend: { raw: ["acl\tapi\tpath_beg\t/api\n", "http-request\tdeny if api\r\n"] },
    },
    "a bind by host name, and two equal ones": {
        frontend: { binds: [{ address: "localhost", port: 80 }, { port: 81 }, { port: 81 }] },
    },
    "TLS to servers that nothing is asked to verify": {
        global: { raw: ["ssl-server-verify none"] },
        backend: { raw: ["server tls 192.0.2.2:443 ssl check"] },
    },
    "a criterion of HTTP in mode tcp": {
        ...tcp,
        frontend: {
            mode: "tcp",
            acls: [{ name: "shop", host: ["shop.example.com"] }],
            tcpRequestRules: ["inspect-delay 5s", { at: "content", action: "accept", if: ["HTTP"] }],
            useBackends: [{ backend: "app", if: ["shop"] }],
        },
    },
    "sections that raw lines begin": {
        backend: {
            httpRequestRules: [{ action: "cache-use", cache: "c" }],
            httpResponseRules: [{ action: "cache-store", cache: "c" }],
        },
        global: { raw: ["cache c", "    total-max-size 4"] },
    },
    "a relative path below crt-base": { global: { raw: ["crt-base /etc/ssl", "ca-base /etc/ssl/certs"] } },
    "a server at the address that the client asked for": {
        frontend: { mode: "tcp" },
        backend: { mode: "tcp", servers: [{ name: "any", address: "*", port: 80, check: false }] },
    },
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
        defaults: { options: { "http-server-close": true } },
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
    "a health check over TLS that accepts any certificate": {
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

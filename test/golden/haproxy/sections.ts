import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.4",
    global: { raw: ["localpeer lb1"] },
    namedDefaults: [{ name: "streams", mode: "tcp", timeouts: { client: "30m", server: "30m" } }],
    userlists: [
        {
            name: "ops",
            groups: [{ name: "admins", users: ["ann"] }, { name: "nobody" }],
            users: [
                { name: "ann", password: slot("ann"), insecure: true },
                { name: "ben", password: slot("ben"), insecure: true },
            ],
        },
    ],
    peers: [
        {
            name: "pair",
            peers: [
                { name: "lb1", address: "192.0.2.11", port: 10_000 },
                { name: "lb2", address: "2001:db8::12", port: 10_000 },
            ],
        },
    ],
    resolvers: [
        {
            name: "dns",
            nameservers: [
                { name: "ns1", address: "127.0.0.1" },
                { name: "ns2", address: "127.0.0.2", port: 5353 },
            ],
            resolveRetries: 2,
            timeouts: { resolve: "1s", retry: "2s" },
            hold: { valid: "10s", nx: "30s" },
            acceptedPayloadSize: 8192,
        },
    ],
    caches: [{ name: "small", totalMaxSize: 4, maxObjectSize: 10_000, maxAge: 30, processVary: true }],
    httpErrors: [{ name: "ours", errorfiles: { 503: "/dev/null" } }],
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }],
            errorfiles: "ours",
            compression: { type: ["text/html", "text/css"], offload: true },
            httpRequestRules: [
                { action: "auth", realm: "Ops only", if: ["{ path_beg /ops }", "!{ http_auth_group(ops) admins }"] },
                { action: "cache-use", cache: "small" },
                "do-resolve(txn.ip,dns,ipv4) hdr(host)",
            ],
            httpResponseRules: [{ action: "cache-store", cache: "small" }],
            defaultBackend: "app",
        },
        { name: "db", from: "streams", binds: [{ port: 5432 }], defaultBackend: "postgres" },
    ],
    backends: [
        {
            name: "app",

            stickTable: { type: "ipv6", size: "10k", expire: "10m", peers: "pair" },
            stickRules: [{ rule: "on", pattern: "src" }],
            httpChecks: [
                { step: "connect", port: 8080 },
                {
                    step: "send",
                    uri: "/login",
                    host: "app.example.com",
                    headers: { "X-Check": "100% sure" },
                    method: "POST",
                    body: "a=b",
                },
                { step: "expect", match: "status 200" },
                "connect",
                "send meth GET uri /",
                { step: "expect", match: "rstatus ^2" },
            ],
            servers: [{ name: "app1", address: "app1.invalid", port: 80, initAddr: "none", resolvers: "dns" }],
        },
        {
            name: "postgres",
            from: "streams",
            protocolCheck: { protocol: "pgsql", user: "haproxy" },
            servers: [{ name: "db1", address: "192.0.2.51", port: 5432 }],
        },
    ],
    listens: [
        {
            name: "redis",
            from: "streams",
            binds: [{ port: 6379 }],
            tcpChecks: [
                { step: "connect" },
                { step: "send", data: "PING\r\n" },
                { step: "expect", string: "+PONG" },
                { step: "send", data: "info replication\r\n" },
                { step: "expect", rstring: "role:(master|active)" },
                "send QUIT\\r\\n",
            ],
            servers: [{ name: "redis1", address: "192.0.2.61", port: 6379 }],
        },
        ...(["mysql", "redis", "ldap", "smtp", "ssl-hello"] as const).map((protocol, i) => ({
            name: protocol,
            from: "streams",
            binds: [{ port: 7000 + i }],
            protocolCheck: protocol === "mysql" ? { protocol, user: "haproxy" } : { protocol },
            servers: [{ name: "s1", address: "192.0.2.71", port: 7000 + i }],
        })),
    ],
};

// The second redis has a section of its own.
export default {
    ...config,
    listens: config.listens?.map((section, i) => (i === 2 ? { ...section, name: "cache" } : section)),
};

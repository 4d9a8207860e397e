import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.2",
    frontends: [
        {
            name: "http",
            binds: [
                { port: 80, maxconn: 1000, name: "public" },
                { address: "127.0.0.1", port: 8090, portEnd: 8099, acceptProxy: true },
                { path: "/run/haproxy/site.sock", mode: "660", group: "haproxy" },
                { port: 81, interface: "lo", raw: "tcp-ut 30s" },
            ],
            httpRequestRules: [
                { action: "track-sc", counter: 0, table: "rates" },
                {
                    action: "return",
                    status: 429,
                    body: "slow down",
                    headers: { "Retry-After": "10" },
                    if: ["{ sc_http_req_rate(0,rates) gt 100 }"],
                },
            ],
            useBackends: [
                { backend: "sticky", if: ["{ path_beg /sticky/ }"] },
                { backend: "dynamic", if: ["{ path_beg /dynamic/ }"] },
            ],
            defaultBackend: "app",
        },
    ],
    backends: [
        {
            name: "rates",
            stickTable: { type: "ipv6", size: "100k", expire: "10m", store: ["http_req_rate(10s)", "conn_cur"] },
            servers: [],
        },
        {
            name: "app",
            cookie: { name: "SRV", secure: true, domains: ["example.com"], maxidle: "1h", attr: ["SameSite=Lax"] },
            httpchk: { uri: "/health" },
            defaultServer: { inter: "3s", fall: 3, rise: 2, slowstart: "30s", onMarkedDown: "shutdown-sessions" },
            servers: [
                { name: "app1", address: "192.0.2.21", port: 80, cookie: "a", weight: 10, observe: "layer7" },
                { name: "app2", address: "192.0.2.22", port: 80, cookie: "b", checkPort: 8080, sendProxy: "v2" },
                {
                    name: "app3",
                    address: "192.0.2.23",
                    port: 443,
                    cookie: "c",
                    sendProxy: true,
                    ssl: { verify: "none", sni: "str(app.example.com)", alpn: ["http/1.1"] },
                },
                {
                    name: "sorry",
                    address: "192.0.2.99",
                    port: 80,
                    backup: true,
                    onMarkedUp: "shutdown-backup-sessions",
                },
            ],
        },
        {
            name: "sticky",
            httpchk: { uri: "/" },
            stickTable: { type: "string", length: 64, size: "10k", expire: "30m" },
            stickRules: [
                { rule: "match", pattern: "req.cook(SID)" },
                { rule: "store-response", pattern: "res.cook(SID)", if: ["{ status 200 }"] },
                { rule: "on", pattern: "src", table: "sources" },
            ],
            servers: [{ name: "app1", address: "192.0.2.21", port: 80 }],
        },
        { name: "sources", stickTable: { type: "ip", size: "10k" }, servers: [] },
        {
            name: "dynamic",
            httpchk: { uri: "/" },
            cookie: { name: "DYN", dynamicKey: slot("cookie-key"), mode: "insert", nocache: false },
            servers: [{ name: "app1", address: "192.0.2.21", port: 80 }],
            serverTemplates: [
                { prefix: "web", count: 3, fqdn: "web.example.com", port: 80, initAddr: "none", resolvers: "dns" },
            ],
        },
    ],
    resolvers: [{ name: "dns", nameservers: [{ name: "ns1", address: "127.0.0.1" }] }],
};

export default config;

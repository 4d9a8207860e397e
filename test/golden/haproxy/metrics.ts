import type { HaproxyConfig } from "../../../components/haproxy";

const config: HaproxyConfig = {
    version: "2.2",
    global: {
        maxconn: 2000,
        log: [
            { address: "127.0.0.1:514", length: 8192, format: "rfc5424", level: "info" },
            { address: "192.0.2.5", format: "short", facility: "local3" },
            { address: "192.0.2.6", length: 65_535 },
        ],
    },
    defaults: { timeouts: { client: "20s" } },
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "metrics" }],
    backends: [{ name: "metrics", servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }] }],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    metrics: { bind: { address: ["127.0.0.1", "::1"], port: 8405 }, uri: "/metrics'of;$HOME\"}" },
};

export default config;

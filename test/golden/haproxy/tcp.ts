import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.6",
    defaults: { mode: "tcp", timeouts: { client: "30m", server: "30m" }, options: { clitcpka: true, srvtcpka: true } },
    frontends: [
        { name: "postgres-clients", binds: [{ port: 5432 }], defaultBackend: "postgres" },
        { name: "web-clients", mode: "http", binds: [{ port: 80 }], defaultBackend: "web" },
    ],
    backends: [
        {
            name: "postgres",
            balance: "first",
            options: { "pgsql-check": "user haproxy" },
            servers: [
                { name: "pg1", address: "192.0.2.61", port: 5432 },
                { name: "pg2", address: "192.0.2.62", port: 5432, backup: true },
            ],
        },
        { name: "web", mode: "http", servers: [{ name: "web1", address: "192.0.2.71", port: 80 }] },
    ],
};

export default config;

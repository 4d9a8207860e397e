import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.6",
    global: {
        maxconn: 2000,
        log: [{ address: "192.0.2.5:514", facility: "local2" }],
        statsSockets: [
            { path: "/run/haproxy/admin.sock" },
            { path: "/run/haproxy/read.sock", mode: "660", level: "user", group: "haproxy" },
        ],
    },
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }] }],
    stats: {
        bind: { address: "192.0.2.11", port: 8404 },
        uri: "/stats;up",
        refresh: "5s",
        auth: [
            { user: "ops", password: slot("stats-password") },
            { user: "night shift", password: slot("stats-password-2") },
        ],
    },
};

export default config;

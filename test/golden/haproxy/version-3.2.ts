import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy";

/** Features of newer releases only, and declared values that our defaults could replace. */
const config: HaproxyConfig = {
    version: "3.2",
    defaults: { raw: ['log-format "%ci %HM %HP %ST"'], options: { "idle-close-on-response": false } },
    namedDefaults: [
        { name: "secured", raw: ["http-response set-header X-Frame-Options DENY"] },
        { name: "tcp", mode: "tcp", timeouts: { client: "2h", server: "2h" } },
    ],
    frontends: [
        {
            name: "http-in",
            from: "secured",
            binds: [{ port: 80 }],
            acls: [{ name: "hash", criterion: "path_reg ^/a#b$" }],
            httpRequestRules: [
                { action: "set-header", name: "X-Key", format: `key=${slot("key")}` },
                { action: "deny", unless: ["METH_GET", "or", "hash"] },
                { action: "redirect", scheme: "https", if: ["METH_POST", "OR", "METH_PUT"] },
            ],
            defaultBackend: "app",
        },
        { name: "quiet", from: "secured", binds: [{ port: 81 }], raw: ["no log"], defaultBackend: "app" },
        { name: "logged", binds: [{ port: 82 }], defaultBackend: "outside" },
        { name: "db-in", from: "tcp", binds: [{ port: 5432 }], defaultBackend: "db" },
    ],
    backends: [
        {
            name: "app",
            from: "secured",
            timeouts: { server: "2h" },
            raw: ["http-after-response del-header Server"],
            httpRequestRules: ["set-nice 5"],
            useServers: [{ server: "app2", if: ["{ path /two }"] }],
            defaultServer: { backup: true, sendProxy: "v2", ssl: { verify: "none" } },
            servers: [
                { name: "app1", address: "192.0.2.21", port: 80, backup: false, sendProxy: false, ssl: false },
                { name: "app2", address: "192.0.2.22", port: 80, sendProxy: true },
            ],
        },
        { name: "outside", options: { transparent: true }, servers: [] },
        {
            name: "db",
            from: "tcp",
            servers: [{ name: "db1", address: "192.0.2.31", port: 5432, raw: "init-state up" }],
        },
    ],
};

export default config;

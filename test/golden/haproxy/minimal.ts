import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }] }],
};

export default config;

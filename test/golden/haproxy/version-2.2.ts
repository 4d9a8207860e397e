import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.2",
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }],
            acls: [{ name: "app", host: ["app.example.com"] }],
            useBackends: [{ backend: "app", if: ["app"] }],
        },
    ],
    backends: [
        {
            name: "app",
            options: { "http-buffer-request": true },
            timeouts: { httpRequest: "20s" },
            httpchk: { uri: "/healthz", host: "app.example.com" },
            servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }],
        },
    ],
    resolvers: [
        { name: "dns", nameservers: [{ name: "ns1", address: "127.0.0.1", port: 53 }], hold: { obsolete: "0s" } },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
};

export default config;

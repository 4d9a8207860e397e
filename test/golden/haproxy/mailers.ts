import type { HaproxyConfig } from "../../../components/haproxy";

/** Alerts by e-mail. From 3.2 on, HAProxy warns that 3.3 will have mailers only by Lua. */
export const warnings = { since: "3.2", about: "Legacy mailers" };

const config: HaproxyConfig = {
    version: "2.2",
    mailers: [
        {
            name: "mail",
            timeout: "20s",
            mailers: [
                { name: "smtp1", address: "127.0.0.1" },
                { name: "smtp2", address: "::1", port: 2525 },
            ],
        },
    ],
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [
        {
            name: "app",
            raw: ["email-alert mailers mail", "email-alert from lb@example.com", "email-alert to ops@example.com"],
            servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }],
        },
    ],
};

export default config;

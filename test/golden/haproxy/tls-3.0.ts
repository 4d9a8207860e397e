import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy";

/** The modern profile, in which a raw line replaces one of ours. */
const config: HaproxyConfig = {
    version: "3.0",
    global: {
        tls: { profile: "modern" },
        raw: ["ssl-default-bind-curves prime256v1:secp384r1"],
    },
    certificates: [{ name: "shop", pem: slot("certificate.shop") }],
    frontends: [{ name: "https", binds: [{ port: 443, ssl: { certificates: ["shop"] } }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 443, ssl: { verify: "none" } }] }],
    stats: {
        bind: { port: 8404, ssl: { certificates: ["shop"], strictSni: true } },
        auth: [{ user: "ops", password: slot("stats-password") }],
    },
};

export default config;

import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy";

/** Certificates by name on several binds, as every release reads them. */
const config: HaproxyConfig = {
    version: "2.2",
    certificates: ["shop", "shop-rsa", "wildcard"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
    frontends: [
        {
            name: "https",
            binds: [
                { port: 443, ssl: { certificates: ["shop", "shop-rsa", "wildcard"], defaultCertificate: "wildcard" } },
                {
                    address: "::",
                    v6only: true,
                    port: 443,
                    ssl: {
                        certificates: ["shop", "shop-rsa", "wildcard"],
                        defaultCertificate: "wildcard",
                        alpn: ["http/1.1"],
                    },
                },
                { port: 8443, ssl: { certificates: ["shop"], strictSni: true, sslMinVer: "TLSv1.3" } },
            ],
            defaultBackend: "app",
        },
        {
            name: "other",
            binds: [{ port: 9443, ssl: { certificates: ["shop"], strictSni: true }, acceptProxy: true }],
            defaultBackend: "app",
        },
        {
            name: "tcp",
            mode: "tcp",
            binds: [{ port: 6443, ssl: { certificates: ["wildcard"] } }],
            defaultBackend: "db",
        },
    ],
    backends: [
        { name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] },
        { name: "db", mode: "tcp", servers: [{ name: "db1", address: "192.0.2.2", port: 5432 }] },
    ],
};

export default config;

import { slot } from "../../../components/convergence/slots";
import { authorityPath, certificatePath, type HaproxyConfig, revocationsPath } from "../../../components/haproxy";

/** Client certificates by name and by bind, and TLS to servers. */
const config: HaproxyConfig = {
    version: "2.6",
    certificates: ["shop", "partners", "client"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
    authorities: [
        { name: "partners", pem: slot("authority.partners"), revocations: slot("revocations.partners") },
        { name: "staff", pem: slot("authority.staff") },
    ],
    frontends: [
        {
            name: "https",
            binds: [
                {
                    port: 443,
                    ssl: {
                        certificates: [
                            { certificate: "shop", hosts: ["shop.example.com", "*.shop.example.com"] },
                            {
                                certificate: "partners",
                                hosts: ["api.example.com", "*.api.example.com", "!old.api.example.com"],
                                caFile: authorityPath("partners"),
                                crlFile: revocationsPath("partners"),
                                alpn: ["http/1.1"],
                                sslMinVer: "TLSv1.3",
                            },
                            { certificate: "partners", caFile: authorityPath("partners"), verify: "optional" },
                        ],
                    },
                },
                {
                    port: 8443,
                    ssl: { certificates: ["shop"], caFile: authorityPath("staff"), verify: "optional" },
                },
            ],
            defaultBackend: "app",
        },
    ],
    backends: [
        {
            name: "app",
            servers: [
                {
                    name: "app1",
                    address: "192.0.2.1",
                    port: 443,
                    ssl: {
                        crt: certificatePath("client"),
                        caFile: authorityPath("staff"),
                        verifyhost: "app.example.com",
                    },
                },
            ],
        },
    ],
};

export default config;

import { slot } from "../../../components/convergence/slots";
import { authorityPath, type HaproxyConfig } from "../../../components/haproxy";

/** Client certificates of a release that verifies the clients of resumed sessions too. */
const config: HaproxyConfig = {
    version: "3.2",
    certificates: ["shop", "staff"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
    authorities: [{ name: "staff", pem: slot("authority.staff") }],
    frontends: [
        {
            name: "https",
            binds: [
                {
                    port: 443,
                    ssl: { certificates: ["shop", { certificate: "staff", caFile: authorityPath("staff") }] },
                },
            ],
            defaultBackend: "app",
        },
    ],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] }],
};

export default config;

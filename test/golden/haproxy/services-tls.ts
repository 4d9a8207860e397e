import { slot } from "../../../components/convergence/slots";
import { fromServices } from "../../../components/haproxy";

/** TLS with redirects, client certificates by name, and headers to servers and browsers. */
const server = (name: string, last: number) => [{ name, address: `192.0.2.${last}` }];

export default fromServices(
    { version: "2.2", tls: { hsts: { includeSubDomains: true } } },
    [
        {
            name: "shop",
            tls: true,
            hosts: ["shop.example.com", "bücher.example"],
            port: 8080,
            servers: server("shop1", 21),
        },
        {
            name: "api",
            tls: {
                certificates: ["api"],
                minVersion: "TLSv1.3",
                hsts: false,
                clients: {
                    authority: "partners",
                    headers: { "X-SSL-Client-Subject": "subject", "X-Client-Serial": "serial" },
                },
            },
            hosts: ["api.example.com"],
            routes: [{ pathPrefixes: ["/v2"] }],
            port: 8080,
            servers: server("api1", 22),
            deny: ["198.51.100.0/24"],
        },
        {
            name: "staff",
            tls: { http: "none", certificates: ["api"], clients: { authority: "staff", verify: "optional" } },
            hosts: ["staff.example.com"],
            port: 8080,
            servers: server("staff1", 23),
        },
        {
            name: "admin",
            tls: true,
            listen: 8443,
            hosts: ["shop.example.com"],
            port: 8080,
            servers: server("admin1", 24),
        },
        {
            name: "certbot",
            routes: [{ pathPrefixes: ["/.well-known/acme-challenge"] }],
            port: 8080,
            servers: server("certbot1", 25),
        },
    ],
    undefined,
    undefined,
    {
        certificates: ["shop", "api"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
        authorities: [
            { name: "partners", pem: slot("authority.partners"), revocations: slot("revocations.partners") },
            { name: "staff", pem: slot("authority.staff") },
        ],
    },
);

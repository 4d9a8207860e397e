import { slot } from "../../../components/convergence/slots";
import { fromServices } from "../../../components/haproxy";

/** TLS on other ports with a map of hosts, client certificates of a whole port, and a redirect of every host. */
const server = (name: string, last: number) => [{ name, address: `192.0.2.${last}` }];

export default fromServices(
    {
        version: "3.2",
        port: 8080,
        hostMap: true,
        tls: {
            port: 8443,
            profile: "modern",
            alpn: ["h2"],
            defaultCertificate: "web",
            ports: { 9443: { strictSni: true, clients: { authority: "staff" } } },
        },
    },
    [
        { name: "web", tls: true, default: true, port: 80, servers: server("web1", 21) },
        {
            name: "shop",
            tls: true,
            hosts: ["shop.example.com", "www.shop.example.com"],
            port: 80,
            servers: server("shop1", 22),
        },
        {
            name: "admin",
            tls: { http: "none" },
            listen: 9443,
            hosts: ["admin.example.com"],
            port: 80,
            servers: server("admin1", 23),
        },
    ],
    undefined,
    undefined,
    {
        certificates: ["shop", "web"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
        authorities: [{ name: "staff", pem: slot("authority.staff") }],
    },
);

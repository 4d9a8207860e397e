import { fromServices } from "../../../components/haproxy/services/compile";

const servers = [{ name: "s1", address: "192.0.2.21" }];

/** Everything that listens does so on IPv6 too, and tables count IPv6 clients by their /64. */
export default fromServices(
    { version: "2.2", ipv6: true },
    [
        {
            name: "shop",
            hosts: ["shop.example.com"],
            port: 8080,
            servers,
            allow: ["192.0.2.0/24", "2001:db8::/32"],
            rateLimit: { count: 100 },
            persistence: { by: "address" },
        },
        { name: "vault", protocol: "https", hosts: ["vault.example.com"], port: 8443, servers },
        { name: "postgres", protocol: "tcp", port: 5432, servers },
    ],
    undefined,
    { bind: { port: 8404 }, auth: { user: "ops", passwordSecret: "stats-password" } },
);

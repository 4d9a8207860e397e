import { fromServices } from "../../../components/haproxy/services/compile";

const servers = [
    { name: "s1", address: "192.0.2.21" },
    { name: "s2", address: "192.0.2.22" },
];

/** Services whose traffic HAProxy does not read: TLS that is passed through, databases and mail. */
export default fromServices({ version: "2.2" }, [
    { name: "shop", protocol: "https", hosts: ["shop.example.com", "www.shop.example.com"], port: 443, servers },
    {
        name: "docs",
        protocol: "https",
        hosts: ["docs.example.com"],
        port: 8443,
        servers,
        check: { uri: "/healthz" },
        deny: ["198.51.100.0/24"],
        allow: ["0.0.0.0/0"],
        rateLimit: { count: 20 },
        persistence: { by: "address" },
    },
    { name: "rest", protocol: "https", default: true, port: 443, servers, check: { protocol: "tcp" } },
    { name: "kubernetes", protocol: "https", default: true, listen: 6443, port: 6443, servers },
    {
        name: "postgres",
        protocol: "tcp",
        port: 5432,
        servers,
        check: { protocol: "pgsql", user: "haproxy" },
        deny: ["192.0.2.99"],
        allow: ["192.0.2.0/24"],
        rateLimit: { count: 50, seconds: 60 },
        persistence: { by: "address" },
    },
    { name: "redis", protocol: "tcp", listen: 16379, port: 6379, servers, check: { protocol: "redis" } },
    {
        name: "mail",
        protocol: "tcp",
        port: 25,
        servers,
        check: { protocol: "smtp", hello: "EHLO", domain: "lb.example.com" },
    },
    { name: "mysql", protocol: "tcp", port: 3306, servers, check: { protocol: "mysql", user: "check" } },
    {
        name: "ldap",
        protocol: "tcp",
        port: 389,
        servers,
        check: { protocol: "ldap" },
        timeouts: { client: "5m", server: "5m", tunnel: "3h" },
    },
]);

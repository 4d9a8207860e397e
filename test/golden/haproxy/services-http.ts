import { fromServices } from "../../../components/haproxy/services/compile";

/** Every kind of route to a service with protocol http, and every way to refuse clients. */
const server = (name: string, last: number) => [{ name, address: `192.0.2.${last}` }];

export default fromServices({ version: "2.2", maxconn: 2000 }, [
    { name: "shop", hosts: ["shop.example.com", "www.shop.example.com"], port: 8080, servers: server("shop1", 21) },
    {
        name: "api",
        hosts: ["shop.example.com"],
        routes: [
            { pathPrefixes: ["/api", "/api/v2/"] },
            { paths: ["/health"], methods: ["GET", "HEAD"] },
            { headers: { "X-Api-Version": 'it\'s "2" #1 $HOME', "X-Api": true }, methods: ["POST"] },
        ],
        port: 8080,
        servers: server("api1", 22),
        deny: ["198.51.100.0/24", "2001:db8::/32"],
        allow: ["192.0.2.0/24", "198.51.100.7"],
        rateLimit: { count: 100, seconds: 30 },
        httpRequestRules: [{ action: "replace-path", match: "^/api", format: "/" }],
    },
    {
        name: "api-v2-reports",
        hosts: ["shop.example.com"],
        routes: [{ pathPrefixes: ["/api/v2/reports"] }, { pathRegex: "^/r/[0-9]{1,3}(\\.csv)?$" }],
        port: 8080,
        servers: server("reports1", 23),
        clientAddress: "x-forwarded-for",
        allow: ["10.0.0.0/8"],
        rateLimit: { count: 5 },
        persistence: { by: "address", expire: "1h" },
    },
    {
        name: "admin",
        hosts: ["admin.example.com"],
        port: 8080,
        servers: server("admin1", 24),
        basicAuth: {
            realm: "It's ours",
            users: [
                { name: "ops", passwordSecret: "admin-ops" },
                { name: "night", passwordSecret: "admin-night", hashed: true },
            ],
        },
        redirects: [
            { to: { scheme: "https" }, code: 301 },
            { hosts: ["admin.example.com"], to: { host: "console.example.com", scheme: "https" } },
            { pathPrefix: "/old/", to: { pathPrefix: "/new%20one", host: "console.example.com" }, code: 308 },
            { pathPrefix: "/gone", to: { pathPrefix: "/" } },
        ],
    },
    { name: "assets", routes: [{ pathPrefixes: ["/assets"] }], port: 8081, servers: server("assets1", 25) },
    { name: "web", default: true, port: 8081, servers: server("web1", 26) },
    { name: "alone", listen: 8088, default: true, port: 8082, servers: server("alone1", 27) },
]);

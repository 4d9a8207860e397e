import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.2",
    maps: [
        {
            name: "hosts",
            entries: [
                { key: "shop.example.com", value: "shop" },
                { key: "www.shop.example.com", value: "shop" },
            ],
        },
        { name: "office", entries: [{ key: "192.0.2.0/24" }, { key: "2001:db8::/32" }] },
        {
            name: "moved",
            entries: [
                { key: "/old", value: "/new?from=old #there" },
                { key: "/'\"\\$x%", value: "/'quotes' \"and\" \\ $more %[src]" },
            ],
        },
    ],
    httpErrors: [
        {
            name: "ours",
            errorfiles: {
                503: {
                    content:
                        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nCache-Control: no-cache\r\n\r\n<h1>Back soon</h1>\n",
                },
                500: { content: "HTTP/1.1 500 Sorry\r\n\r\n".padEnd(16_000, "x") },
                400: { content: "HTTP/1.0 400 Bad Request\n\n" },
                504: "/dev/null",
            },
        },
    ],
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }],
            errorfiles: "ours",
            acls: [{ name: "blocked", criterion: "src -f /etc/haproxy/fleet/office.map" }],
            httpRequestRules: [
                { action: "deny", if: ["blocked"] },
                "redirect location %[path,map(/etc/haproxy/fleet/moved.map)] if { path,map(/etc/haproxy/fleet/moved.map) -m found }",
            ],
            useBackends: [{ backend: "%[req.hdr(host),field(1,:),lower,map(/etc/haproxy/fleet/hosts.map,app)]" }],
        },
    ],
    backends: [
        { name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] },
        { name: "shop", servers: [{ name: "shop1", address: "192.0.2.2", port: 80 }] },
    ],
};

export default config;

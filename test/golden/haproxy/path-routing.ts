import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.6",
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }, { address: "2001:db8::10", port: 80 }],
            maxconn: 20_000,
            acls: [
                { name: "shop", host: ["shop.example.com", "www.shop.example.com"] },
                { name: "api", pathBeg: ["/api/", "/v2/"] },
                { name: "status", path: ["/status", '/a b/"it\'s" #1 $HOME \\ 100%'] },
                { name: "office", criterion: "src 192.0.2.0/24 2001:db8::/32" },
            ],
            useBackends: [
                { backend: "api", if: ["shop", "api"] },
                { backend: "status", if: ["status", "office", "or", "{ path /ping }", "METH_GET"] },
                { backend: "shop", if: ["shop", "!api"] },
            ],
            defaultBackend: "shop",
        },
    ],
    backends: [
        {
            name: "api",
            balance: "leastconn",
            httpchk: { method: "HEAD", uri: "/api/healthz?deep=1", host: "shop.example.com", expect: "status 204" },
            servers: [
                { name: "api1", address: "192.0.2.31", port: 9000, weight: 10, maxconn: 200 },
                { name: "api2", address: "2001:db8::32", port: 9000, weight: 20, maxconn: 200 },
                { name: "sorry", address: "192.0.2.99", port: 80, check: false, backup: true },
            ],
        },
        { name: "status", httpchk: { uri: "/" }, servers: [{ name: "st1", address: "192.0.2.41", port: 80 }] },
        {
            name: "shop",
            httpchk: { uri: "/" },
            balance: "hdr(X-Session)",
            options: { forwardfor: "except 127.0.0.1", redispatch: false },
            servers: [{ name: "shop1", address: "192.0.2.51", port: 80 }],
        },
    ],
};

export default config;

import { backend, cases, frontend, good, server, withBackend } from "./cases";

cases("validate: backends", {
    "backends without servers": [
        {
            ...good,
            backends: [
                { name: "app", servers: [] },
                { name: "errors", servers: [], raw: ["errorfile 503 /etc/haproxy/sorry.http"] },
                { name: "table", servers: [], stickTable: { type: "ip", size: "1k" } },
            ],
            frontends: [{ ...frontend, raw: ["use_backend %[path]"] }],
        },
        "no-servers backends[0].servers",
    ],
    "servers that all have weight 0": [
        {
            ...good,
            backends: [
                { name: "app", servers: [{ ...server, weight: 0 }] },
                { name: "a", servers: [server], defaultServer: { weight: 0 } },
                { name: "b", servers: [{ ...server, weight: 1 }], defaultServer: { weight: 0 } },
                { name: "c", servers: [{ ...server, weight: 0 }], raw: ["server x 192.0.2.9:80"] },
            ],
            frontends: [{ ...frontend, raw: ["use_backend %[path]"] }],
        },
        "zero-weights backends[0].servers",
        "zero-weights backends[1].servers",
    ],
    "an unused backend, unless a name is computed": [
        { ...good, backends: [backend, { name: "old", servers: [server] }] },
        "unused-backend backends[1].name",
    ],
    "a balance by source behind another proxy": [
        withBackend({ balance: "source", httpRequestRules: ["deny if { hdr_ip(x-forwarded-for,-1) 192.0.2.9 }"] }),
        "balance-behind-proxy backends[0].balance",
    ],
    "a balance by source after set-src": [
        withBackend({ balance: "source", httpRequestRules: ["set-src hdr_ip(x-forwarded-for,-1)"] }),
    ],
    "checks that only connect, beside HTTP checks": [
        withBackend(
            { httpchk: { uri: "/" } },
            {
                listens: [
                    { name: "api", binds: [{ port: 81 }], servers: [server] },
                    { name: "raw", binds: [{ port: 82 }], servers: [server], raw: ["option httpchk GET /"] },
                    { name: "meant", binds: [{ port: 83 }], servers: [server], tcpChecks: [{ step: "connect" }] },
                    { name: "unchecked", binds: [{ port: 84 }], servers: [{ ...server, check: false }] },
                    { name: "db", mode: "tcp", binds: [{ port: 85 }], servers: [server] },
                    { name: "redis", binds: [{ port: 86 }], servers: [server], options: { "redis-check": true } },
                ],
            },
        ),
        "connect-only-check listens[0].httpchk",
    ],
});

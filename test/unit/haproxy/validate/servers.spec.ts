import { slot } from "../../../../components/convergence/slots";
import { backend, cases, frontend, good, server, withBackend } from "./cases";

cases("validate: servers", {
    "invalid addresses of servers": [
        withBackend({
            servers: [
                "10.211.55.5/clickCount",
                "https://app1.test/",
                "192.0.2.1:8080",
                "192.0.2.256",
                "unix@/run/x",
                "a b",
            ].map((address, i) => ({ name: `s${i}`, address, port: 80 })),
            serverTemplates: [{ prefix: "t", count: 2, fqdn: "app.test:80", port: 80 }],
        }),
        ...[0, 1, 2, 3, 4, 5].map((i) => `server-address backends[0].servers[${i}].address`),
        "server-address backends[0].serverTemplates[0].fqdn",
    ],
    "valid addresses of servers": [
        withBackend({
            servers: ["2001:db8::1", "app1", "_http._tcp.app.test.", "*"].map((address, i) => ({
                name: `s${i}`,
                address,
                port: 80,
            })),
        }),
    ],
    "addresses and ports that are slots": [
        withBackend({ servers: [{ name: "s1", address: slot("s1.address"), port: slot("s1.port") as never }] }),
    ],
    "an address that is only partly a slot": [
        withBackend({ servers: [{ name: "s1", address: `app.${slot("domain")}`, port: 80 }] }),
        "server-address backends[0].servers[0].address",
    ],
    "TLS that accepts the certificate of any host": [
        {
            ...good,
            frontends: [{ ...frontend, useBackends: [{ backend: "some", if: ["TRUE"] }] }],
            backends: [
                {
                    ...backend,
                    defaultServer: { ssl: { caFile: "/ca.pem" } },
                    servers: ["app1", "app2"].map((name) => ({ ...server, name })),
                },
                {
                    name: "some",
                    defaultServer: { ssl: { caFile: "/ca.pem" } },
                    servers: [
                        { ...server, name: "a", ssl: { caFile: "/ca.pem" } },
                        { ...server, name: "b", ssl: { caFile: "/ca.pem", verifyhost: "b.test" } },
                        { ...server, name: "c", ssl: { caFile: "/ca.pem", sni: "str(c.test)" } },
                        { ...server, name: "d", raw: "sni req.hdr(host)" },
                        { ...server, name: "e", ssl: { verify: "none" } },
                    ],
                },
            ],
        },
        "unverified-name backends[0].defaultServer.ssl",
        "unverified-name backends[1].servers[0].ssl",
    ],
    "cookies that keep no client on a server": [
        {
            ...withBackend({ cookie: { name: "SRV" }, servers: [server, { ...server, name: "app2", cookie: "b" }] }),
            listens: [{ name: "l", binds: [{ port: 81 }], servers: [{ ...server, cookie: "a" }] }],
        },
        "server-without-cookie backends[0].servers[0].cookie",
        "unused-cookie listens[0].servers[0].cookie",
    ],
});

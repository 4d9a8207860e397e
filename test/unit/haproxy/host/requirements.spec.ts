import assert from "node:assert/strict";
import { hostRequirements } from "../../../../components/haproxy/host/requirements";
import type { Backend, Bind, HaproxyConfig, Server } from "../../../../components/haproxy/model";

const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };
const model = (backend: Partial<Backend>, rest: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [server], ...backend }],
    ...rest,
});
const bound = (...binds: Bind[]): HaproxyConfig =>
    model({}, { frontends: [{ name: "http", binds, defaultBackend: "app" }] });

describe("hostRequirements of binds", () => {
    it("list every port, with mode http only if it answers plain requests, and which clients cannot connect", () => {
        const config = bound(
            { port: 80 },
            { port: 443, ssl: { crt: ["/x"] } },
            { port: 81, acceptProxy: true },
            { port: 82, raw: "ssl crt /x" },
            { port: 90, portEnd: 91 },
            { port: 83, interface: "eth1" },
            { address: "198.51.100.1", port: 84, transparent: true },
            { port: 85, raw: "transparent interface eth2" },
            { path: "/run/site/x.sock" },
        );
        const listens = [
            {
                name: "db",
                mode: "tcp" as const,
                binds: [{ port: 5432 }],
                raw: ["bind :86 interface eth3"],
                servers: [server],
            },
        ];
        const peers = [
            {
                name: "pair",
                peers: [
                    { address: "127.0.0.1", port: 87 },
                    { name: "other", address: "192.0.2.12", port: 88 },
                ],
            },
        ];
        const { binds, socketDirectories } = hostRequirements({ ...config, listens, peers });
        assert.deepEqual(
            binds.map(({ port, mode, interface: device, transparent }) =>
                [port, mode, device, transparent && "transparent"].filter(Boolean).join(" "),
            ),
            [
                "80 http",
                "443 tcp",
                "81 tcp",
                "82 tcp",
                "90 http",
                "91 http",
                "83 http eth1",
                "84 http transparent",
                "85 tcp eth2 transparent",
                "5432 tcp",
                "86 tcp eth3",
                "87 tcp",
            ],
        );
        assert.deepEqual(socketDirectories, ["/run/haproxy", "/run/site"]);
    });
});

describe("hostRequirements of memory", () => {
    it("grow with TLS on one side, and more with TLS on both", () => {
        const tls: Bind = { port: 443, ssl: { crt: ["/x"] } };
        const kilobytes = (bind: Bind, backend: Partial<Backend> = {}) =>
            hostRequirements({
                ...bound(bind),
                global: { maxconn: 1000 },
                backends: [{ name: "app", servers: [server], ...backend }],
            }).memoryNeeded;
        const secure = { servers: [{ ...server, ssl: { verify: "none" as const } }] };
        assert.equal(kilobytes({ port: 80 }), 50_000);
        assert.equal(kilobytes(tls), 125_000);
        assert.equal(kilobytes({ port: 80 }, secure), 125_000);
        assert.equal(kilobytes(tls, secure), 200_000);
        assert.equal(
            kilobytes({ port: 443, raw: "ssl crt /x" }, { defaultServer: { raw: "ssl verify none" } }),
            200_000,
        );
    });
});

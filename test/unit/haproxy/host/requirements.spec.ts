import assert from "node:assert/strict";
import { slot } from "../../../../components/convergence/slots";
import { hostRequirements } from "../../../../components/haproxy/host/requirements";
import type { Backend, Bind, HaproxyConfig, Server } from "../../../../components/haproxy/model";
import { render } from "../../../../components/haproxy/render/index";

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
            }).memory;
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

describe("hostRequirements", () => {
    it("lists what the host must have", () => {
        const servers = ["app1.example.com", "192.0.2.1", "2001:db8::1", "app1.example.com"];
        const requirements = hostRequirements({
            version: "2.6",
            global: {
                maxconn: 4000,
                hardStopAfter: "90000",
                chroot: "/srv/haproxy",
                statsSockets: [{ path: "/run/a/x" }, { path: "/run/a/y" }],
            },
            frontends: [
                {
                    name: "http",
                    binds: [{ port: 80 }, { address: "2001:db8::10", port: 443 }],
                    raw: [
                        "bind 127.0.0.1:8081,[::1]:8082 name x",
                        "bind :8083",
                        "bind /run/x.sock",
                        "http-request deny",
                    ],
                },
            ],
            backends: [{ name: "app", servers: servers.map((address, i) => ({ name: `s${i}`, address, port: 80 })) }],
            stats: { bind: { address: "127.0.0.1", port: 8404 } },
            metrics: { bind: { address: "127.0.0.1", port: 8405 } },
            health: { port: 8407, from: ["192.0.2.12"] },
        });
        assert.deepEqual(requirements, {
            binds: [
                { address: "*", port: 80, mode: "http" },
                { address: "2001:db8::10", port: 443, mode: "http" },
                { address: "127.0.0.1", port: 8081, mode: "tcp" },
                { address: "::1", port: 8082, mode: "tcp" },
                { address: "*", port: 8083, mode: "tcp" },
                { address: "127.0.0.1", port: 8404, mode: "http" },
                { address: "127.0.0.1", port: 8405, mode: "http" },
                { address: "*", port: 8407, mode: "http" },
            ],
            chroot: "/srv/haproxy",
            socketDirectories: ["/run/a"],
            maxconn: 4000,
            fileDescriptors: 2 * 4000 + 2 * (8 + 4) + 1000,
            memory: 50 * 4000,
            hardStopAfter: 90,
            serverNames: ["app1.example.com"],
        });
    });

    it("name nothing that is a slot: its value may be secret, and no look-up may show it", () => {
        const slots = { address: slot("address"), port: slot("port") as never };
        const peers = [{ name: "tables", peers: [slots, { ...slots, address: "127.0.0.1" }] }];
        const config = model({ servers: [{ name: "app1", ...slots }] }, { peers });
        assert.doesNotMatch(JSON.stringify(hostRequirements(config)), /slot/);
    });

    it("has the same defaults as the rendered file", () => {
        const { chroot, socketDirectories, maxconn } = hostRequirements({
            version: "2.6",
            frontends: [],
            backends: [],
        });
        const text = render({ version: "2.6", frontends: [], backends: [] }, { digest: "d" }).text;
        assert.ok(text.includes(`    chroot ${chroot}\n`));
        assert.ok(text.includes(`    stats socket ${socketDirectories[0]}/`));
        assert.ok(text.includes(`    maxconn ${maxconn}\n`));
    });
});

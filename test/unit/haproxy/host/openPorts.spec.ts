import assert from "node:assert/strict";
import { slot } from "../../../../components/convergence/slots";
import { logRequests } from "../../../../components/haproxy/host/logRequests";
import { openPorts, peersWithoutRule } from "../../../../components/haproxy/host/openPorts";
import type { Bind, HaproxyConfig } from "../../../../components/haproxy/model";
import { compileServices } from "../../../../components/haproxy/services/compile";

const model = (rest: Partial<HaproxyConfig>): HaproxyConfig => ({ frontends: [], backends: [], ...rest });
const bound = (...binds: Bind[]) => openPorts(model({ frontends: [{ name: "http", binds }] })).clients;
const raw = (...lines: string[]) => openPorts(model({ listens: [{ name: "l", binds: [], servers: [], raw: lines }] }));
const tcp = (...ports: (number | string)[]) => ports.map((port) => ({ protocol: "tcp" as const, port }));

describe("openPorts", () => {
    it("lets clients in at each bind of frontends and listens, once each", () => {
        const listens = [{ name: "db", binds: [{ port: 5432 }, { port: 80 }], servers: [] }];
        const config = model({ frontends: [{ name: "http", binds: [{ port: 80 }, { port: 443 }] }], listens });
        assert.deepEqual(openPorts(config), { clients: tcp(80, 443, 5432), peers: [], stats: [], metrics: [] });
    });

    it("takes ranges as they are", () => {
        assert.deepEqual(bound({ port: 9000, portEnd: 9010 }, { port: 7, portEnd: 7 }), tcp("9000-9010", 7));
    });

    it("leaves out what only the host can reach, in IPv4 and IPv6 alike", () => {
        const closed: Bind[] = [
            { path: "/run/site/x.sock" },
            { port: 1, address: "127.0.0.1" },
            { port: 2, address: "127.1.2.3" },
            { port: 3, address: "::1" },
            { port: 4, address: "0:0::0001" },
            { port: 5, address: ["127.0.0.1", "::1"] },
            { port: 6, address: "localhost" },
            { port: 7, address: "::ffff:127.0.0.1" },
            { port: 8, interface: "lo" },
            { port: 9, raw: "interface lo tfo" },
        ];
        assert.deepEqual(bound(...closed), []);
        const open: Bind[] = [
            { port: 1, address: ["127.0.0.1", "192.0.2.1"] },
            { port: 2, address: "::" },
            { port: 3, address: "*" },
            { port: 4, address: "2001:db8::1" },
            { port: 5, address: "lb.example.com" },
            { port: 6, interface: "lo0" },
            { port: 7, raw: "interface eth0 name interface-lo" },
            { port: 8, address: "192.0.2.1", transparent: true },
        ];
        assert.deepEqual(bound(...open), tcp(1, 2, 3, 4, 5, 6, 7, 8));
    });

    it("reads raw bind lines: lists, ranges, families, QUIC; no sockets", () => {
        const { clients } = raw(
            "bind :80,[::]:81 name x",
            "  bind 192.0.2.1:9000-9010 ssl crt /x",
            "bind ipv4@:82,ipv6@[::1]:83,127.0.0.1:84",
            "bind quic4@:443 ssl crt /x alpn h3",
            "bind /run/x.sock:80,unix@/run/y,abns@z,fd@7",
            "bind :85 interface lo",
            "bindings :86",
            "# bind :87",
        );
        const quic = { protocol: "udp" as const, port: 443 };
        assert.deepEqual(clients, [...tcp(80, 81, "9000-9010", 82), quic]);
    });

    it("lets the other peers in at the host's own port, and none at a loopback address", () => {
        const peers = [
            {
                name: "pair",
                peers: [
                    { address: "192.0.2.11", port: 10_000 },
                    { name: "lb2", address: "192.0.2.12", port: 10_001 },
                    { name: "lb3", address: "2001:db8::13", port: 10_002 },
                ],
            },
            { name: "own", peers: [{ address: "127.0.0.1", port: 8406 }] },
            { name: "alone", peers: [{ address: "0.0.0.0", port: 8407 }] },
        ];
        const expected = [{ protocol: "tcp", port: 10_000, from: ["192.0.2.12", "2001:db8::13"] }];
        assert.deepEqual(openPorts(model({ peers })).peers, expected);
        assert.deepEqual(peersWithoutRule(model({ peers })), []);
    });

    it("takes each peer for the host itself if all have names", () => {
        const peers = [
            {
                name: "pair",
                peers: [
                    { name: "lb1", address: "192.0.2.11", port: 10_000 },
                    { name: "lb2", address: "192.0.2.12", port: 10_000 },
                ],
            },
        ];
        const of = (address: string) => ({ protocol: "tcp", port: 10_000, from: [address] });
        assert.deepEqual(openPorts(model({ peers })).peers, [of("192.0.2.12"), of("192.0.2.11")]);
    });

    it("says which peers it cannot let in", () => {
        const section = (port: number, ...addresses: string[]) => ({
            name: "pair",
            peers: [
                { address: "192.0.2.11", port },
                ...addresses.map((address, i) => ({ name: `lb${i + 2}`, address, port })),
            ],
        });
        const config = model({
            peers: [
                section(10_000, "lb2.example.com", "192.0.2.13", slot("address")),
                section(slot("port") as unknown as number, "192.0.2.12"),
            ],
        });
        assert.deepEqual(openPorts(config).peers, [{ protocol: "tcp", port: 10_000, from: ["192.0.2.13"] }]);
        assert.deepEqual(
            peersWithoutRule(config).map(({ path }) => path),
            ["peers[0].peers[1].address", "peers[0].peers[3].address", "peers[1].peers[0].port"],
        );
        assert.match(
            peersWithoutRule(config)[0]?.message ?? "",
            /^peers pair: .* peer lb2 in, .*; add tcp 10000 from .* to firewall\.allow$/,
        );
        assert.ok(peersWithoutRule(config).every(({ message }) => !message.includes("\0")));
    });

    it("keeps the statistics page and the metrics apart", () => {
        const stats = { bind: { port: 8404 } };
        const metrics = { bind: { port: 8405, address: "127.0.0.1" } };
        const found = openPorts(model({ frontends: [{ name: "http", binds: [{ port: 80 }] }], stats, metrics }));
        assert.deepEqual(found, { clients: tcp(80), peers: [], stats: tcp(8404), metrics: [] });
    });

    it("lets no client to the health page, which is not logged either", () => {
        const config = model({
            frontends: [{ name: "http", binds: [{ port: 80 }] }],
            health: { port: 8407, from: [] },
        });
        assert.deepEqual(openPorts(config), { clients: tcp(80), peers: [], stats: [], metrics: [] });
        assert.deepEqual(logRequests(config), [{ address: "127.0.0.1", port: 80, ask: "http" }]);
    });

    it("has the ports of services, and not that of their tables", () => {
        const servers = [{ name: "app1", address: "192.0.2.1" }];
        const { config } = compileServices(
            { ipv6: true },
            [
                { name: "shop", port: 8080, hosts: ["shop.example.com"], servers },
                { name: "secure", port: 8443, protocol: "https", hosts: ["secure.example.com"], servers },
                { name: "db", port: 5432, protocol: "tcp", servers, persistence: { by: "address" } },
            ],
            undefined,
            undefined,
        );
        assert.equal(config.peers?.length, 1);
        const { clients, peers } = openPorts(config);
        assert.deepEqual(new Set(clients.map(({ port }) => port)), new Set([80, 443, 5432]));
        assert.deepEqual(peers, []);
    });
});

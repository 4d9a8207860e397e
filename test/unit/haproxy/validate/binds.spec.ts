import { slot } from "../../../../components/convergence/slots";
import { cases, good, withBinds } from "./cases";

cases("validate: binds", {
    "duplicate binds, however they are written": [
        {
            ...withBinds(
                { port: 80 },
                { address: "0.0.0.0", port: 80, acceptProxy: true },
                { address: "*", port: 8404 },
                { address: "2001:DB8:0::1", port: 81 },
                { address: ["127.0.0.1", "2001:db8::1"], port: 81, maxconn: 5 },
                { port: 8000, portEnd: 8010 },
                { port: 8005, name: "odd" },
                { port: 8005, interface: "eth1" },
                { path: "/run/a" },
                { path: "/run/a", mode: "600" },
            ),
            stats: { bind: { port: 8404 }, auth: [{ user: "ops", password: slot("stats-password") }] },
        },
        "duplicate-bind frontends[0].binds[1]",
        "duplicate-bind frontends[0].binds[4]",
        "duplicate-bind frontends[0].binds[6]",
        "duplicate-bind frontends[0].binds[9]",
        "duplicate-bind stats.bind",
    ],
    "binds that share a port on purpose": [
        withBinds(
            { port: 80, raw: "thread 1" },
            { port: 80, raw: "thread 2" },
            { port: 80, raw: "interface eth1" },
            { port: 81 },
            { port: 81 },
        ),
    ],
    "metrics on the port of the statistics page, and of a frontend": [
        {
            ...withBinds({ address: "127.0.0.1", port: 8405 }),
            stats: { bind: { address: "::1", port: 8405 } },
            metrics: { bind: { address: ["127.0.0.1", "::1"], port: 8405 } },
        },
        "duplicate-bind metrics.bind",
    ],
    "the health page on the port of a frontend, and of peers": [
        {
            ...withBinds({ port: 8407 }),
            peers: [{ name: "fleet", peers: [{ address: "127.0.0.1", port: 8407 }] }],
            health: { port: 8407, from: [] },
        },
        "duplicate-bind health",
        "duplicate-bind peers[0].peers[0]",
    ],
    "metrics on a name that is no address": [
        { ...good, metrics: { bind: { address: "local host", port: 8405 } } },
        "bind-address metrics.bind.address",
    ],
    "peers on the port of a frontend": [
        { ...good, peers: [{ name: "fleet", peers: [{ address: "127.0.0.1", port: 80 }] }] },
        "duplicate-bind peers[0].peers[0]",
    ],
    "peers at slots": [
        {
            ...good,
            peers: [
                { name: "a", peers: [{ address: slot("a"), port: slot("p") as never }] },
                { name: "b", peers: [{ address: slot("a"), port: slot("q") as never }] },
                { name: "c", peers: [{ address: slot("c"), port: slot("p") as never }] },
            ],
        },
        "duplicate-bind peers[2].peers[0]",
    ],
    "binds to host names": [withBinds({ address: ["127.0.0.1", "lb1"], port: 82 })],
    "binds to sockets, and to two addresses in one": [
        withBinds({ address: "/run/x", port: 83 }, { address: "192.0.2.1:84,192.0.2.2", port: 84 }),
        "bind-address frontends[0].binds[0].address",
        "bind-address frontends[0].binds[1].address",
    ],
});

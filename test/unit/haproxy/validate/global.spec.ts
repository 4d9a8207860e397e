import { slot } from "../../../../components/convergence/slots";
import { cases, good, withBackend } from "./cases";

cases("validate: global", {
    "passwords in plain text, and hashes": [
        withBackend(
            { cookie: { name: "S", dynamicKey: "key" } },
            {
                stats: { bind: { port: 8404 }, auth: [{ user: "o:ps", password: "hunter2" }] },
                userlists: [
                    {
                        name: "ops",
                        users: [
                            { name: "ann", password: "hunter2", insecure: true },
                            { name: "ben", password: "$5$salt$hash" },
                            { name: "eve", password: slot("eve") },
                        ],
                    },
                ],
            },
        ),
        "plain-password backends[0].cookie.dynamicKey",
        "plain-password stats.auth[0].password",
        "stats-user stats.auth[0].user",
        "plain-password userlists[0].users[0].password",
        "plain-hash userlists[0].users[1].password",
    ],

    "a missing stats socket": [{ ...good, global: { statsSockets: [] } }, "no-stats-socket global.statsSockets"],
    "settings that raw lines repeat": [
        { ...good, global: { raw: ["maxconn 5", "  user\troot", "maxconnrate 5", "tune.bufsize 32768"] } },
        "duplicate-setting global.raw[0]",
        "duplicate-setting global.raw[1]",
    ],
    "a state file beside ours": [
        { ...good, global: { raw: ["server-state-file /x"] } },
        "duplicate-setting global.raw[0]",
    ],
    "a state file instead of ours": [{ ...good, global: { serverStates: false, raw: ["server-state-file /x"] } }],
    "durations that mean no limit": [
        {
            ...withBackend({ timeouts: { queue: "0", tunnel: "0" } }),
            global: { hardStopAfter: "0s" },
            defaults: { timeouts: { httpRequest: "0ms", check: "1ms" } },
            namedDefaults: [{ name: "slow", timeouts: { httpKeepAlive: "0" } }],
        },
        "zero-duration backends[0].timeouts.queue",
        "zero-duration global.hardStopAfter",
        "zero-duration defaults.timeouts.httpRequest",
        "zero-duration namedDefaults[0].timeouts.httpKeepAlive",
    ],
    "a statistics page without a password on all addresses": [
        { ...good, stats: { bind: { address: ["127.0.0.1", "::"], port: 8404 } } },
        "open-stats stats",
    ],
    "a statistics page on an address of its own": [{ ...good, stats: { bind: { address: "192.0.2.1", port: 8404 } } }],
    "a statistics page with an invalid URI": [
        { ...good, stats: { bind: { address: "192.0.2.1", port: 8404 }, uri: "stats" } },
        "stats-uri stats.uri",
    ],
    "metrics on all addresses": [{ ...good, metrics: { bind: { port: 8405 } } }, "open-metrics metrics"],
    "metrics on one address": [{ ...good, metrics: { bind: { address: "192.0.2.1", port: 8405 }, uri: "/a%20b" } }],
    "metrics for one interface": [{ ...good, metrics: { bind: { interface: "eth1", port: 8405 } } }],
    "metrics for clients with a certificate": [
        { ...good, metrics: { bind: { port: 8405, ssl: { crt: ["/x.pem"], caFile: "/ca.pem" } } } },
    ],
    "metrics for clients that may have a certificate": [
        {
            ...good,
            metrics: { bind: { port: 8405, ssl: { crt: ["/x.pem"], caFile: "/ca.pem", verify: "optional" } } },
        },
        "open-metrics metrics",
    ],
    "metrics at a path that no request has": [
        { ...good, metrics: { bind: { address: "::1", port: 8405 }, uri: "metrics" } },
        "metrics-uri metrics.uri",
    ],
    "metrics at a path that clients encode": [
        { ...good, metrics: { bind: { address: "::1", port: 8405 }, uri: "/all metrics" } },
        "metrics-uri metrics.uri",
    ],
    "metrics with a query": [
        { ...good, metrics: { bind: { address: "::1", port: 8405 }, uri: "/metrics?scope=global" } },
        "metrics-uri metrics.uri",
    ],
    "mailers by host name": [
        { ...good, mailers: [{ name: "mail", mailers: [{ name: "smtp", address: "mail.example.com" }] }] },
    ],
});

import { cases, frontend, server, withBackend, withFrontend, withServer } from "./cases";

cases("validate: references", {
    "an unknown default backend": [
        withFrontend({ defaultBackend: "ap" }),
        "unknown-reference frontends[0].defaultBackend",
        "unused-backend backends[0].name",
    ],
    "sections that are not declared": [
        withBackend(
            {
                from: "slow",
                errorfiles: "pages",
                stickTable: { type: "ip", size: "1k", peers: "pair" },
                stickRules: [{ rule: "on", pattern: "src", table: "other" }],
                servers: [{ ...server, resolvers: "dns" }],
                defaultServer: { resolvers: "dns" },
                httpRequestRules: [
                    { action: "cache-use", cache: "c" },
                    { action: "track-sc", counter: 0, table: "gone" },
                    { action: "track-sc", counter: 1 },
                ],
            },
            { frontends: [{ ...frontend, tcpRequestRules: [{ at: "connection", action: "track-sc", counter: 0 }] }] },
        ),
        "unknown-reference backends[0].from",
        "unknown-reference backends[0].errorfiles",
        "unknown-reference backends[0].stickTable.peers",
        "unknown-reference backends[0].stickRules[0].table",
        "unknown-reference backends[0].servers[0].resolvers",
        "unknown-reference backends[0].defaultServer.resolvers",
        "unknown-reference backends[0].httpRequestRules[0].cache",
        "unknown-reference backends[0].httpRequestRules[1].table",
        "unknown-reference frontends[0].tcpRequestRules[0].table",
    ],
    "sections that raw lines declare": [
        withBackend({
            servers: [{ ...server, resolvers: "dns" }],
            httpRequestRules: [
                { action: "cache-use", cache: "c" },
                { action: "track-sc", counter: 0, table: "rates" },
                { action: "track-sc", counter: 1, table: "pair/t" },
            ],
            raw: ["resolvers dns", "parse-resolv-conf", "cache c", "total-max-size 4", "backend rates"],
        }),
        "unknown-reference backends[0].httpRequestRules[2].table",
    ],
    "backends without which the health page fails": [
        { ...withBackend({}), health: { port: 8407, from: [], needs: ["app", "ap"] } },
        "unknown-reference health.needs[1]",
    ],
    "the resolvers that HAProxy declares itself": [withServer({ resolvers: "default" })],
});

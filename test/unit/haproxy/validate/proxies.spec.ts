import { cases, frontend, withBackend, withFrontend } from "./cases";

cases("validate: proxies", {
    "unused acls": [
        withFrontend({
            acls: [
                { name: "api", pathBeg: ["/api/"] },
                { name: "x", path: ["/x"] },
            ],
            raw: ["http-request deny if !x"],
        }),
        "unused-acl frontends[0].acls[0].name",
    ],
    "hosts and paths that never match": [
        withFrontend({
            acls: [
                { name: "a", host: ["shop.example.com:8080", "*.example.com", "shop.example.com.", "192.0.2.1"] },
                { name: "a", path: ["x", "/x?y", "/*"] },
                { name: "a", pathBeg: ["https://x/"] },
            ],
            raw: ["http-request deny if a"],
        }),
        "acl-never-matches frontends[0].acls[0].host[0]",
        "acl-never-matches frontends[0].acls[0].host[1]",
        "acl-never-matches frontends[0].acls[1].path[0]",
        "acl-never-matches frontends[0].acls[1].path[1]",
        "acl-never-matches frontends[0].acls[2].pathBeg[0]",
    ],
    "headers that HTTP does not allow": [
        withBackend({
            httpRequestRules: [
                { action: "set-header", name: "X A", format: "a" },
                { action: "return", headers: { "X:": "", "X-B": "" }, if: ["{ path /x }"] },
            ],
            httpResponseRules: [{ action: "del-header", name: "Server:" }],
            httpChecks: [{ step: "send", uri: "/", headers: { "A B": "c" } }],
        }),
        "header-name backends[0].httpRequestRules[0].name",
        "header-name backends[0].httpRequestRules[1].headers.X:",
        "header-name backends[0].httpResponseRules[0].name",
        "header-name backends[0].httpChecks[0].headers.A B",
    ],
    "TCP rules after one that always ends the evaluation": [
        withBackend(
            { tcpResponseRules: [{ action: "close" }, "content accept if { res.len gt 0 }"] },
            {
                frontends: [
                    {
                        ...frontend,
                        tcpRequestRules: [
                            { at: "connection", action: "accept" },
                            { at: "content", action: "reject", if: ["{ src 192.0.2.1 }"] },
                            "content accept if TRUE",
                            "content reject",
                            "inspect-delay 5s",
                            { at: "content", action: "accept" },
                        ],
                    },
                ],
            },
        ),
        "unreachable-rule backends[0].tcpResponseRules[1]",
        "unreachable-rule frontends[0].tcpRequestRules[5]",
    ],
    "backends after one without a condition": [
        withFrontend({ useBackends: [{ backend: "app" }] }),
        "unreachable-rule frontends[0].useBackends[0]",
    ],
    "raw rules before declared ones of their kind": [
        withFrontend({
            raw: [
                "http-request deny if METH_TRACE",
                "http-response set-header Strict-Transport-Security max-age=31536000",
                "tcp-request  content reject if FALSE",
                "tcp-request connection accept",
                "tcp-request inspect-delay 5s",
                "use_backend app unless METH_PUT",
                "redirect scheme https if !{ ssl_fc }",
            ],
            tcpRequestRules: ["content accept", "inspect-delay 1s"],
            httpRequestRules: [{ action: "redirect", scheme: "https", if: ["METH_GET"] }],
            useBackends: [{ backend: "app", if: ["METH_GET"] }],
        }),
        "raw-before-rules frontends[0].raw[0]",
        "raw-before-rules frontends[0].raw[2]",
    ],
});

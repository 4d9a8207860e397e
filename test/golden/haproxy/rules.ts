import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.2",
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }],
            acls: [
                { name: "office", criterion: "src 192.0.2.0/24" },
                { name: "ops", pathBeg: ["/ops/"] },
            ],
            tcpRequestRules: [
                "inspect-delay 5s",
                { at: "content", action: "set-var", variable: "sess.port", expression: "dst_port" },
                { at: "connection", action: "accept", if: ["office"] },
                { at: "connection", action: "reject", if: ["{ src 198.51.100.0/24 }"] },
                "session reject if { src 203.0.113.7 }",
            ],
            httpRequestRules: [
                { action: "set-var", variable: "txn.host", expression: "req.hdr(host),lower" },
                { action: "set-header", name: "X-Request-Id", format: "%[uuid()]" },
                { action: "del-header", name: "X-Internal" },
                { action: "replace-header", name: "Cookie", match: "(.*) track=[^;]*(.*)", format: "\\1\\2" },
                { action: "redirect", scheme: "https", code: 301, if: ["{ path /secure }"] },
                { action: "redirect", location: "https://www.example.com/a b", if: ["{ path /moved }"] },
                { action: "redirect", prefix: "https://www.example.com", code: 308, if: ["{ path_beg /old/ }"] },
                { action: "deny", status: 404, if: ["ops", "!office"] },
                { action: "tarpit", if: ["{ path /wp-login.php }"] },
                { action: "return", if: ["{ path /ping }"], body: 'it\'s "up" on %H\n', headers: { "X-From": "%H" } },
                { action: "return", status: 503, if: ["{ path /gone }"] },
                { action: "replace-path", match: "^/v1/(.*)", format: "/\\1" },
                { action: "set-path", format: "/clickCount%[path]", if: ["!{ path_beg /clickCount }"] },
                "set-nice 5 if office",
                { action: "unset-var", variable: "txn.host" },
                { action: "allow" },
            ],
            httpResponseRules: [
                { action: "set-header", name: "Strict-Transport-Security", format: "max-age=31536000" },
                { action: "deny", if: ["{ status 418 }"] },
                { action: "set-status", status: 404, reason: "not here", if: ["{ status 403 }"] },
            ],
            httpAfterResponseRules: [{ action: "set-header", name: "X-Frame-Options", format: "DENY" }],
            defaultBackend: "app",
        },
    ],
    backends: [
        {
            name: "app",
            acls: [{ name: "api", pathBeg: ["/api/"] }],
            tcpRequestRules: [{ at: "content", action: "accept" }],
            tcpResponseRules: [{ action: "close", if: ["{ dst_port 81 }"] }, { action: "accept" }],
            httpRequestRules: [{ action: "add-header", name: "X-Api", format: "yes", if: ["api"] }],
            servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }],
        },
    ],
    listens: [
        {
            name: "both",
            binds: [{ port: 8081 }],
            httpRequestRules: [{ action: "deny", if: ["METH_POST"] }],
            useBackends: [{ backend: "app", if: ["{ path /app }"] }],
            servers: [{ name: "app1", address: "192.0.2.21", port: 8080 }],
        },
    ],
};

export default config;

import { slot } from "../../../components/convergence/slots";
import { otherOptions } from "../../../components/haproxy";
import { many, onResponse, type Parts, server, tcp } from "./model";

/**
 * Mistakes of every kind that we leave to the daemons: the model, the daemons' words, and the line that they name. Each daemon
 * refuses them, if only with a warning, so that we need no check of our own.
 */
export const refused: Record<string, readonly [Parts, RegExp, string?]> = {
    "an unknown keyword": [{ backend: { raw: ["blance uri"] } }, /unknown keyword 'blance'/, "blance uri"],
    "an unknown option": [
        { backend: { options: otherOptions({ "http-clsoe": true }) } },
        /unknown option/,
        "option http-clsoe",
    ],
    "an option of the other side": [
        { backend: { options: { dontlognull: true } } },
        /'dontlognull' ignored because backend 'app' has no frontend capability/,
        "option dontlognull",
    ],
    "an option of HTTP in mode tcp": [
        { ...tcp, backend: { mode: "tcp", options: { forwardfor: true } } },
        /'option forwardfor' ignored for backend 'app' as it requires HTTP mode/,
    ],
    "a balance that is none": [{ backend: { balance: "fair" } }, /balance only supports 'roundrobin'/, "balance fair"],
    "a balance by content in mode tcp": [{ ...tcp, defaults: { balance: "uri" } }, /needs 'mode http'/],
    "a duration that is none": [
        { defaults: { timeouts: { client: "10 minutes" } } },
        /unexpected character ' ' in 'timeout client'/,
        "timeout client",
    ],
    "a client without a timeout": [
        { defaults: { timeouts: { client: "0" } } },
        /missing timeouts for (proxy|frontend) 'http'/,
    ],
    "a duration that is too long": [
        { backend: { timeouts: { server: "30d" } } },
        /timer overflow/,
        "timeout server 30d",
    ],
    "a timeout of the other side": [
        { backend: { timeouts: { client: "5s" } } },
        /'timeout client' will be ignored/,
        "timeout client 5s",
    ],
    "a line of more than 64 words": [
        { frontend: { useBackends: [{ backend: "app", if: many(70, (i) => (i % 2 ? "or" : "METH_GET")) }] } },
        /too many words/,
        "use_backend app",
    ],
    "a quote that is not closed": [
        { backend: { raw: ['http-request set-header a "b'] } },
        /unmatched quote/,
        'http-request set-header a "b',
    ],
    "an acl that is not declared": [
        { frontend: { httpRequestRules: [{ action: "deny", if: ["who"] }] } },
        /no such ACL : 'who'/,
        "http-request deny if who",
    ],
    'an acl named "or"': [
        { frontend: { acls: [{ name: "or", path: ["/"] }] } },
        /acl name 'or' will never match/,
        "acl or path /",
    ],
    "a condition on the response in a rule of requests": [
        { frontend: { httpRequestRules: [{ action: "deny", if: ["{ status 500 }"] }] } },
        /will never match because it uses keyword 'status'/,
        "http-request deny if { status 500 }",
    ],
    "a sample of the request in a rule of responses": [
        { frontend: { httpResponseRules: [{ ...onResponse, format: "%[req.hdr(host)]" }] } },
        /may not be reliably used here/,
        "http-response set-header X-A",
    ],
    "a rule behind one that always ends the evaluation": [
        { frontend: { httpRequestRules: [{ action: "deny" }, "set-nice 5"] } },
        /final and has no condition/,
        "http-request set-nice 5",
    ],
    "a status without a message": [
        { frontend: { httpRequestRules: [{ action: "deny", status: 418, if: ["METH_GET"] }] } },
        /status code '418' not handled/,
        "http-request deny deny_status 418",
    ],
    "a variable without a scope": [
        { backend: { httpRequestRules: [{ action: "set-var", variable: "host", expression: "hdr(host)" }] } },
        /invalid variable name/,
        "http-request set-var(host) hdr(host)",
    ],
    "two servers of one name": [
        { backend: { servers: [server, { ...server, address: "192.0.2.2" }] } },
        /another server named 'app1'/,
        "server app1 192.0.2.2:80",
    ],
    "two backends of one name": [
        { backends: many(2, () => ({ name: "app", servers: [server] })) },
        /same name as backend 'app'/,
        "backend app",
    ],
    "a weight out of range": [
        { backend: { raw: ["server x 192.0.2.2:80 weight 257"] } },
        /weight of server x is not within 0 and 256/,
        "weight 257",
    ],
    "an unknown server of a condition": [
        { frontend: { useBackends: [{ backend: "app", if: ["{ srv_is_up(app/app2) }"] }] } },
        /unable to find server 'app2'/,
        "srv_is_up(app/app2)",
    ],
    "an unknown userlist of a condition": [
        { frontend: { httpRequestRules: [{ action: "auth", if: ["!{ http_auth(ops) }"] }] } },
        /unable to find userlist 'ops'/,
        "http-request auth if",
    ],
    "an unknown user of a group": [
        {
            userlists: [
                {
                    name: "ops",
                    groups: [{ name: "g", users: ["ben"] }],
                    users: [{ name: "ann", password: slot("ann") }],
                },
            ],
        },
        /no such user 'ben'/,
    ],
    "a counter that is not known": [
        { backend: { stickTable: { type: "ip", size: "1k", store: ["http_rate(10s)"] } } },
        /unknown store option 'http_rate'/,
        "stick-table type ip",
    ],
    "a cookie in mode tcp": [
        { ...tcp, backend: { mode: "tcp", cookie: { name: "S" }, servers: [{ ...server, cookie: "a" }] } },
        /cookie will be ignored/,
    ],
    "two kinds of check": [
        { backend: { httpChecks: [{ step: "send", uri: "/" }], protocolCheck: { protocol: "redis" } } },
        /http-check rules without 'option httpchk'/,
    ],
    "steps of a check in an order that is none": [
        { backend: { httpChecks: [{ step: "send", uri: "/" }, { step: "connect" }] } },
        /first step MUST also be a 'connect'/,
        "http-check connect",
    ],
    "TLS to a server that nothing verifies": [
        { backend: { servers: [{ ...server, ssl: {} }] } },
        /verify is enabled by default but no CA file/,
        "server app1",
    ],
    "a frontend that listens nowhere": [{ frontend: { binds: [] } }, /has no 'bind' directive/],
    "an error file without HTTP headers": [
        {
            frontend: { errorfiles: "e" },
            httpErrors: [{ name: "e", errorfiles: { 503: { content: "<h1>Sorry</h1>\n" } } }],
        },
        /una(bled|ble) to parse headers/,
        "errorfile 503",
    ],
    "an error file that does not fit a buffer": [
        {
            frontend: { errorfiles: "e" },
            httpErrors: [
                { name: "e", errorfiles: { 503: { content: `HTTP/1.1 503 Sorry\r\n\r\n${"x".repeat(16_384)}` } } },
            ],
        },
        /e-503\.http' larger than 16384 bytes/,
    ],
    "a map that is not declared": [
        {
            frontend: {
                useBackends: [{ backend: "%[path,map(/etc/haproxy/fleet/none.map)]" }],
                defaultBackend: undefined,
            },
        },
        /failed to parse use_backend rule/,
        "use_backend %[path,map(/etc/haproxy/fleet/none.map)]",
    ],
    "resolvers without name servers": [{ resolvers: [{ name: "dns", nameservers: [] }] }, /no nameservers configured/],
    "mailers that nothing uses": [
        { mailers: [{ name: "mail", mailers: [{ name: "smtp", address: "127.0.0.1" }] }] },
        /Removing incomplete section 'mailers mail'/,
    ],
};

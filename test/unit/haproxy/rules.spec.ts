import assert from "node:assert/strict";
import type { Frontend, HaproxyConfig } from "../../../components/haproxy/model";
import { render } from "../../../components/haproxy/render/index";
import { validate } from "../../../components/haproxy/validate/index";

const frontend: Frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
const model = (change: Partial<Frontend>, version = "2.6"): HaproxyConfig => ({
    version,
    frontends: [{ ...frontend, ...change }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] }],
});

const faults: Record<string, [HaproxyConfig, ...string[]]> = {
    "an unknown acl in the condition of a rule": [
        model({
            httpRequestRules: [{ action: "deny", if: ["bad"] }, 'set-header X-A "if it" unless ! worse { path / }'],
        }),
        'error frontends[0].httpRequestRules[0].if[0]: unknown acl "bad" in a condition of frontend http: no acl is declared, or write it out like "{ path_beg /api }"',
        'error frontends[0].httpRequestRules[1]: unknown acl "worse" in a condition of frontend http: no acl is declared, or write it out like "{ path_beg /api }"',
    ],
    "rules behind one that always ends the evaluation": [
        model({
            httpRequestRules: [{ action: "set-header", name: "X-A", format: "a" }, { action: "deny" }, "set-nice 5"],
            tcpRequestRules: [
                { at: "connection", action: "accept" },
                { at: "content", action: "reject", if: ["{ src 192.0.2.1 }"] },
            ],
        }),
        'error frontends[0].httpRequestRules[2]: http-request rule "set-nice 5" of frontend http is never reached: rule 1 before it has no condition and ends the evaluation',
    ],
    "http rules in mode tcp": [
        {
            ...model({ mode: "tcp", httpRequestRules: [{ action: "reject" }] }),
            defaults: { mode: "tcp" },
        },
        "error frontends[0].httpRequestRules: http-request rules of frontend http need mode http: it has mode tcp",
    ],
    "raw rules whose place among declared ones nobody sees": [
        model({ raw: ["http-request set-nice 5"], tcpRequestRules: ["content accept"] }),
        "error frontends[0].raw[0]: raw http-request line beside declared rules of frontend http, so that its place among them is not visible: put it into httpRequestRules",
    ],
    "a tcp-request rule without its place, and one that no backend sees": [
        {
            ...model({ tcpRequestRules: ["reject"] }),
            backends: [
                {
                    name: "app",
                    tcpRequestRules: [{ at: "connection", action: "reject" }],
                    servers: [{ name: "app1", address: "192.0.2.1", port: 80 }],
                },
            ],
        },
        'error frontends[0].tcpRequestRules[0]: unknown tcp-request rule of frontend http "reject": begin it with inspect-delay, connection, session, content',
        "error backends[0].tcpRequestRules[0]: tcp-request rule of backend app at connection, which a backend does not see: put it into the frontend",
    ],
    "a variable set at connection before 2.6": [
        model(
            { tcpRequestRules: [{ at: "connection", action: "set-var", variable: "sess.a", expression: "src" }] },
            "2.4",
        ),
        "error frontends[0].tcpRequestRules[0]: set-var at connection in frontend http needs HAProxy 2.6, but the declared version is 2.4: set it at session",
    ],
    "values that break the line": [
        model({
            httpRequestRules: [
                { action: "set-header", name: "X A", format: "a\nb" },
                { action: "set-var", variable: "host", expression: "hdr(host)" },
                { action: "return", contentType: "text/plain", headers: { "X:\t": "" } },
            ],
        }),
        'error frontends[0].httpRequestRules[0].name: invalid name of set-header in a http-request rule of frontend http "X A": use letters, digits and "-"',
        'error frontends[0].httpRequestRules[0].format: control character in format of set-header in a http-request rule of frontend http "a\\nb": remove it',
        'error frontends[0].httpRequestRules[1].variable: invalid variable of set-var in a http-request rule of frontend http "host": use a scope and a name, like "txn.host"',
        'error frontends[0].httpRequestRules[2].headers.X:\t: invalid header name of return in a http-request rule of frontend http "X:\\t": use letters, digits and "-"',
        "error frontends[0].httpRequestRules[2].headers.X:\t: empty header X:\\x09 of return in a http-request rule of frontend http: give a value or leave it out",
        "error frontends[0].httpRequestRules[2].contentType: contentType of return in a http-request rule of frontend http without a body: add one or leave it out",
    ],
};

describe("rules", () => {
    for (const [title, [config, ...expected]] of Object.entries(faults)) {
        it(`fails on ${title}`, () => {
            const found = validate(config).map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
            assert.deepEqual(found.sort(), [...expected].sort());
        });
    }

    it("keep their order, but for the phases of tcp-request, which run one after the other", () => {
        const text = render(
            model({
                tcpRequestRules: ["content accept if TRUE", "session accept", "content reject", "connection accept"],
                httpRequestRules: ["set-nice 2", "set-nice 1"],
            }),
            { digest: "d" },
        ).text;
        assert.deepEqual(text.match(/(?<= {4})(tcp|http)-request .*/g), [
            "tcp-request connection accept",
            "tcp-request session accept",
            "tcp-request content accept if TRUE",
            "tcp-request content reject",
            "http-request set-nice 2",
            "http-request set-nice 1",
        ]);
    });
});

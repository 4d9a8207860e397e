import assert from "node:assert/strict";
import type { Frontend, HaproxyConfig } from "../../../../components/haproxy/model";
import { render } from "../../../../components/haproxy/render/index";

const frontend: Frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
const model = (change: Partial<Frontend>): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ ...frontend, ...change }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 80 }] }],
});

describe("rules", () => {
    it("keep their order, except that tcp-request rules are sorted by phase", () => {
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

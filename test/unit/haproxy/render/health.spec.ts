import assert from "node:assert/strict";
import { fillSlots, slot } from "../../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../../components/haproxy/model";
import { render } from "../../../../components/haproxy/render/index";
import { slotIssue, slotValue } from "../../../../components/haproxy/render/quoting";

const health = { port: 8407, from: ["192.0.2.12"] };
const model = (data: Partial<HaproxyConfig>): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.31", port: 80 }] }],
    ...data,
});
const textOf = (config: HaproxyConfig) => render(config, { digest: "d" }).text;
const limits = (config: HaproxyConfig) =>
    [...textOf(config).matchAll(/^ {4}maxconn (\d+)$/gm)].map(([, n]) => Number(n));

describe("the health page", () => {
    it("leaves a configuration without one alone", () => {
        assert.deepEqual(limits(model({})), [50_000]);
        assert.doesNotMatch(textOf(model({})), /monitor/);
    });

    it("keeps connections free for itself: 20, or a tenth of few", () => {
        for (const [maxconn, others, own] of [
            [50_000, 49_980, 20],
            [200, 180, 20],
            [199, 180, 19],
            [10, 9, 1],
            [2, 1, 1],
            [1, 1, 1],
        ] as const) {
            // In `global`, the frontend, and the page.
            assert.deepEqual(limits(model({ global: { maxconn }, health })), [maxconn, others, own], `${maxconn}`);
        }
    });

    it("leaves limits alone that are declared, in the section or in its defaults, and backends", () => {
        const frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
        assert.deepEqual(
            limits(model({ frontends: [{ ...frontend, maxconn: 50_000 }], health })),
            [50_000, 50_000, 20],
        );
        assert.deepEqual(limits(model({ frontends: [{ ...frontend, raw: ["maxconn 7"] }], health })), [50_000, 7, 20]);
        assert.deepEqual(limits(model({ defaults: { raw: ["maxconn 7"] }, health })), [50_000, 7, 20]);
        const named = [{ name: "few", raw: ["maxconn 7"] }];
        assert.deepEqual(
            limits(
                model({
                    namedDefaults: named,
                    frontends: [
                        { ...frontend, from: "few" },
                        { ...frontend, name: "b", binds: [{ port: 81 }] },
                    ],
                    health,
                }),
            ).sort(),
            [20, 49_980, 50_000, 7],
        );
    });

    it("has another name beside a section of its name", () => {
        assert.match(textOf(model({ health })), /^frontend health$/m);
        const backends = [{ name: "health", servers: [] }];
        assert.match(textOf(model({ frontends: [], backends, health })), /^frontend health:8407$/m);
    });

    it("takes addresses that are known later, and nothing else in their place", () => {
        const text = textOf(model({ health: { ...health, from: ["192.0.2.12", slot("peer")] } }));
        const encodings: (string | undefined)[] = [];
        const filled = fillSlots(text, (name) => {
            const encoding = name.split("/")[1];
            encodings.push(encoding);
            assert.equal(slotIssue("192.0.2.13", encoding), undefined);
            assert.notEqual(slotIssue("192.0.2.13 }", encoding), undefined);
            return slotValue("192.0.2.13", encoding ?? "");
        });
        assert.deepEqual(encodings, ["haproxy-address"]);
        assert.match(
            filled,
            /^ {4}tcp-request connection reject unless \{ src 127\.0\.0\.0\/8 192\.0\.2\.12 '192\.0\.2\.13' \}$/m,
        );
    });
});

import assert from "node:assert/strict";
import { report } from "../../../../cli/status/json";
import { judge } from "../../../../cli/status/judge";
import { answerOf, pairAnswer, statusOf } from "../../../support/answers";

const fleet = { project: "edge", stack: "prod", pulumiCommand: "pulumi" };

describe("report", () => {
    it("has what a host has answered, but for the tokens", () => {
        const { token: _, ...answer } = answerOf("lb1");
        assert.deepEqual(report("prod", [judge(statusOf("lb1"), fleet)]), {
            stack: "prod",
            healthy: true,
            hosts: [
                {
                    host: "lb1",
                    address: "192.0.2.1",
                    verdict: "healthy",
                    reasons: [],
                    unanswered: null,
                    converging: null,
                    haproxyProblem: null,
                    pairProblem: null,
                    pair: null,
                    ...answer,
                },
            ],
        });
        const text = JSON.stringify(
            report("prod", [judge({ ...statusOf("lb1", { token: "s3cret2" }), expectedToken: "s3cret1" }, fleet)]),
        );
        assert.match(text, /"kind":"token"/);
        assert.doesNotMatch(text, /s3cret/);
    });

    it("has the same fields for a host that has not answered, or was never converged", () => {
        const [well, away, never] = report("prod", [
            judge(statusOf("lb1"), fleet),
            judge({ ...statusOf("lb2"), answer: { unanswered: "refuses connections; look" } }, fleet),
            judge({ host: "lb3", address: "", expectedToken: "" }, fleet),
        ]).hosts;
        assert(well && away && never);
        for (const host of [away, never]) assert.deepEqual(Object.keys(host), Object.keys(well));
        assert.deepEqual([away.verdict, away.unanswered, away.haproxy], ["failing", "refuses connections; look", null]);
        assert.deepEqual([never.verdict, never.unanswered, never.address], ["attention", null, null]);
    });

    it("has what a host has said of its pair", () => {
        const pair = pairAnswer("lb1", { outside: "standby", warnings: [{ text: "w", ago: 3 }] });
        const [host] = report("prod", [judge(statusOf("edge-lb1", { pair }), fleet)]).hosts;
        assert.deepEqual(host?.pair, pair);
    });

    it("is healthy only if every host is", () => {
        const healthy = judge(statusOf("lb1"), fleet);
        const attention = judge(statusOf("lb2", { token: "t2" }), fleet);
        assert.equal(report("prod", [healthy, attention]).healthy, false);
    });
});

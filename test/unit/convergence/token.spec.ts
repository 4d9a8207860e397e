import assert from "node:assert/strict";
import { makePlan } from "../../../components/convergence/payload/plan";
import type { WhyRun } from "../../../components/convergence/preview/whyRun";
import { nextToken } from "../../../components/convergence/token";
import { whyRunWith } from "./preview/whyRuns";

const plan = makePlan([{ kind: "file", path: "/etc/x", content: "x\n" }]);
const other = makePlan([{ kind: "file", path: "/etc/x", content: "y\n" }]);

const host = (change: Partial<WhyRun> = {}) => whyRunWith({ bootId: "boot-1", token: "t0", ...change });

const mode = { id: "r0", aspect: "mode", have: "81ff" };
const content = { id: "r0", aspect: "content", have: "" };

describe("nextToken", () => {
    it("is the host's own if nothing differs, so that nothing is planned", () => {
        assert.equal(nextToken(host(), plan), "t0");
        assert.equal(
            nextToken(host({ bootId: "boot-2", secretLines: [{ path: "/etc/x", prefix: "a" }] }), other),
            "t0",
        );
    });

    it("is the same in the preview and in the up", () => {
        assert.equal(nextToken(host({ differences: [mode] }), plan), nextToken(host({ differences: [mode] }), plan));
    });

    it("changes with every fact", () => {
        const live = (text: string) => new Map([["r0", Buffer.from(text)]]);
        const tokens = [
            nextToken(host(), plan),
            nextToken(host({ differences: [mode] }), plan),
            nextToken(host({ differences: [mode] }), other),
            nextToken(host({ differences: [mode], bootId: "boot-2" }), plan),
            nextToken(host({ differences: [mode], token: "t1" }), plan),
            nextToken(host({ differences: [{ ...mode, id: "r1" }] }), plan),
            nextToken(host({ differences: [{ ...mode, have: "8180" }] }), plan),
            nextToken(host({ differences: [mode, content] }), plan),
            nextToken(host({ differences: [content], live: live("a") }), plan),
            nextToken(host({ differences: [content], live: live("b") }), plan),
            nextToken(host({ refused: [{ id: "-", stage: "host", words: "too old" }] }), plan),
        ];
        assert.equal(new Set(tokens).size, tokens.length);
    });

    it("settles: the token after a repair is the one that the next preview computes", () => {
        const given = nextToken(host({ differences: [mode] }), plan);
        assert.equal(nextToken(host({ token: given }), plan), given);
    });

    it("settles after the host has lost its token, even if nothing else differs", () => {
        const given = nextToken(host({ token: "" }), plan);
        assert.notEqual(given, "");
        assert.equal(nextToken(host({ token: given }), plan), given);
    });

    it("plans a converge for a host restored from an old image, even if it drifts as it did before", () => {
        const first = nextToken(host({ differences: [mode] }), plan);
        const second = nextToken(host({ token: first, differences: [content] }), plan);
        // The engine has the second token; the image has the first one, or one before that.
        assert.notEqual(nextToken(host({ token: first }), plan), second);
        assert.notEqual(nextToken(host({ token: first, differences: [content], bootId: "boot-2" }), plan), second);
        assert.notEqual(nextToken(host({ token: "t0", differences: [content] }), plan), second);
    });
});

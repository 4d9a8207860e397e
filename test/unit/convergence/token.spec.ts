import assert from "node:assert/strict";
import type { WhyRun } from "../../../components/convergence/preview/whyRun";
import { nextToken } from "../../../components/convergence/token";
import { whyRunWith } from "./preview/whyRuns";

/** Payloads of two plans, or of one plan with two values of a secret. */
const payload = "main() { content x; }";
const other = "main() { content y; }";

const host = (change: Partial<WhyRun> = {}) => whyRunWith({ bootId: "boot-1", token: "t0", ...change });

const mode = { id: "r0", aspect: "mode", have: "81ff" };
const content = { id: "r0", aspect: "content", have: "" };

describe("nextToken", () => {
    it("is the host's own if nothing differs, so that nothing is planned", () => {
        assert.equal(nextToken(host(), payload), "t0");
        assert.equal(
            nextToken(host({ bootId: "boot-2", secretLines: [{ path: "/etc/x", prefix: "a" }] }), other),
            "t0",
        );
    });

    it("does not depend on which servers are up or were set by hand, nor on how long an up may take", () => {
        const now: Partial<WhyRun> = {
            serving: ["web 1 of 2"],
            warnings: ["set by hand: web/web1 in maintenance"],
            longest: [{ id: "r0", drain: 30, gate: 12, bake: 60, deadline: 960 }],
        };
        assert.equal(nextToken(host(now), payload), "t0");
        const differences = [mode];
        assert.equal(nextToken(host({ ...now, differences }), payload), nextToken(host({ differences }), payload));
    });

    it("is the same in the preview and in the up", () => {
        assert.equal(
            nextToken(host({ differences: [mode] }), payload),
            nextToken(host({ differences: [mode] }), payload),
        );
    });

    it("changes with every fact", () => {
        const live = (text: string) => new Map([["r0", Buffer.from(text)]]);
        const tokens = [
            nextToken(host(), payload),
            nextToken(host({ differences: [mode] }), payload),
            nextToken(host({ differences: [mode] }), other),
            nextToken(host({ differences: [mode], bootId: "boot-2" }), payload),
            nextToken(host({ differences: [mode], token: "t1" }), payload),
            nextToken(host({ differences: [{ ...mode, id: "r1" }] }), payload),
            nextToken(host({ differences: [{ ...mode, have: "8180" }] }), payload),
            nextToken(host({ differences: [mode, content] }), payload),
            nextToken(host({ differences: [content], live: live("a") }), payload),
            nextToken(host({ differences: [content], live: live("b") }), payload),
            nextToken(host({ refused: [{ id: "-", stage: "host", words: "too old" }] }), payload),
        ];
        assert.equal(new Set(tokens).size, tokens.length);
    });

    it("settles: the token after a repair is the one that the next preview computes", () => {
        const given = nextToken(host({ differences: [mode] }), payload);
        assert.equal(nextToken(host({ token: given }), payload), given);
    });

    it("settles after the host has lost its token, even if nothing else differs", () => {
        const given = nextToken(host({ token: "" }), payload);
        assert.notEqual(given, "");
        assert.equal(nextToken(host({ token: given }), payload), given);
    });

    it("plans a converge for a host restored from an old image, even if it drifts as it did before", () => {
        const first = nextToken(host({ differences: [mode] }), payload);
        const second = nextToken(host({ token: first, differences: [content] }), payload);
        // The engine has the second token; the image has the first one, or one before that.
        assert.notEqual(nextToken(host({ token: first }), payload), second);
        assert.notEqual(nextToken(host({ token: first, differences: [content], bootId: "boot-2" }), payload), second);
        assert.notEqual(nextToken(host({ token: "t0", differences: [content] }), payload), second);
    });
});

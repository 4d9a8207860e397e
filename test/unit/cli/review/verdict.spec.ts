import assert from "node:assert/strict";
import { hasFailed, verdictOf } from "../../../../cli/review/comment";
import type { StackReview } from "../../../../cli/review/types";
import { change, finding, previewed, rendering } from "./cases";

const clean: StackReview = { stack: "prod", rendering: rendering(["lb1"]), changes: [] };
const asked = (...hosts: Parameters<typeof finding>[1][]): StackReview => ({
    ...clean,
    previewed: previewed(hosts.map((more, n) => finding(`lb${n}`, more))),
});
const check = (result: "refused" | "errors" | "not checked" | "no HAProxy") => ({
    ...clean,
    rendering: rendering(["lb1"], { checks: [{ hosts: ["lb1"], result, remark: "", details: [] }] }),
});

describe("verdictOf", () => {
    const table: [string, StackReview, string][] = [
        ["nothing", clean, "clean"],
        ["hosts as declared", asked({}, {}), "clean"],
        ["a host that is asked later", asked({ outcome: "later" }), "clean"],
        ["a configuration that nothing has checked", check("not checked"), "clean"],
        ["a host without HAProxy", check("no HAProxy"), "clean"],
        ["a change", { ...clean, changes: [change(["lb1"])] }, "differs"],
        ["nothing to compare with", { ...clean, changes: undefined, noBase: "new" }, "differs"],
        ["hosts as declared, without a base", { ...asked({}), changes: undefined, noBase: "npm ci fails" }, "clean"],
        ["a host that differs, without a base", { ...asked({ outcome: "differs" }), changes: undefined }, "differs"],
        ["a host that differs", asked({}, { outcome: "differs" }), "differs"],
        [
            "a step",
            { ...clean, previewed: previewed([], { steps: [{ operation: "create", type: "a", name: "b" }] }) },
            "differs",
        ],
        ["errors", { ...clean, rendering: rendering([], { errors: ["no"] }) }, "failed"],
        ["errors of a check", check("errors"), "failed"],
        ["a refusal of HAProxy", check("refused"), "failed"],
        ["a preview that fails", { ...clean, previewed: previewed([], { errors: ["no"] }) }, "failed"],
        ["a host that refuses", asked({ outcome: "differs" }, { outcome: "refused" }), "failed"],
        ["a host that could not be asked", asked({}, { outcome: "unasked" }), "failed"],
        ["a host for which something wrong is declared", asked({ outcome: "failed" }), "failed"],
    ];
    for (const [what, review, verdict] of table) {
        it(`is ${verdict} with ${what}`, () => {
            assert.equal(verdictOf(review), verdict);
            assert.equal(hasFailed([clean, review]), verdict === "failed");
        });
    }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { exitStatus, shellWord } from "../../../../cli/review/run";
import type { StackReview } from "../../../../cli/review/types";
import { change, finding, previewed, rendering } from "./cases";

const clean: StackReview = { stack: "prod", rendering: rendering(["lb1"]), changes: [] };
const asked = (outcome: "unchanged" | "differs" | "later" | "unasked"): StackReview => ({
    ...clean,
    previewed: previewed([finding("lb0"), finding("lb1", { outcome })]),
});
const notChecked = rendering(["lb1"], {
    checks: [{ hosts: ["lb1"], result: "not checked", remark: "no HAProxy", details: [] }],
});

describe("the exit status of a review", () => {
    const table: [string, StackReview, { preview?: boolean; expectNoChanges?: boolean }, number][] = [
        ["files that do not differ", clean, {}, 0],
        ["files that differ", { ...clean, changes: [change(["lb1"])] }, {}, 0],
        ["files that differ and should not", { ...clean, changes: [change(["lb1"])] }, { expectNoChanges: true }, 2],
        ["files that nothing has checked", { ...clean, rendering: notChecked }, {}, 1],
        ["the same, of hosts that were asked", { ...asked("unchanged"), rendering: notChecked }, { preview: true }, 0],
        ["hosts that do not differ", asked("unchanged"), { preview: true, expectNoChanges: true }, 0],
        ["a host that differs", asked("differs"), { preview: true }, 0],
        ["a host that differs and should not", asked("differs"), { preview: true, expectNoChanges: true }, 2],
        ["a host that an up creates", asked("later"), { preview: true }, 0],
        [
            "a host that was left for later and should not differ",
            asked("later"),
            { preview: true, expectNoChanges: true },
            1,
        ],
        ["a host that does not answer", asked("unasked"), { preview: true, expectNoChanges: true }, 1],
    ];
    for (const [what, review, { preview = false, expectNoChanges = false }, status] of table) {
        it(`is ${status} with ${what}`, () => {
            assert.equal(exitStatus([clean, review], { preview, expectNoChanges }), status);
        });
    }
});

describe("a name in a command that people copy", () => {
    it("is one word, whatever it is", () => {
        for (const name of ["prod", "origin/main", "acme/edge/prod-2", "v1.2@x"]) assert.equal(shellWord(name), name);
        for (const name of ["x;id", "$(id)", "`id`", "a b", "it's", "a\nid", "é", ""]) {
            const { stdout } = spawnSync("sh", ["-c", `printf '<%s>' ${shellWord(name)}`], { encoding: "utf8" });
            assert.equal(stdout, `<${name}>`);
        }
        assert.equal(shellWord("--output=x"), "'output=x'");
    });
});

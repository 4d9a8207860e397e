import assert from "node:assert/strict";
import { kinds, plan } from "../../../../lab/pair/plan";

describe("the plan of the nemesis", () => {
    it("follows from its seed", () => {
        assert.deepEqual(plan(50, 7, 0.5), plan(50, 7, 0.5));
        assert.notDeepEqual(plan(50, 7, 0.5), plan(50, 8, 0.5));
        assert.deepEqual(plan(50, 7, 0.5).slice(0, 20), plan(20, 7, 0.5));
    });

    it("has every kind before one comes again", () => {
        const planned = plan(kinds.length * 3, 1, 0).map(({ kind }) => kind);
        for (let from = 0; from < planned.length; from += kinds.length)
            assert.deepEqual([...planned.slice(from, from + kinds.length)].sort(), [...kinds].sort());
    });

    it("meets both hosts, and has as many ups as asked", () => {
        const planned = plan(1000, 3, 0.25);
        const owners = planned.filter(({ on }) => on === "owner").length;
        assert.ok(owners > 600 && owners < 730, `${owners}`);
        const ups = planned.filter(({ up }) => up !== undefined).length;
        assert.ok(ups > 200 && ups < 300, `${ups}`);
        assert.equal(plan(100, 3, 0).filter(({ up }) => up !== undefined).length, 0);
        assert.equal(plan(100, 3, 1).filter(({ up }) => up === undefined).length, 0);
    });
});

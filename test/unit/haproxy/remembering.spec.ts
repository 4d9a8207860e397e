import assert from "node:assert/strict";
import { remembering } from "../../../components/haproxy/remembering";

describe("remembering", () => {
    it("computes equal data once, and other data anew", () => {
        const asked: unknown[] = [];
        const size = remembering((data: unknown[]) => asked.push(data));
        const data = [{ name: "a" }];
        assert.equal(size(data), 1);
        assert.equal(size(structuredClone(data)), 1);
        assert.equal(size([{ name: "b" }]), 2);
        data.push({ name: "c" });
        assert.equal(size(data), 3);
        assert.equal(asked.length, 3);
    });

    it("forgets the oldest of many", () => {
        let count = 0;
        const next = remembering((_: number) => ++count);
        for (const n of [1, 2, 3, 4, 5, 5, 1]) next(n);
        assert.equal(count, 6);
    });

    it("computes what JSON cannot hold each time", () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        let count = 0;
        const next = remembering((_: unknown) => ++count);
        assert.deepEqual([next(cycle), next(cycle)], [1, 2]);
    });
});

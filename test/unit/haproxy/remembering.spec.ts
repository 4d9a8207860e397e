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

    it("computes what JSON cannot hold, or would make equal to other data, each time", () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        let count = 0;
        const next = remembering((_: unknown) => ++count);
        const others = [cycle, { a: Number.NaN }, { a: () => 1 }, { a: new Date(0) }, { a: new Map() }, { a: 1n }];
        const counts = [{ a: null }, ...others, ...others, { a: null }].map(next);
        assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1]);
    });

    it("distinguishes undefined from a missing key", () => {
        let count = 0;
        const next = remembering((_: unknown) => ++count);
        assert.deepEqual([{ a: undefined }, {}, { a: undefined }].map(next), [1, 2, 1]);
    });

    it("keeps results unchanged if the data or an earlier result is changed", () => {
        const wrap = remembering((data: { servers: string[] }) => ({ data }));
        const data = { servers: ["a"] };
        const result = wrap(data);
        data.servers.push("b");
        assert.throws(() => result.data.servers.push("c"), TypeError);
        assert.deepEqual(wrap({ servers: ["a"] }), { data: { servers: ["a"] } });
    });

    it("recognizes an earlier result, and each of its parts, without reading it", () => {
        const wrap = remembering((data: { list: object[] }) => ({ data }));
        const { data } = wrap({ list: [{ a: 1 }] });
        let count = 0;
        const next = remembering((_: unknown) => ++count);
        assert.deepEqual([data, data.list, data, data.list, structuredClone(data)].map(next), [1, 2, 1, 2, 3]);
    });
});

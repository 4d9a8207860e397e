import assert from "node:assert/strict";
import type { Global } from "../../../../components/haproxy/model";
import { haproxy } from "../../../../components/recipes/haproxy/index";

describe("the recipe of haproxy", () => {
    const recipe = (global: Global, options = {}) =>
        haproxy({ version: "2.6", global, frontends: [], backends: [] }, options);
    const accounts = (global: Global) => recipe(global).filter(({ kind }) => kind === "user" || kind === "group");

    it("declares the accounts of HAProxy", () => {
        assert.deepEqual(accounts({}), [
            { kind: "group", name: "haproxy" },
            { kind: "user", name: "haproxy", group: "haproxy" },
        ]);
    });

    it("does not change an account that others use", () => {
        assert.deepEqual(accounts({ user: "www-data" }), [
            { kind: "group", name: "haproxy" },
            { kind: "user", name: "www-data" },
        ]);
    });

    it("fails if oldWorkers is not a whole number of at least 1", () => {
        for (const oldWorkers of [0, -1, 1.5, Number.NaN]) {
            assert.throws(
                () => recipe({}, { oldWorkers }),
                /^Error: haproxy: oldWorkers: expected a whole number from 1 to 1000000, got /,
            );
        }
    });
});

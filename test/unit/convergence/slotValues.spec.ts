import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { slotValues } from "../../../components/convergence/slotValues";
import { mockEngine, promiseOf, restoreLog } from "../../support/mocks";

describe("slotValues", () => {
    before(() => mockEngine({ preview: true }));
    after(restoreLog);

    const unknown = () => pulumi.output(pulumi.unknown as unknown as string);

    it("has those that are known by name, and is secret if one of them is", async () => {
        const values = slotValues({ plain: "a", hidden: pulumi.secret("b"), late: unknown() });
        assert.deepEqual(values.names, ["plain", "hidden", "late"]);
        assert.deepEqual(await values.known(), { values: { plain: "a", hidden: "b" }, issues: {} });
        assert.equal(await pulumi.isSecret(values.settled), true);
        assert.equal(await pulumi.isSecret(slotValues({ plain: "a" }).settled), false);
    });

    it("awaits a frozen record once, and one that may change each time", async () => {
        const frozen = Object.freeze({ a: "1" });
        assert.equal(slotValues(frozen), slotValues(frozen));
        const open = { a: "1" };
        const first = slotValues(open);
        open.a = "2";
        const both = [await first.known(), await slotValues(open).known()];
        assert.deepEqual(
            both.map(({ values }) => values),
            [{ a: "1" }, { a: "2" }],
        );
    });

    it("takes no other type for text, and does not quote it", async () => {
        const odd = { none: undefined, empty: null, object: { a: "planted" }, list: ["planted"], port: 80 };
        const given = Object.fromEntries(Object.entries(odd).map(([name, value]) => [name, pulumi.secret(value)]));
        const { values, issues } = await slotValues(given as never).known();
        assert.deepEqual(values, { port: "80" });
        const remedy = "check the output or the setting that it comes from";
        assert.deepEqual(issues, {
            none: `slot "none" has no value; ${remedy}`,
            empty: `slot "empty" has no value; ${remedy}`,
            object: `slot "object" is neither text nor a number; ${remedy}`,
            list: `slot "list" is neither text nor a number; ${remedy}`,
        });
    });

    it("fails with a value that fails, when it is asked for", async () => {
        const failing = pulumi.output(Promise.reject(new Error("no such password")));
        promiseOf(failing).catch(() => undefined);
        await assert.rejects(slotValues({ failing }).known(), /no such password/);
    });
});

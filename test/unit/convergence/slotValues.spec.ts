import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { slotValues, textIssues } from "../../../components/convergence/slotValues";
import { mockEngine, promiseOf, restoreLog } from "../../support/mocks";

describe("slotValues", () => {
    before(() => mockEngine({ preview: true }));
    after(restoreLog);

    const unknown = () => pulumi.output(pulumi.unknown as unknown as string);

    it("has those that are known by name, and is secret if one of them is", async () => {
        const values = slotValues({ plain: "a", hidden: pulumi.secret("b"), late: unknown() });
        assert.deepEqual(values.names, ["plain", "hidden", "late"]);
        assert.deepEqual(await values.known(), { plain: "a", hidden: "b" });
        assert.equal(await pulumi.isSecret(values.settled), true);
        assert.equal(await pulumi.isSecret(slotValues({ plain: "a" }).settled), false);
    });

    it("says which values are no text, and quotes none", async () => {
        const missing = pulumi.output(undefined) as unknown as pulumi.Output<string>;
        const values = slotValues({ missing, number: pulumi.secret(4711 as never), good: "a", late: unknown() });
        assert.deepEqual(textIssues(values.names, await values.known()), [
            'the value of slot "missing" is missing; check the output or the setting that it comes from',
            'the value of slot "number" is of type number; use text',
        ]);
    });

    it("awaits a frozen record once, and one that may change each time", async () => {
        const frozen = Object.freeze({ a: "1" });
        assert.equal(slotValues(frozen), slotValues(frozen));
        const open = { a: "1" };
        const first = slotValues(open);
        open.a = "2";
        assert.deepEqual([await first.known(), await slotValues(open).known()], [{ a: "1" }, { a: "2" }]);
    });

    it("fails with a value that fails, when it is asked for", async () => {
        const failing = pulumi.output(Promise.reject(new Error("no such password")));
        promiseOf(failing).catch(() => undefined);
        await assert.rejects(slotValues({ failing }).known(), /no such password/);
    });
});

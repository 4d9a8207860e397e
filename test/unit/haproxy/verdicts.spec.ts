import assert from "node:assert/strict";
import { validate } from "../../../components/haproxy/validate/index";
import { accepted, refused, verdictModel } from "../../support/verdicts";

describe("check says before the daemons", () => {
    for (const [title, [parts, words]] of Object.entries(refused)) {
        it(`that they refuse ${title}`, () => {
            const errors = validate(verdictModel(parts)).filter(({ severity }) => severity === "error");
            assert.match(errors.map(({ path, message }) => `${path}: ${message}`).join("\n"), words);
        });
    }

    for (const [title, parts] of Object.entries(accepted)) {
        it(`nothing of ${title}`, () => {
            assert.deepEqual(validate(verdictModel(parts)), []);
        });
    }
});

import assert from "node:assert/strict";
import { validate } from "../../../../components/haproxy/validate/index";
import { accepted } from "../../../support/verdicts/accepted";
import { verdictModel } from "../../../support/verdicts/model";

describe("validate finds no issue that the daemons do not", () => {
    for (const [title, parts] of Object.entries(accepted)) {
        it(`in ${title}`, () => {
            assert.deepEqual(validate(verdictModel(parts)), []);
        });
    }
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { comment, MARKER } from "../../../../cli/review/comment";
import { cases, settings } from "./cases";
import { elementsOf, htmlOf, rowsOf } from "./html";

const directory = join(__dirname, "comments");

/** `UPDATE_GOLDEN=1 npx mocha test/unit/cli/review` writes the files anew; read the diff before you commit it. */
const update = process.env.UPDATE_GOLDEN === "1";

describe("comment", () => {
    for (const [name, { reviews, settings: own }] of Object.entries(cases)) {
        it(`is as it is kept: ${name}`, () => {
            const path = join(directory, `${name}.md`);
            const text = comment(reviews, { ...settings, ...own });
            if (update) {
                writeFileSync(path, text);
            }
            assert.equal(text, readFileSync(path, "utf8"));
        });

        it(`is read by a parser as it is meant: ${name}`, () => {
            const text = comment(reviews, { ...settings, ...own });
            const html = htmlOf(text);
            assert.equal(rowsOf(html), reviews.length);
            assert.deepEqual(elementsOf(html), []);
            assert.equal(text.split("\n")[0], MARKER);
        });
    }

    it("is kept for each case, and for no other", () => {
        assert.deepEqual(
            readdirSync(directory).sort(),
            Object.keys(cases)
                .map((name) => `${name}.md`)
                .sort(),
        );
    });
});

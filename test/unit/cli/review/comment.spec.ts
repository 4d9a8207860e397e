import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { comment, MARKER } from "../../../../cli/review/comment";
import { cases, rendering, settings } from "./cases";
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

    it("names the secrets of files that are made to take long", function () {
        this.timeout(20_000);
        const files = { "/etc/x": `‹key›\n‹other, known after up›\n‹${"a".repeat(200_000)}\n${"‹".repeat(200_000)}` };
        const head = rendering(["lb1"]);
        const hosts = head.hosts.map((host) => ({ ...host, files }));
        const text = comment([{ stack: "prod", rendering: { ...head, hosts }, changes: [] }], settings);
        assert.match(text, /^.*Not compared, because it is secret or known only later: `key`, `other`\.$/m);
    });

    it("is kept for each case, and for no other", () => {
        assert.deepEqual(
            readdirSync(directory).sort(),
            Object.keys(cases)
                .map((name) => `${name}.md`)
                .sort(),
        );
    });
});

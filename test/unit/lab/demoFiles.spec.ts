import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { edit, remember, restore } from "../../../lab/demo/chapter";

describe("files that the demo changes", () => {
    const folder = mkdtempSync(join(tmpdir(), "demo-"));
    after(() => rmSync(folder, { recursive: true }));

    it("are as they were before the first change, once they are restored", () => {
        const [old, fresh, config] = ["old", "fresh/item", "config"].map((name) => join(folder, name)) as [
            string,
            string,
            string,
        ];
        writeFileSync(old, "before");
        writeFileSync(config, "salt");
        remember(config);
        writeFileSync(config, "salt and secret");
        for (const text of ["first", "second"]) for (const path of [old, fresh]) edit(path, text);
        assert.deepEqual([readFileSync(old, "utf8"), readFileSync(fresh, "utf8")], ["second", "second"]);
        restore();
        assert.equal(readFileSync(old, "utf8"), "before");
        assert.equal(readFileSync(config, "utf8"), "salt");
        assert.ok(!existsSync(fresh));
        writeFileSync(old, "by the user");
        restore();
        assert.equal(readFileSync(old, "utf8"), "by the user", "what was restored is no longer the demo's");
    });
});

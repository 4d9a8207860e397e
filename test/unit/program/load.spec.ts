import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadStack, stackNames } from "../../../program/load";
import local from "../../../stacks/local";
import { repo } from "../../../toolchain/environment.mjs";
import { noConfig } from "../../support/stackConfig";

describe("loadStack", () => {
    const directory = mkdtempSync(join(tmpdir(), "project-"));
    const write = (file: string, text: string) => writeFileSync(join(directory, file), text);

    before(() => {
        mkdirSync(join(directory, "stacks"));
        const data = { ...local, inventory: { file: "nodes.json" }, ssh: { privateKeyFile: "absent" } };
        write("stacks/mine.ts", `export default ${JSON.stringify(data)};`);
        write("stacks/nothing.ts", "export const stack = {};");
        write("stacks/broken.ts", "export default { environment: 5 };");
        write("stacks/throwing.ts", 'throw new Error("out of luck");');
        write("stacks/cut.ts", "export default {\n    services: [[\n};");
        write("nodes.json", "nodes, unread");
    });

    after(() => {
        rmSync(directory, { recursive: true });
    });

    it("reads a stack and those of its files that exist", () => {
        const { stack, source, files } = loadStack("mine", noConfig, directory);
        assert.equal(stack.environment, "local");
        assert.equal(source, "stacks/mine.ts");
        assert.deepEqual([...files], [["nodes.json", "nodes, unread"]]);
    });

    it("lists the stacks, and names them in the error about an unknown one", () => {
        assert.deepEqual(stackNames(directory).sort(), ["broken", "cut", "mine", "nothing", "throwing"]);
        assert.throws(
            () => loadStack("other", noConfig, directory),
            /^Error: stack other: stacks\/other\.ts does not exist; write it, or select one of broken, cut, mine, nothing, throwing$/,
        );
    });

    it("reads each stack of this checkout for a check, with placeholders for all that its config lacks", () => {
        for (const name of stackNames(repo)) {
            const { stack } = loadStack(name, { ...noConfig, placeholders: true }, repo);
            assert.equal(stack.environment, name);
        }
    });

    it("fails on a file without data, or with data of a wrong form", () => {
        assert.throws(
            () => loadStack("nothing", noConfig, directory),
            /^Error: stacks\/nothing\.ts: no default export; /,
        );
        assert.throws(
            () => loadStack("broken", noConfig, directory),
            /^Error: stacks\/broken\.ts: environment: expected .*\nstacks\/broken\.ts: inventory: /,
        );
        assert.throws(
            () => loadStack("throwing", noConfig, directory),
            /^Error: stacks\/throwing\.ts: cannot be loaded: out of luck; correct the file$/,
        );
        assert.throws(
            () => loadStack("cut", noConfig, directory),
            /^Error: stacks\/cut\.ts: cannot be loaded: [^\n]*stacks\/cut\.ts:3:0: ERROR: Unexpected "}"; correct the file$/,
        );
    });
});

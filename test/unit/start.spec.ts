import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";

/** What a program prints as JSON that has the preload of `nodeargs`. */
function preloaded(program: string): unknown {
    const args = ["--require", "./start.js", "--eval", program];
    return JSON.parse(execFileSync(process.execPath, args, { cwd: repo, encoding: "utf8" }));
}

describe("start.js", () => {
    it("has Pulumi's library loaded, and nothing of ours, because a preview would seem an up to it", () => {
        const loaded = preloaded("console.log(JSON.stringify(Object.keys(require.cache)))") as string[];
        const among = (path: string) => loaded.some((file) => file.startsWith(join(repo, path)));
        assert.deepEqual(
            ["node_modules/@pulumi/pulumi/index.js", "components", "node_modules/@pulumi/command"].map(among),
            [true, false, false],
        );
    });

    it("leaves out what only functions in the state need, until one is stored", () => {
        const program = `
            const loaded = () => ["typescript", "@npmcli/arborist"].map((name) => require.resolve(name) in require.cache);
            const { runtime } = require("@pulumi/pulumi");
            const before = loaded();
            const factor = 2;
            runtime.serializeFunction((n) => n * factor).then(async ({ text }) => {
                await runtime.computeCodePaths();
                console.log(JSON.stringify({ before, text, after: loaded() }));
            });`;
        const { before, text, after } = preloaded(program) as { before: boolean[]; text: string; after: boolean[] };
        assert.deepEqual(
            [before, after],
            [
                [false, false],
                [true, true],
            ],
        );
        assert.match(text, /factor: 2/);
    });

    it("leaves the loading of modules as it was", () => {
        const program = `console.log(JSON.stringify(require("typescript").version === require("typescript/package.json").version))`;
        assert.equal(preloaded(program), true);
    });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { demoOf } from "../../../toolchain/demos.mjs";
import { repo } from "../../../toolchain/environment.mjs";

describe("npm run demo", () => {
    const demo = (...args: string[]) =>
        spawnSync(process.execPath, [join(repo, "toolchain/tasks.mjs"), "demo", ...args], { encoding: "utf8" });

    it("finds a file for each name, and for none", () => {
        const scripts = [[], ["pair"], ["aws"]].map((args) => demoOf(args).script);
        assert.deepEqual(scripts, ["lab/demo/demo.ts", "lab/demo/pair.ts", "lab/demo/aws.ts"]);
        for (const script of scripts) assert.ok(existsSync(join(repo, script)), script);
    });

    it("lists what there is, before it installs anything, if a name is unknown or one too many", () => {
        for (const args of [["nonsense"], ["toString"], ["aws", "nonsense"]]) {
            const { status, stderr, stdout } = demo(...args);
            assert.deepEqual([status, stdout], [1, ""]);
            assert.match(
                stderr,
                new RegExp(`^npm run demo: no demo "${args.join(" ")}"; .*\\n[\\s\\S]*npm run demo -- aws\\n`),
            );
        }
    });

    it("prints how it is used", () => {
        for (const option of ["--help", "-h"]) {
            const { status, stderr, stdout } = demo(option);
            assert.deepEqual([status, stderr], [0, ""]);
            assert.match(stdout, /^npm run demo \[-- NAME\]\n[\s\S]*npm run demo -- aws\n/);
        }
    });
});

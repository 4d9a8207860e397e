// The programs in examples/, in projects outside of this repository: they compile, and the test that one has passes.
// test/lab/examples.spec.ts runs them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exampleProject, examples } from "../support/exampleProject";
import { compilerErrors, root } from "../support/face";

describe("examples", function () {
    this.timeout(120_000);

    it("compile under strict", () => {
        const paths = examples.flatMap((name) => {
            const folder = join(root, "examples", name);
            return readdirSync(folder).flatMap((file) => (file.endsWith(".ts") ? [join(folder, file)] : []));
        });
        assert.ok(paths.length >= 5);
        assert.equal(compilerErrors(new Map(paths.map((path) => [path, readFileSync(path, "utf8")]))), "");
    });

    it("have a unit test with mocks, which passes and asks no host", () => {
        const project = exampleProject("services");
        try {
            const command = ["--import", "tsx", "--test", "--test-reporter=tap", "index.test.ts"];
            const { status, stdout, stderr } = spawnSync(process.execPath, command, {
                cwd: project.directory,
                encoding: "utf8",
            });
            assert.equal(status, 0, stdout + stderr);
            assert.match(stdout, /^# pass 1$/m);
        } finally {
            project.remove();
        }
    });
});

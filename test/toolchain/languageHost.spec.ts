// The language host under the real CLI: how it runs programs, and how these end and fail.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { splitArguments } from "../../toolchain/offline/languageHost/program";
import { until } from "../support/traffic";
import { Project } from "./project";

describe("language host", () => {
    const project = new Project();
    before(() => project.succeed("stack", "init", "dev"));
    after(() => project.remove());

    it("splits node arguments like a shell", () => {
        assert.deepEqual(splitArguments(`--import tsx  --title="a b" 'c d'`), [
            "--import",
            "tsx",
            "--title=a b",
            "c d",
        ]);
        assert.deepEqual(splitArguments(""), []);
    });

    it("passes project, stack, dry run and configuration with its secrets", async () => {
        await project.succeed("config", "set", "plain", "seen");
        await project.succeed("config", "set", "--secret", "hidden", "planted-secret");
        project.program(`
            const config = new pulumi.Config();
            export const where = \`\${pulumi.getProject()}/\${pulumi.getStack()}/\${pulumi.runtime.isDryRun()}\`;
            export const plain = config.require("plain");
            export const hidden = config.requireSecret("hidden");`);
        const shown = await project.succeed("preview");
        assert.match(shown, /where *: "probe\/dev\/true"/);
        assert.match(shown, /plain *: "seen"/);
        assert.match(shown, /hidden *: \[secret\]/);
        assert.doesNotMatch(shown, /planted-secret/);
        assert.match(await project.succeed("up", "--yes", "--skip-preview"), /where *: "probe\/dev\/false"/);
    });

    it("shows what the program prints", async () => {
        project.program(`console.log("said aloud");`);
        assert.match(await project.succeed("preview"), /said aloud/);
    });

    it("shows only the message of a RunError", async () => {
        project.program(`throw new pulumi.RunError("the stack is wrong");`);
        const { code, stdout, stderr } = await project.run(["preview"]);
        assert.notEqual(code, 0);
        assert.match(stdout + stderr, /error: the stack is wrong/);
        assert.doesNotMatch(stdout + stderr, / {4}at |non-zero exit code/);
    });

    it("fails if the program ends with another exit code", async () => {
        project.program("process.exit(3);");
        const { code, stdout, stderr } = await project.run(["preview"]);
        assert.notEqual(code, 0);
        assert.match(stdout + stderr, /exited with non-zero exit code: 3/);
    });

    it("describes the project", async () => {
        const about = await project.succeed("about");
        assert.match(about, new RegExp(`executable='${process.execPath}' version='${process.version}'`));
        assert.match(about, /@pulumi\/command +1\.2\.1/);
    });

    it("ends the program on an interrupt", async () => {
        const mark = `mark-${process.pid}-${Date.now()}`;
        project.program(`console.log("started"); process.title = "${mark}"; setInterval(() => {}, 1000);`);
        let interrupt = (): void => {};
        const running = project.run(["preview"], {
            onStart: (send) => {
                interrupt = send;
            },
        });
        const alive = () => execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).includes(mark);
        await until("the program has started", async () => alive());
        interrupt();
        assert.notEqual((await running).code, 0);
        await until("no program is left", async () => !alive());
    });
});

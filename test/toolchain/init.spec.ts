// What `haproxy-fleet init` writes, with the real CLI.
import assert from "node:assert/strict";
import { join } from "node:path";
import { runPulumi } from "../../toolchain/pulumi";
import { UserProject } from "../support/userProject";

describe("a project of haproxy-fleet init", function () {
    this.timeout(120_000);
    const project = new UserProject();
    after(() => project.remove());

    it("previews before its first edit, and says that the host could not be asked", async () => {
        const { code, stderr } = await project.command("init", "edge");
        assert.equal(code, 0, stderr);
        const pulumi = (...args: string[]) =>
            runPulumi(args, {
                cwd: join(project.directory, "edge"),
                env: {
                    PULUMI_BACKEND_URL: `file://${project.directory}`,
                    PULUMI_CONFIG_PASSPHRASE: "test",
                    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
                    SSH_AUTH_SOCK: undefined,
                },
            });
        const init = await pulumi("stack", "init", "dev");
        assert.equal(init.code, 0, init.stderr);
        const preview = await pulumi("preview");
        const text = preview.stdout + preview.stderr;
        assert.equal(preview.code, 0, text);
        assert.match(text, /edge-lb1-converge +create/);
        assert.match(text, /edge-lb1 could not be asked what differs/);
    });
});

// A connection with an unusable value never reaches the command plugin, which would print it with the private key.
import assert from "node:assert/strict";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { hostKey } from "../support/probeReplies";
import { Project } from "./project";

const module = (path: string) => JSON.stringify(join(repo, "components/convergence", path));

describe("a connection whose output has no value", () => {
    const project = new Project();
    before(() => project.succeed("stack", "init", "dev"));
    after(() => project.remove());

    it("is refused by the name of its field, in a preview and an up, and its private key is not shown", async function () {
        this.timeout(120_000);
        project.program(`
            import { ConvergedHost } from ${module("convergedHost")};
            const nothing = pulumi.output({} as { value: string }).value;
            const privateKey = pulumi.secret("-----BEGIN planted-key\\nplanted-line");
            const hostKey = ${JSON.stringify(hostKey)};
            const at = "192.0.2.";
            new ConvergedHost("lb1", { connection: { address: nothing, hostKey, privateKey }, resources: [] });
            new ConvergedHost("lb2", { connection: { address: at + 2, hostKey: nothing, privateKey }, resources: [] });
            const bastion = { address: nothing, hostKey };
            new ConvergedHost("lb3", { connection: { address: at + 3, hostKey, privateKey, bastion }, resources: [] });`);
        for (const args of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, stdout, stderr } = await project.run([...args, "--color=never", "--diff"]);
            const text = stdout + stderr;
            assert.notEqual(code, 0, text);
            for (const named of [
                "lb1: connection.address",
                "lb2: connection.hostKey",
                "lb3: connection.bastion.address",
            ])
                assert.equal(text.split(`error: ${named}: has no value; `).length, 2, text);
            assert.doesNotMatch(text, /planted/);
        }
    });
});

// The real CLI shows a refusal of several hosts once. The hosts' answers come from the program, so no host is needed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { hostKey } from "../support/probeReplies";
import { Project } from "./project";

const module = (path: string) => JSON.stringify(join(repo, "components/convergence", path));

describe("a refusal of two hosts", () => {
    const project = new Project();
    after(() => project.remove());

    it("is one error in a preview, with the names of both", async function () {
        this.timeout(120_000);
        await project.succeed("stack", "init", "dev");
        project.program(`
            import { ConvergedHost } from ${module("convergedHost")};
            import { useProbe } from ${module("hostTurn")};
            const refused = [{ id: "r0", stage: "preflight", words: "no such thing on this host" }];
            const answer = {
                bootId: "b", token: "t", differences: [], live: new Map(), refused, unchecked: [], activations: [], settings: [], secretLines: [], warnings: [], longest: [], serving: [],
            };
            useProbe(async () => ({ answer, leave: async () => {}, cause: async () => "", lost: new Promise(() => {}), close: () => {} }));
            for (const name of ["lb2", "lb1"]) {
                new ConvergedHost(name, {
                    connection: { address: name + ".example", hostKey: ${JSON.stringify(hostKey)} },
                    resources: [{ kind: "file", path: "/etc/x", content: "x" }],
                });
            }`);
        const { code, stdout, stderr } = await project.run(["preview", "--color=never"]);
        const text = stdout + stderr;
        assert.notEqual(code, 0, text);
        const errors = text.slice(text.indexOf("Diagnostics:"));
        assert.match(errors, /error: lb1, lb2 refuse the declared configuration; nothing was touched\n/);
        assert.equal(errors.split("no such thing on this host").length - 1, 1, text);
        assert.doesNotMatch(errors, /\bat .*\.ts:\d+/);
    });
});

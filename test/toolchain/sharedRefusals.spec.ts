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

    /** A program with two hosts that refuse, and an export of an output that depends on one. */
    const program = `
        import { ConvergedHost } from ${module("convergedHost")};
        import { useProbe } from ${module("hostConversation")};
        const refused = [{ id: "r0", stage: "preflight", words: "no such thing on this host" }];
        const answer = {
            bootId: "b", token: "t", differences: [], live: new Map(), refused, unchecked: [], activations: [], settings: [], secretLines: [], warnings: [], shortages: [], longest: [], serving: [],
        };
        useProbe(async () => ({ answer, leave: async () => {}, confirmLogin: async () => {}, cause: async () => "", lost: new Promise(() => {}), close: () => {} }));
        const hosts = ["lb2", "lb1"].map((name) => new ConvergedHost(name, {
            connection: { address: name + ".example", hostKey: ${JSON.stringify(hostKey)} },
            resources: [{ kind: "file", path: "/etc/x", content: "x" }],
        }));
        export const lastRun = hosts[0].lastRun;`;

    for (const args of [["preview"], ["up", "--yes", "--skip-preview"]]) {
        it(`is one error in ${args[0] === "up" ? "an up" : "a preview"}, with the names of both, and the program ends`, async function () {
            this.timeout(120_000);
            await project.run(["stack", "init", "dev"]);
            project.program(program);
            const { code, stdout, stderr } = await project.run([...args, "--color=never"]);
            const text = stdout + stderr;
            assert.notEqual(code, 0, text);
            const errors = text.slice(text.indexOf("Diagnostics:"));
            // In an up, hosts are asked when all is registered that they depend on, so not always at the same time.
            const said = args[0] === "up" ? /error: lb1(, lb2 refuse| refuses) the/ : /error: lb1, lb2 refuse the/;
            assert.match(errors, said);
            assert.equal(
                errors.split("no such thing on this host").length - 1,
                errors.split("nothing was touched").length - 1,
                text,
            );
            assert.doesNotMatch(errors, /\bat .*\.[jt]s:\d+/);
            if (args[0] === "up") assert.match(errors, /nothing was changed; see the error of lb1/);
        });
    }
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { retirementOf } from "../../../program/retire/retire";
import { repo } from "../../../toolchain/environment.mjs";

describe("retirementOf", () => {
    let directory: string;
    let asked: string[];
    beforeEach(() => {
        asked = [];
        directory = mkdtempSync(join(tmpdir(), "retire-"));
        for (const entry of ["stacks", "Pulumi.yaml"]) symlinkSync(join(repo, entry), join(directory, entry));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    const retirement = (name: string, stack: string | undefined, answers: Record<string, string>) =>
        retirementOf(name, stack, directory, async (args) => {
            asked.push(args.join(" "));
            const stdout = answers[args[0] ?? ""];
            return stdout === undefined
                ? { code: 255, stdout: "", stderr: "error: no stack named 'nowhere' found\n" }
                : { code: 0, stdout, stderr: "" };
        });

    it("reads the config of the selected stack, also if its name is qualified", async () => {
        const answers = { stack: "acme/haproxy-fleet/staging\n", config: "{}" };
        await assert.rejects(retirement("lb9", undefined, answers), {
            message:
                "stack staging has no load balancer lb9 (it has: lb1, lb2); name one of them, or put lb9 back into the stack until it is retired",
        });
        assert.deepEqual(asked, [
            "stack --show-name",
            "config --json --show-secrets --stack acme/haproxy-fleet/staging",
        ]);
    });

    it("says what Pulumi said if there is no such stack", async () => {
        await assert.rejects(retirement("lb1", "nowhere", {}), {
            message: "pulumi config: no stack named 'nowhere' found",
        });
    });
});

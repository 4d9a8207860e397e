// remote.Command through the real engine: what is planned, what is stored, what is shown. With PULUMI_FULL=1 by the real plugin.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Project } from "./project";
import { Sshd, whyNoSshd } from "./sshd";

describe("remote.Command under the real CLI", () => {
    const sshd = new Sshd();
    const project = new Project();
    const type = "command:remote:Command";
    const program = (args: string) =>
        project.program(`
            const connection = ${JSON.stringify(sshd.connection())};
            const cmd = new remote.Command("cmd", { connection, ${args} });
            export const { stdout } = cmd;`);

    const isEncrypted = (value: unknown) => typeof value === "object" && value !== null && "ciphertext" in value;

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        await project.succeed("stack", "init", "dev");
    });
    after(() => {
        sshd.stop();
        project.remove();
    });

    const base = `create: "cat", stdin: pulumi.secret("planted-word"), logging: "none",
        addPreviousOutputInEnv: false, delete: "echo gone >${sshd.file("deleted")}"`;

    it("creates; secrets and the connection are encrypted in the state", async () => {
        program(base);
        await project.succeed("up", "--yes", "--skip-preview");
        assert.equal((await project.succeed("stack", "output", "stdout")).trim(), "planted-word");
        const { inputs, outputs } = project.resource(type);
        for (const stored of [inputs, outputs]) {
            for (const name of ["connection", "stdin"]) assert.ok(isEncrypted(stored?.[name]), name);
        }
        assert.doesNotMatch(project.stateText(), /PRIVATE KEY/);
    });

    it("has nothing to do a second time", async () => {
        await project.succeed("preview", "--expect-no-changes");
    });

    it("refresh changes nothing", async () => {
        await project.succeed("refresh", "--yes", "--expect-no-changes");
        assert.ok(project.resource(type).outputs?.stdout);
    });

    it("previews an update without running it, and shows no secret", async () => {
        program(base.replace("planted-word", "other-word"));
        const shown = await project.succeed("preview", "--diff");
        assert.match(shown, /~ command:remote:Command: \(update\)/);
        assert.match(shown, /stdin *: \[secret\]/);
        assert.doesNotMatch(shown, /other-word|planted-word/);
        const log = sshd
            .read("log")
            .split("\n")
            .filter((line) => line.includes("Accepted publickey")).length;
        assert.equal(log, 1);
    });

    it("a failed update keeps the old state and says what failed", async () => {
        const before = project.resource(type);
        program(`${base}, update: "echo because >&2; exit 4"`);
        const { code, stdout, stderr } = await project.run(["up", "--yes", "--skip-preview"]);
        assert.notEqual(code, 0);
        const text = stdout + stderr;
        assert.match(text, /Process exited with status 4: running "echo because >&2; exit 4":\s+because/);
        assert.deepEqual(project.resource(type).inputs?.update, before.inputs?.update);
    });

    it("updates in place and keeps the id", async () => {
        const { id } = project.resource(type);
        program(`${base}, update: "printf updated"`);
        await project.succeed("up", "--yes", "--skip-preview");
        assert.equal((await project.succeed("stack", "output", "stdout")).trim(), "updated");
        assert.equal(project.resource(type).id, id);
    });

    it("replaces on triggers: create, then delete of the old one", async () => {
        const { id } = project.resource(type);
        program(`${base}, update: "printf updated", triggers: [1]`);
        assert.match(await project.succeed("preview"), /replace/);
        await project.succeed("up", "--yes", "--skip-preview");
        assert.notEqual(project.resource(type).id, id);
        assert.equal(readFileSync(sshd.file("deleted"), "utf8"), "gone\n");
    });

    it("plans with a value that is not known before another command has run", async () => {
        program(`create: "printf one", logging: "none" });
            const second = new remote.Command("second", { connection, create: pulumi.interpolate\`printf \${cmd.stdout}-two\``);
        await project.succeed("up", "--yes");
        assert.match(await project.succeed("stack", "export", "--show-secrets"), /"one-two"/);
    });

    it("names the faults of the inputs, and no key", async () => {
        project.program(
            `new remote.Command("cmd", { connection: { privateKey: "planted-key" }, create: "true" } as never);`,
        );
        const { code, stdout, stderr } = await project.run(["preview"]);
        assert.notEqual(code, 0);
        assert.match(stdout + stderr, /host/);
        assert.doesNotMatch(stdout + stderr, /planted-key/);
    });

    it("destroys", async () => {
        program(base);
        await project.succeed("destroy", "--yes");
        assert.doesNotMatch(project.stateText(), /command:remote:Command/);
    });
});

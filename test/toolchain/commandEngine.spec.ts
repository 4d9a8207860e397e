// remote.Command through the real engine: what is planned, what is stored, what is shown. PULUMI_FULL=1 tests the real plugin.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/traffic";
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

    it("creates, with secrets and the connection encrypted in the state", async () => {
        program(base);
        await project.succeed("up", "--yes", "--skip-preview");
        assert.equal((await project.succeed("stack", "output", "stdout")).trim(), "planted-word");
        const { inputs, outputs } = project.resource(type);
        for (const stored of [inputs, outputs]) {
            for (const name of ["connection", "stdin"]) assert.ok(isEncrypted(stored?.[name]), name);
        }
        assert.doesNotMatch(project.stateText(), /PRIVATE KEY/);
    });

    it("plans nothing the second time", async () => {
        await project.succeed("preview", "--expect-no-changes");
    });

    it("changes nothing on a refresh", async () => {
        await project.succeed("refresh", "--yes", "--expect-no-changes");
        assert.ok(project.resource(type).outputs?.stdout);
    });

    it("previews an update without running it or showing a secret", async () => {
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

    it("keeps the old state after a failed update, and says what failed", async () => {
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

    it("replaces on added triggers: creates, then deletes the old one", async () => {
        const { id } = project.resource(type);
        program(`${base}, update: "printf updated", triggers: [1]`);
        assert.match(await project.succeed("preview"), /replace/);
        await project.succeed("up", "--yes", "--skip-preview");
        assert.notEqual(project.resource(type).id, id);
        assert.equal(readFileSync(sshd.file("deleted"), "utf8"), "gone\n");
    });

    it("plans with the unknown output of another command", async () => {
        program(`create: "printf one", logging: "none" });
            const second = new remote.Command("second", { connection, create: pulumi.interpolate\`printf \${cmd.stdout}-two\``);
        await project.succeed("up", "--yes");
        assert.match(await project.succeed("stack", "export", "--show-secrets"), /"one-two"/);
    });

    it("shows the whole connection, private key included, if a field of it is wrong", async () => {
        // So values must be judged before they are registered.
        project.program(
            `new remote.Command("cmd", { connection: { privateKey: pulumi.secret("planted-key") }, create: "true" } as never);`,
        );
        const { code, stdout, stderr } = await project.run(["preview"]);
        assert.notEqual(code, 0);
        assert.match(stdout + stderr, /property .?connection.? value .*planted-key.*'host'/s);
    });

    it("waits for a running command after an interrupt, and ends at once after a second one", async () => {
        const started = sshd.file("started");
        const go = sshd.file("go");
        const wait = `create: "touch ${started}; until [ -e ${go} ]; do sleep 0.1; done; printf waited", logging: "none"`;
        for (const [times, stored] of [
            [1, true],
            [2, false],
        ] as const) {
            await project.succeed("destroy", "--yes");
            for (const file of [started, go]) rmSync(file, { force: true });
            program(wait);
            let interrupt = (): void => {};
            let over = false;
            const up = project
                .run(["up", "--yes", "--skip-preview"], {
                    onStart: (send) => {
                        interrupt = send;
                    },
                })
                .finally(() => {
                    over = true;
                });
            await until("the command runs", async () => existsSync(started));
            for (let sent = 0; sent < times; sent++) {
                interrupt();
                await sleep(1000);
            }
            assert.equal(over, !stored);
            writeFileSync(go, "");
            assert.notEqual((await up).code, 0);
            assert.equal(project.stateText().includes('"waited"'), stored);
        }
        await project.succeed("refresh", "--yes", "--clear-pending-creates");
    });

    it("destroys", async () => {
        program(base);
        await project.succeed("destroy", "--yes");
        assert.doesNotMatch(project.stateText(), /command:remote:Command/);
    });
});

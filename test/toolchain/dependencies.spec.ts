// The real engine creates what a host depends on before the host is asked. The host's answer comes from the program.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { Project } from "./project";
import { Sshd, whyNoSshd } from "./sshd";

const module = (path: string) => JSON.stringify(join(repo, "components/convergence", path));

describe("a host that depends on a resource", () => {
    const project = new Project();
    const sshd = new Sshd();

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        await project.succeed("stack", "init", "dev");
    });
    after(() => {
        sshd.stop();
        project.remove();
    });

    /** Runs an up of a host that depends on a command, and that writes to a file that it was asked. */
    async function up(create: string): Promise<{ text: string; asked: string }> {
        const file = sshd.file("asked");
        project.program(`
            import { existsSync, writeFileSync } from "node:fs";
            import { ConvergedHost } from ${module("convergedHost")};
            import { useProbe } from ${module("hostTurn")};
            import { SshError } from ${module("ssh/ssh")};
            useProbe(async () => {
                writeFileSync(${JSON.stringify(file)}, existsSync(${JSON.stringify(sshd.file("made"))}) ? "made" : "early");
                throw new SshError("the host was asked");
            });
            const connection = ${JSON.stringify(sshd.connection())};
            const machine = new remote.Command("machine", { connection, create: ${JSON.stringify(create)} });
            new ConvergedHost("lb1", {
                connection: { address: "lb1.example", hostKey: connection.hostKey },
                resources: [],
            }, { dependsOn: machine });`);
        const { code, stdout, stderr } = await project.run(["up", "--yes", "--skip-preview", "--color=never"]);
        assert.notEqual(code, 0);
        return { text: stdout + stderr, asked: existsSync(file) ? readFileSync(file, "utf8") : "" };
    }

    it("is not asked if the resource cannot be created", async function () {
        this.timeout(120_000);
        const { text, asked } = await up("exit 3");
        assert.equal(asked, "", text);
        assert.doesNotMatch(text, /lb1: /);
    });

    it("is asked once the resource is there", async function () {
        this.timeout(120_000);
        const { text, asked } = await up(`sleep 2; touch ${sshd.file("made")}`);
        assert.equal(asked, "made", text);
        assert.match(text, /lb1: the host was asked/);
    });
});

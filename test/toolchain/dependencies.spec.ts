// The real engine creates what a host depends on before the host is asked. The host's answer comes from the program.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { Project } from "./project";
import { Sshd, whyNoSshd } from "./sshd";

const module = (path: string) => JSON.stringify(join(repo, "components", path));

describe("a host, or a fleet, that depends on a resource", () => {
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

    /** Runs an up of hosts that depend on a command, and that write to files that they were asked. */
    async function up(create: string): Promise<{ text: string; asked: string[] }> {
        const files = ["host", "namesake", "fleet"].map((kind) => sshd.file(`asked-${kind}.example`));
        project.program(`
            import { existsSync, writeFileSync } from "node:fs";
            import { ConvergedHost } from ${module("convergence/convergedHost")};
            import { useProbe } from ${module("convergence/hostConversation")};
            import { SshError } from ${module("convergence/ssh/ssh")};
            import { LoadBalancerFleet } from ${module("loadBalancerFleet")};
            useProbe(async ({ address }) => {
                writeFileSync(${JSON.stringify(sshd.file("asked-"))} + address, existsSync(${JSON.stringify(sshd.file("made"))}) ? "made" : "early");
                throw new SshError("the host was asked");
            });
            const connection = ${JSON.stringify(sshd.connection())};
            const machine = new remote.Command("machine", { connection, create: ${JSON.stringify(create)} });
            const at = (address: string) => ({ address, hostKey: connection.hostKey });
            new ConvergedHost("lb1", { connection: at("host.example"), resources: [] }, { dependsOn: machine });
            // The engine tells resources of one name apart by what is around them.
            const parent = new pulumi.ComponentResource("test:index:Group", "group");
            new ConvergedHost("lb1", { connection: at("namesake.example"), resources: [] }, { parent, dependsOn: machine });
            new LoadBalancerFleet("edge", {
                hosts: { lb2: { connection: at("fleet.example") } },
                services: [{ name: "web", port: 80, default: true, servers: [{ name: "web1", address: "192.0.2.1" }] }],
            }, { dependsOn: machine });`);
        const { code, stdout, stderr } = await project.run(["up", "--yes", "--skip-preview", "--color=never"]);
        assert.notEqual(code, 0);
        return {
            text: stdout + stderr,
            asked: files.map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")),
        };
    }

    it("is not asked if the resource cannot be created", async function () {
        this.timeout(120_000);
        const { text, asked } = await up("exit 3");
        assert.deepEqual(asked, ["", "", ""], text);
        assert.doesNotMatch(text, /lb[12]: \S/);
    });

    it("is asked once the resource is there", async function () {
        this.timeout(120_000);
        const { text, asked } = await up(`sleep 2; touch ${sshd.file("made")}`);
        assert.deepEqual(asked, ["made", "made", "made"], text);
        assert.match(text, /lb1: the host was asked/);
    });
});

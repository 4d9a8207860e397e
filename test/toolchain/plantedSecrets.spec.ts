// What the engine prints of secrets: those of its own inputs, and none of a ConvergedHost. test/lab/secrets.spec.ts tests the rest.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { WhyRun } from "../../components/convergence/preview/whyRun";
import { repo } from "../../toolchain/environment.mjs";
import { leaks } from "../support/planted";
import { Project } from "./project";
import { Sshd, whyNoSshd } from "./sshd";

const planted = {
    password: "hunter2 planted-password",
    key: "-----BEGIN PLANTED KEY-----\nplantedMIIEvQIBADANBgkq\nplantedhkiG9w0BAQEFAASC\n-----END PLANTED KEY-----\n",
};
/** Everything that the CLI, the engine and the plugins can print. */
const UP = ["up", "--yes", "--skip-preview", "--diff", "--debug", "-v=9", "--logtostderr"];

describe("secrets under the real CLI", () => {
    const sshd = new Sshd();
    const project = new Project();
    const slots = `{ password: pulumi.secret(${JSON.stringify(planted.password)}), key: pulumi.secret(${JSON.stringify(planted.key)}) }`;

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        await project.succeed("stack", "init", "dev");
    });
    after(() => {
        sshd.stop();
        project.remove();
    });

    async function printed(program: string): Promise<{ code: number; text: string }> {
        project.program(program);
        const { code, stdout, stderr } = await project.run(UP);
        return { code, text: stdout + stderr };
    }

    it("of a host are printed in no form if its converge fails", async () => {
        const answer: Omit<WhyRun, "live"> = {
            bootId: "boot",
            token: "",
            differences: [{ id: "r0", aspect: "missing", have: "" }],
            refused: [],
            unchecked: [],
            activations: [],
            secretLines: [],
            settings: [],
            warnings: [],
            longest: [],
            serving: [],
        };
        const { host: address, dialErrorLimit: _, ...connection } = sshd.connection();
        const { code, text } = await printed(`
            import { ConvergedHost } from ${JSON.stringify(join(repo, "components/convergence/convergedHost"))};
            import { useProbe } from ${JSON.stringify(join(repo, "components/convergence/hostConversation"))};
            import { slot } from ${JSON.stringify(join(repo, "components/convergence/slots"))};
            useProbe(async () => ({
                answer: { ...${JSON.stringify(answer)}, live: new Map() },
                leave: async () => {},
                lost: new Promise(() => {}),
                close() {},
            }));
            new ConvergedHost("lb1", {
                connection: ${JSON.stringify({ address, ...connection })} as any,
                resources: ["password", "key"].map((name) => ({ kind: "file", path: "/srv/" + name, content: slot(name) })),
                slots: ${slots},
            });`);
        assert.notEqual(code, 0);
        assert.match(text, /run again/);
        assert.deepEqual(leaks(text, planted), []);
    });

    it("are printed if they are inputs, so that the test above can fail", async () => {
        const { code, text } = await printed(`
            const stdin = pulumi.all(${slots}).apply(({ password, key }) => Buffer.from("code: " + password).toString("base64") + key);
            new remote.Command("cmd", { connection: ${JSON.stringify(sshd.connection())}, create: "true", stdin });`);
        assert.equal(code, 0, text.slice(-2000));
        const found = leaks(text, planted);
        for (const leak of ["password (base64)", "key (JSON)"]) assert.ok(found.includes(leak), `${leak} in ${found}`);
    });
});

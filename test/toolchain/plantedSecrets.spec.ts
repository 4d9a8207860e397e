// What the engine prints of secrets: those of its own inputs, and none of a ConvergedHost. test/lab/secrets.spec.ts tests the rest.
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import type { WhyRun } from "../../components/convergence/preview/whyRun";
import { decryptDataBag, encryptDataBag } from "../../components/tls";
import { repo } from "../../toolchain/environment.mjs";
import { makeCertificate } from "../support/certificates";
import { leaks, type Planted } from "../support/planted";
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

    async function printed(program: string, args = UP): Promise<{ code: number; text: string }> {
        project.program(program);
        const { code, stdout, stderr } = await project.run(args, { env: { HAPROXY_FLEET_LAB: "1" } });
        return { code, text: stdout + stderr };
    }

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
        shortages: [],
        longest: [],
        serving: [],
    };
    const connection = () => {
        const { host: address, dialErrorLimit: _, ...rest } = sshd.connection();
        return JSON.stringify({ address, ...rest });
    };
    /** Text of a program: a host differs, and does not have the payload. */
    const failingHosts = `
        import { useProbe } from ${JSON.stringify(join(repo, "components/convergence/hostConversation"))};
        useProbe(async () => ({
            answer: { ...${JSON.stringify(answer)}, live: new Map() },
            leave: async () => {},
            confirmLogin: async () => {},
            cause: async () => "",
            lost: new Promise(() => {}),
            close() {},
        }));`;

    it("of a host are printed in no form if its converge fails", async () => {
        const { code, text } = await printed(`${failingHosts}
            import { ConvergedHost } from ${JSON.stringify(join(repo, "components/convergence/convergedHost"))};
            import { slot } from ${JSON.stringify(join(repo, "components/convergence/slots"))};
            new ConvergedHost("lb1", {
                connection: ${connection()} as any,
                resources: ["password", "key"].map((name) => ({ kind: "file", path: "/srv/" + name, content: slot(name) })),
                slots: ${slots},
            });`);
        assert.notEqual(code, 0);
        assert.match(text, /run again/);
        assert.deepEqual(leaks(text, planted), []);
    });

    it("of certificates are printed in no form, and are in no state, whatever their source", async () => {
        const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
        const dates = { from: day(-1), to: day(90) };
        const apart = await makeCertificate("apart.test", { names: ["apart.test"], key: "rsa", ...dates });
        const bag = await makeCertificate("bag.test", { names: ["bag.test"], ...dates });
        const passphrase = "planted passphrase of a key";
        const sharedSecret = "planted shared secret of a data bag";
        const encryption = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;
        const item = encryptDataBag("bag", { cert: bag.pem, key: bag.key }, sharedSecret);
        const certificates: Planted = {
            passphrase,
            sharedSecret,
            // Beginnings and ends of PEM are not secret.
            apart: apart.key.replace(/-----.*-----\n/g, ""),
            bag: bag.key.replace(/-----.*-----\n/g, ""),
            // With the encoding of a value in an item.
            plaintext: JSON.stringify({ json_wrapper: decryptDataBag(item, sharedSecret).key }).slice(0, 60),
        };
        const secret = (text: string) => `pulumi.secret(${JSON.stringify(text)})`;
        const program = `${failingHosts}
            import { LoadBalancer } from ${JSON.stringify(join(repo, "components"))};
            new LoadBalancer("edge", {
                connection: ${connection()} as any,
                certificates: {
                    apart: {
                        pem: ${JSON.stringify(apart.pem)},
                        key: ${secret(String(createPrivateKey(apart.key).export(encryption)))},
                        passphrase: ${secret(passphrase)},
                    },
                    bag: { dataBag: ${JSON.stringify(JSON.stringify(item))}, sharedSecret: ${secret(sharedSecret)} },
                    own: { selfSigned: { names: ["own.test"] } },
                },
                services: [{
                    name: "shop",
                    hosts: ["apart.test", "bag.test", "own.test"],
                    port: 8080,
                    servers: [{ name: "a", address: "192.0.2.21" }],
                    tls: true,
                }],
            } as any);`;
        const preview = await printed(program, ["preview", "--diff", "--json", "--debug", "-v=9", "--logtostderr"]);
        assert.equal(preview.code, 0, preview.text.slice(-3000));
        assert.match(preview.text, /certificates: apart 8\d days .*, bag 8\d days .*, own known after up/);
        assert.deepEqual(leaks(preview.text, certificates), []);
        const { code, text } = await printed(program);
        assert.notEqual(code, 0);
        assert.match(text, /run again/);
        assert.deepEqual(leaks(text, certificates), []);
        const exported = await project.succeed("stack", "export", "--show-secrets");
        assert.deepEqual(leaks(exported, certificates), []);
        // The engine stores what a provider makes, encrypted.
        const own = /-----BEGIN PRIVATE KEY-----(?:\\+n)([^-]+)/.exec(exported)?.[1]?.replace(/\\+n/g, "\n") ?? "";
        assert.match(own, /^MI/);
        const made = { own };
        assert.deepEqual(leaks(project.stateText(), made), []);
        // With --debug, Pulumi's SDK prints what providers return: see SECURITY.md.
        const usual = await printed(program, ["preview", "--diff"]);
        assert.equal(usual.code, 0, usual.text.slice(-3000));
        assert.deepEqual(leaks(usual.text, made), []);
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

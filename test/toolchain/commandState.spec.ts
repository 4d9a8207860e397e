// States of the real command plugin and of the stand-in are the same, so that neither plans anything with a state of the other.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Project } from "./project";

const signature = "4dabf18193072939515e22adb298388d";
/** A secret in an export with --show-secrets: the JSON of its value as a text. */
const secret = (value: unknown) => ({
    [signature]: "1b47061264138c4ac30d75fd1eb44270",
    plaintext: JSON.stringify(value),
});

/** What the program below declares. */
const declared = {
    connection: {
        host: "198.51.100.1",
        hostKey: "ssh-ed25519 AAAA",
        password: "planted-password",
        privateKey: "planted-key",
        proxy: { host: "198.51.100.2", privateKey: "planted-key", privateKeyPassword: "planted-word" },
    },
    update: "true",
    stdin: "text",
    logging: "none",
};

/** The inputs that pulumi-command 1.2.1 stores for it. The secret fields are secret again inside the secret connection. */
const inputs = {
    connection: secret({
        dialErrorLimit: 10,
        host: "198.51.100.1",
        hostKey: "ssh-ed25519 AAAA",
        password: secret("planted-password"),
        perDialTimeout: 15,
        port: 22,
        privateKey: secret("planted-key"),
        proxy: {
            dialErrorLimit: 10,
            host: "198.51.100.2",
            perDialTimeout: 15,
            port: 22,
            privateKey: secret("planted-key"),
            privateKeyPassword: secret("planted-word"),
            user: "root",
        },
        user: "root",
    }),
    logging: "none",
    stdin: "text",
    update: "true",
};
const outputs = { ...inputs, stdout: "", stderr: "" };

interface Deployment {
    deployment: { resources: { type: string; inputs?: object; outputs?: object }[] };
}

describe("state of remote.Command", () => {
    const project = new Project();
    after(() => project.remove());

    async function exported(): Promise<Deployment> {
        return JSON.parse(await project.succeed("stack", "export", "--show-secrets")) as Deployment;
    }

    const command = ({ deployment }: Deployment) => {
        const found = deployment.resources.find(({ type }) => type === "command:remote:Command");
        assert.ok(found);
        return found;
    };

    async function importWith(change: { inputs: object; outputs: object }): Promise<void> {
        const state = await exported();
        Object.assign(command(state), change);
        const file = join(project.directory, "state.json");
        writeFileSync(file, JSON.stringify(state));
        await project.succeed("stack", "import", "--file", file);
    }

    it("is what the real plugin writes", async () => {
        project.program(`new remote.Command("cmd", ${JSON.stringify(declared)});`);
        await project.succeed("stack", "init", "dev");
        // Without `create`, this runs nothing, so no host is needed.
        await project.succeed("up", "--yes", "--skip-preview");
        const stored = command(await exported());
        assert.deepEqual(stored.inputs, inputs);
        assert.deepEqual(stored.outputs, outputs);
    });

    it("plans nothing if the real plugin has written it", async () => {
        await importWith({ inputs, outputs });
        await project.succeed("preview", "--expect-no-changes");
    });

    it("plans an update if its secrets are not secret again, as in states of older stand-ins", async () => {
        const flat = JSON.parse(inputs.connection.plaintext, (_, value) =>
            value?.[signature] ? JSON.parse(value.plaintext) : value,
        );
        const old = { connection: secret(flat), addPreviousOutputInEnv: true };
        await importWith({ inputs: { ...inputs, ...old }, outputs: { ...outputs, ...old } });
        assert.match(await project.succeed("preview"), /1 to update/);
    });
});

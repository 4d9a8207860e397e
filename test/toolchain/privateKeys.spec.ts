// Private keys of each type and format: the probe and the command plugin both log in to a real sshd with them, or both refuse them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { appendFileSync } from "node:fs";
import { openPrivateKey } from "../../components/convergence/ssh/keys";
import { runOverSsh } from "../../components/convergence/ssh/ssh";
import { Plugin } from "./plugin";
import { Sshd, whyNoSshd } from "./sshd";

const PASSPHRASE = "planted-passphrase";

/** Keys of one type, and the formats for which PEM has a name of its own. */
const types: Record<string, { make: () => { privateKey: KeyObject }; old?: "pkcs1" | "sec1" }> = {
    ed25519: { make: () => generateKeyPairSync("ed25519") },
    ecdsa: { make: () => generateKeyPairSync("ec", { namedCurve: "P-256" }), old: "sec1" },
    rsa: { make: () => generateKeyPairSync("rsa", { modulusLength: 3072 }), old: "pkcs1" },
};

const pkcs8 = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }).toString();

describe("a private key", () => {
    const sshd = new Sshd();
    const plugin = new Plugin();

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        await plugin.start();
    });
    after(() => {
        plugin.stop();
        sshd.stop();
    });

    const probe = async (privateKey: string, privateKeyPassword?: string) => {
        const hostKey = sshd.read("host_ed25519.pub");
        const target = { address: "127.0.0.1", port: sshd.port, user: sshd.user, hostKey };
        return (await runOverSsh({ ...target, privateKey, privateKeyPassword }, "echo ok", "")).stdout.toString();
    };
    const converge = async (privateKey: string, privateKeyPassword?: string) => {
        const connection = { ...sshd.connection(), privateKey, ...(privateKeyPassword && { privateKeyPassword }) };
        return (await plugin.create({ connection, create: "echo ok" })).state.stdout;
    };

    async function logsIn(privateKey: string, passphrase?: string): Promise<void> {
        const answers = await Promise.all([probe(privateKey, passphrase), converge(privateKey, passphrase)]);
        assert.deepEqual(answers, ["ok\n", "ok"]);
    }

    async function isRefused(privateKey: string, words: RegExp, passphrase?: string): Promise<void> {
        const before = sshd.read("log");
        await assert.rejects(probe(privateKey, passphrase), ({ message }: Error) => {
            assert.doesNotMatch(message, /planted|\n/);
            return words.test(message);
        });
        await assert.rejects(converge(privateKey, passphrase));
        assert.ok(!sshd.read("log").slice(before.length).includes("Accepted"));
    }

    /** Lets a key log in. OpenSSH below 9.6 cannot read ed25519 keys of PKCS#8, so Node finds the public key. */
    function allow(key: KeyObject): void {
        const opened = openPrivateKey(pkcs8(key));
        assert.ok(typeof opened !== "string", opened as string);
        const { x } = createPublicKey(key).export({ format: "jwk" });
        const blob = opened.getPublicSSH();
        assert.ok(key.asymmetricKeyType === "rsa" || blob.includes(Buffer.from(x ?? "", "base64url")));
        appendFileSync(sshd.file("authorized_keys"), `${opened.type} ${blob.toString("base64")}\n`);
    }

    /** Rewrites a key of ssh-keygen in its file. */
    function rewritten(name: string, ...options: string[]): string {
        execFileSync("ssh-keygen", ["-q", "-p", ...options, "-f", sshd.file(name)]);
        return sshd.read(name);
    }

    for (const [type, { make, old }] of Object.entries(types)) {
        it(`of type ${type} logs in in each format, encrypted and not`, async () => {
            const { privateKey: key } = make();
            allow(key);
            await logsIn(pkcs8(key));
            await logsIn(pkcs8(key).trim().replaceAll("\n", "\r\n"));
            if (old) {
                await logsIn(key.export({ type: old, format: "pem" }).toString());
                const cipher = "aes-128-cbc";
                const locked = key.export({ type: old, format: "pem", cipher, passphrase: PASSPHRASE });
                await logsIn(locked.toString(), PASSPHRASE);
            }
            sshd.keygen(type, type);
            appendFileSync(sshd.file("authorized_keys"), sshd.read(`${type}.pub`));
            await logsIn(sshd.read(type));
            const locked = rewritten(type, "-P", "", "-N", PASSPHRASE);
            await logsIn(locked, PASSPHRASE);
            await isRefused(locked, /has a passphrase; set connection\.privateKeyPassword/);
        });
    }

    it("of the larger ecdsa curves logs in", async () => {
        for (const namedCurve of ["P-384", "P-521"]) {
            const { privateKey: key } = generateKeyPairSync("ec", { namedCurve });
            allow(key);
            await logsIn(pkcs8(key));
        }
    });

    it("that is encrypted as PKCS#8 is refused, and logs in when it is decrypted as the error says", async () => {
        const { privateKey: key } = generateKeyPairSync("ed25519");
        allow(key);
        const locked = key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE });
        const words =
            /is an encrypted PKCS#8 key, which Pulumi's command plugin cannot open; decrypt it \(openssl pkey -in /;
        await isRefused(locked.toString(), words, PASSPHRASE);
        await isRefused(locked.toString(), words);
        const command = ["pkey", "-passin", `pass:${PASSPHRASE}`];
        await logsIn(execFileSync("openssl", command, { input: locked, encoding: "utf8" }));
    });

    it("with a cipher that the plugin lacks is refused, and logs in when it is rewritten as the error says", async () => {
        sshd.keygen("cipher", "ed25519");
        appendFileSync(sshd.file("authorized_keys"), sshd.read("cipher.pub"));
        await isRefused(
            rewritten("cipher", "-Z", "aes128-ctr", "-P", "", "-N", PASSPHRASE),
            /is encrypted with aes128-ctr, which Pulumi's command plugin cannot open; rewrite it with ssh-keygen -p -Z aes256-ctr -f FILE$/,
            PASSPHRASE,
        );
        await logsIn(rewritten("cipher", "-Z", "aes256-ctr", "-P", PASSPHRASE, "-N", PASSPHRASE), PASSPHRASE);
    });

    it("of a type that SSH does not have is refused", async () => {
        for (const { privateKey } of [
            generateKeyPairSync("x25519"),
            generateKeyPairSync("ed448"),
            generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
        ]) {
            await isRefused(pkcs8(privateKey), /cannot be read; use a complete ed25519, ecdsa or RSA key/);
        }
    });

    it("with a passphrase too many, of PuTTY, or cut off is refused", async () => {
        const pem = pkcs8(generateKeyPairSync("ed25519").privateKey);
        await isRefused(pem, /has no passphrase, but one is given; leave it out$/, PASSPHRASE);
        await isRefused("PuTTY-User-Key-File-3: ssh-ed25519\n", /is in the format of PuTTY; export it/);
        await isRefused(pem.slice(0, 60), /cannot be read; use a complete /);
    });
});

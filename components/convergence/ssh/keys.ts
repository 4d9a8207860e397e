/** Private keys: which formats can be used, and why a key cannot. A key must suit both the probe and the command plugin. */
import { createPrivateKey, type KeyObject, randomBytes } from "node:crypto";
import { type ParsedKey, utils } from "ssh2";

/** Ciphers of OpenSSH keys that the command plugin opens (golang.org/x/crypto/ssh, keys.go). */
const OPENSSH_CIPHERS = ["none", "aes256-ctr", "aes256-cbc"];

const openedKeys = new Map<string, ParsedKey | string>();

/**
 * Opens a private key, once for all hosts: a passphrase takes up to seconds of computing, while other logins time out.
 *
 * @returns the key, or what is wrong with it and what to do
 */
export function openPrivateKey(privateKey: string, password?: string): ParsedKey | string {
    const id = JSON.stringify([privateKey, password]);
    const key = openedKeys.get(id) ?? open(privateKey, password);
    openedKeys.set(id, key);
    return key;
}

function open(privateKey: string, password?: string): ParsedKey | string {
    const unsupported = unsupportedFormat(privateKey);
    if (unsupported !== undefined) {
        return unsupported;
    }
    const key = parse(privateKey, password);
    if (key instanceof Error || !key.isPrivateKey()) {
        return unreadable(key instanceof Error ? key.message : "", password);
    }
    // The command plugin refuses this, so a preview must not pass.
    if (password && !(parse(privateKey) instanceof Error)) {
        return "has no passphrase, but one is given; leave it out";
    }
    return key;
}

/** Why the command plugin cannot use a key, although others can; undefined if the format suits it. */
function unsupportedFormat(privateKey: string): string | undefined {
    if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(privateKey)) {
        return "is an encrypted PKCS#8 key, which Pulumi's command plugin cannot open; decrypt it (openssl pkey -in FILE -out NEW), or use one in the format of OpenSSH";
    }
    if (privateKey.startsWith("PuTTY-User-Key-File")) {
        return "is in the format of PuTTY; export it in that of OpenSSH (puttygen KEY -O private-openssh -o FILE)";
    }
    const cipher = opensshCipher(privateKey);
    return cipher === undefined || OPENSSH_CIPHERS.includes(cipher)
        ? undefined
        : `is encrypted with ${cipher}, which Pulumi's command plugin cannot open; rewrite it with ssh-keygen -p -Z aes256-ctr -f FILE`;
}

/** The cipher of a key in OpenSSH's format (PROTOCOL.key): the first text after the magic word. */
function opensshCipher(privateKey: string): string | undefined {
    const text = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/.exec(privateKey)?.[1];
    const blob = Buffer.from(text ?? "", "base64");
    const magic = "openssh-key-v1\0";
    return blob.length > magic.length + 4 && blob.toString("latin1", 0, magic.length) === magic
        ? blob.toString("latin1", magic.length + 4, magic.length + 4 + blob.readUInt32BE(magic.length))
        : undefined;
}

/** @param reason what the parser of keys says */
function unreadable(reason: string, password: string | undefined): string {
    if (/no passphrase/i.test(reason)) {
        return "has a passphrase; set connection.privateKeyPassword (in a stack config sshPrivateKeyPassword), or load the key into an ssh agent and set no key";
    }
    return password && /bad passphrase|integrity|decrypt/i.test(reason)
        ? "cannot be opened with the given passphrase; correct it"
        : "cannot be read; use a complete ed25519, ecdsa or RSA key in OpenSSH or PEM format, including its final line";
}

function parse(privateKey: string, password?: string): ParsedKey | Error {
    try {
        const readable = /-----BEGIN PRIVATE KEY-----/.test(privateKey) ? fromPkcs8(privateKey) : privateKey;
        // For a file of several keys parseKey returns a list, although its type does not say so.
        return [utils.parseKey(readable, password)].flat()[0] as ParsedKey | Error;
    } catch (error) {
        return error as Error;
    }
}

/** Rewrites a key of PKCS#8, which ssh2 cannot read, in a format that it can. */
function fromPkcs8(pem: string): string {
    const key = createPrivateKey(pem);
    switch (key.asymmetricKeyType) {
        case "rsa":
            return key.export({ type: "pkcs1", format: "pem" }).toString();
        case "ec":
            return key.export({ type: "sec1", format: "pem" }).toString();
        case "ed25519":
            return opensshEd25519(key);
        default:
            throw new Error(`keys of type ${key.asymmetricKeyType} have no use in SSH`);
    }
}

/** An ed25519 key in OpenSSH's format (PROTOCOL.key), without passphrase. */
function opensshEd25519(key: KeyObject): string {
    const { d = "", x = "" } = key.export({ format: "jwk" });
    const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
    const type = sized("ssh-ed25519");
    const check = randomBytes(4);
    const secret = Buffer.concat([check, check, type, sized(point), sized(Buffer.concat([seed, point])), sized("")]);
    const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (secret.length % 8)) % 8);
    const one = Buffer.from([0, 0, 0, 1]);
    const blob = Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        ...["none", "none", ""].map(sized),
        one,
        sized(Buffer.concat([type, sized(point)])),
        sized(Buffer.concat([secret, padding])),
    ]);
    const lines = blob.toString("base64").replace(/.{70}/g, "$&\n");
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** The bytes after their count, as SSH writes texts. */
function sized(bytes: Buffer | string): Buffer {
    const content = Buffer.from(bytes as string);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(content.length);
    return Buffer.concat([size, content]);
}

// tls.PrivateKey.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { utils } from "ssh2";
import type { Table } from "../provider/tableType";
import { secret } from "../provider/values";

const curves = { P256: 256, P384: 384, P521: 521 } as const;

export const privateKey: Table = {
    fields: {
        algorithm: { kind: "string", required: true, replaces: true, oneOf: ["RSA", "ECDSA", "ED25519"] },
        ecdsaCurve: { kind: "string", default: "P224", replaces: true, oneOf: ["P224", ...Object.keys(curves)] },
        rsaBits: { kind: "integer", default: 2048, replaces: true, min: 1024 },
    },
    computed: [
        "privateKeyOpenssh",
        "privateKeyPem",
        "privateKeyPemPkcs8",
        "publicKeyFingerprintMd5",
        "publicKeyFingerprintSha256",
        "publicKeyOpenssh",
        "publicKeyPem",
    ],
    async create({ algorithm, ecdsaCurve, rsaBits }) {
        const { key, openssh, ssh } = generate(String(algorithm), String(ecdsaCurve), Number(rsaBits));
        const publicKey = createPublicKey(key);
        const der = publicKey.export({ format: "der", type: "spki" });
        return {
            id: createHash("sha1").update(der).digest("hex"),
            outputs: {
                privateKeyPem: secret(usualPem(key)),
                privateKeyPemPkcs8: secret(key.export({ format: "pem", type: "pkcs8" }).toString()),
                privateKeyOpenssh: secret(openssh),
                publicKeyPem: publicKey.export({ format: "pem", type: "spki" }).toString(),
                publicKeyOpenssh: ssh ? `${ssh.type} ${ssh.blob.toString("base64")}\n` : "",
                publicKeyFingerprintMd5: ssh ? withColons(createHash("md5").update(ssh.blob).digest("hex")) : "",
                publicKeyFingerprintSha256: ssh
                    ? `SHA256:${createHash("sha256").update(ssh.blob).digest("base64").replace(/=+$/, "")}`
                    : "",
            },
        };
    },
};

interface Generated {
    readonly key: KeyObject;
    /** The private key in the format of OpenSSH, or "". */
    readonly openssh: string;
    readonly ssh?: { readonly type: string; readonly blob: Buffer };
}

/** As in the real plugin, keys of curve P224 have no OpenSSH formats, because SSH does not have that curve. */
function generate(algorithm: string, curve: string, rsaBits: number): Generated {
    if (algorithm === "ECDSA" && curve === "P224") {
        const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "secp224r1" });
        return { key, openssh: "" };
    }
    const bits = curves[curve as keyof typeof curves];
    const pair =
        algorithm === "RSA"
            ? utils.generateKeyPairSync("rsa", { bits: rsaBits })
            : algorithm === "ECDSA"
              ? utils.generateKeyPairSync("ecdsa", { bits })
              : ed25519Pair();
    const parsed = utils.parseKey(pair.private);
    if (parsed instanceof Error) throw parsed;
    return {
        key: createPrivateKey(parsed.getPrivatePEM()),
        openssh: pair.private.endsWith("\n") ? pair.private : `${pair.private}\n`,
        ssh: { type: parsed.type, blob: parsed.getPublicSSH() },
    };
}

/** One in 256 that ssh2 generates cannot be read: it cuts off a zero byte with which the public key begins. */
function ed25519Pair(): { readonly private: string } {
    for (;;) {
        const pair = utils.generateKeyPairSync("ed25519");
        if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
    }
}

/** PEM in the form that each kind of key had first, as in the real plugin. */
function usualPem(key: KeyObject): string {
    const type = ({ rsa: "pkcs1", ec: "sec1" } as const)[key.asymmetricKeyType as "rsa"] ?? "pkcs8";
    return key.export({ format: "pem", type }).toString();
}

const withColons = (hex: string) => (hex.match(/../g) ?? []).join(":");

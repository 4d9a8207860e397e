// Keys and names in the terms of WebCrypto and X.509.
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";
import type { Field } from "../provider/fields";
import type { Properties, Value } from "../provider/values";
import * as x509 from "./x509";

/** A key pair, and how it signs. */
export interface SigningKey {
    readonly pair: CryptoKeyPair;
    readonly signingAlgorithm: EcdsaParams | Algorithm;
    /** As the provider names it. */
    readonly algorithm: string;
}

const hashes = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" };
const ecCurves: Record<string, keyof typeof hashes> = {
    prime256v1: "P-256",
    secp384r1: "P-384",
    secp521r1: "P-521",
};

/** @throws if the text is no private key, or of a kind that makes no certificates here */
export async function signingKey(pem: Value | undefined): Promise<SigningKey> {
    let key: KeyObject;
    try {
        key = createPrivateKey(String(pem));
    } catch {
        throw new Error("failed to decode the private key: it is no unencrypted PEM of a private key");
    }
    const [algorithm, params, signingAlgorithm] = parameters(key);
    const { subtle } = webcrypto;
    const pkcs8 = key.export({ format: "der", type: "pkcs8" });
    const spki = createPublicKey(key).export({ format: "der", type: "spki" });
    const pair = {
        privateKey: await subtle.importKey("pkcs8", pkcs8, params, true, ["sign"]),
        publicKey: await subtle.importKey("spki", spki, params, true, ["verify"]),
    } as CryptoKeyPair;
    return { pair, signingAlgorithm, algorithm };
}

function parameters(key: KeyObject): [algorithm: string, params: EcKeyImportParams, signing: EcdsaParams] {
    if (key.asymmetricKeyType === "rsa") {
        const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
        return ["RSA", rsa as unknown as EcKeyImportParams, rsa];
    }
    if (key.asymmetricKeyType === "ed25519") {
        const ed25519 = { name: "Ed25519" };
        return ["ED25519", ed25519 as EcKeyImportParams, ed25519 as EcdsaParams];
    }
    const namedCurve = ecCurves[key.asymmetricKeyDetails?.namedCurve ?? ""];
    if (namedCurve === undefined) {
        throw new Error(
            "this stand-in makes certificates of RSA and ED25519 keys, and of ECDSA keys with P256, P384 or P521",
        );
    }
    return ["ECDSA", { name: "ECDSA", namedCurve }, { name: "ECDSA", hash: hashes[namedCurve] }];
}

/** Names in a distinguished name, in the order in which they appear there. */
const attributes = {
    country: "C",
    organization: "O",
    organizationalUnit: "OU",
    locality: "L",
    province: "ST",
    streetAddresses: "2.5.4.9",
    postalCode: "2.5.4.17",
    commonName: "CN",
    serialNumber: "2.5.4.5",
    emailAddress: "E",
} as const;

/** What a certificate is for, shared by requests and self-signed certificates. */
export const subjectFields: Record<string, Field> = {
    privateKeyPem: { kind: "string", required: true, replaces: true },
    subject: {
        kind: {
            fields: Object.fromEntries(
                Object.keys(attributes).map((name) => [
                    name,
                    { kind: name === "streetAddresses" ? "strings" : "string" },
                ]),
            ) as Record<string, Field>,
        },
        replaces: true,
    },
    dnsNames: { kind: "strings", replaces: true },
    ipAddresses: { kind: "strings", replaces: true },
    uris: { kind: "strings", replaces: true },
};

/** The distinguished name of `subject`. */
export function subjectOf({ subject }: Properties): x509.JsonName {
    const given = (subject ?? {}) as Record<string, string | string[] | undefined>;
    return Object.entries(attributes).flatMap(([name, type]) =>
        [given[name] ?? []].flat().map((value) => ({ [type]: [value] })),
    );
}

/** The extension with the names that clients compare; none if there are no names. */
export function alternativeNames(inputs: Properties): x509.SubjectAlternativeNameExtension[] {
    const list = (name: string) => (inputs[name] ?? []) as string[];
    const names: x509.JsonGeneralNames = [
        ...list("dnsNames").map((value) => ({ type: "dns" as const, value })),
        ...list("ipAddresses").map((value) => ({ type: "ip" as const, value })),
        ...list("uris").map((value) => ({ type: "url" as const, value })),
    ];
    // RFC 5280: critical if the subject is empty.
    return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, subjectOf(inputs).length === 0)];
}

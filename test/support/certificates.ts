import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as Crypto);

const algorithms = {
    ecdsa: { name: "ECDSA", namedCurve: "P-256" },
    p521: { name: "ECDSA", namedCurve: "P-521" },
    ed25519: { name: "Ed25519" },
    rsa: { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
    rsa1024: {
        name: "RSASSA-PKCS1-v1_5",
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: "SHA-256",
    },
};

/** A certificate that a test made, with its key. */
export interface MadeCertificate {
    /** Ends with a line break, as `key`. */
    readonly pem: string;
    /** PKCS#8. */
    readonly key: string;
    readonly subject: string;
    readonly keys: CryptoKeyPair;
    /** SHA-1 in lower-case hexadecimal. */
    readonly sha1: string;
}

/** What a test's certificate has. */
export interface CertificateOptions {
    /** @default - signs itself */
    readonly issuer?: MadeCertificate;
    /** DNS names and IP addresses. @default - the extension is missing */
    readonly names?: readonly string[];
    readonly authority?: boolean;
    /** @default 2026-01-01 */
    readonly from?: string;
    /** @default 2027-01-01 */
    readonly to?: string;
    /** @default "ecdsa" */
    readonly key?: keyof typeof algorithms;
    /** Of the signature. @default "SHA-256" */
    readonly hash?: "SHA-1" | "SHA-256";
    /** Instead of a new key. */
    readonly keys?: CryptoKeyPair;
    readonly mustStaple?: boolean;
    /** Object identifiers of the extended key usage. */
    readonly usage?: readonly string[];
}

/** Makes a certificate with `@peculiar/x509`, which production code does not use for that. */
export async function makeCertificate(commonName: string, options: CertificateOptions = {}): Promise<MadeCertificate> {
    const { issuer, names, authority = false, from = "2026-01-01", to = "2027-01-01", mustStaple, usage } = options;
    const keys = options.keys ?? (await newKeys(options.key));
    const subject = `CN=${commonName}`;
    const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: Buffer.concat([Buffer.from([1]), webcrypto.getRandomValues(Buffer.alloc(8))]).toString("hex"),
        subject,
        issuer: issuer?.subject ?? subject,
        notBefore: new Date(from),
        notAfter: new Date(to),
        publicKey: keys.publicKey,
        signingKey: (issuer?.keys ?? keys).privateKey,
        signingAlgorithm: {
            name: (issuer?.keys ?? keys).privateKey.algorithm.name,
            hash: options.hash ?? "SHA-256",
        } as EcdsaParams,
        extensions: [
            new x509.BasicConstraintsExtension(authority, undefined, true),
            ...(names ? [new x509.SubjectAlternativeNameExtension(names.map(generalName))] : []),
            ...(authority
                ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)]
                : []),
            ...(mustStaple ? [new x509.Extension("1.3.6.1.5.5.7.1.24", false, Buffer.from("3003020105", "hex"))] : []),
            ...(usage ? [new x509.ExtendedKeyUsageExtension([...usage])] : []),
        ],
    });
    return {
        pem: `${certificate.toString("pem").trimEnd()}\n`,
        key: String(KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" })),
        subject,
        keys,
        sha1: Buffer.from(await certificate.getThumbprint("SHA-1")).toString("hex"),
    };
}

async function newKeys(key: keyof typeof algorithms = "ecdsa"): Promise<CryptoKeyPair> {
    return (await webcrypto.subtle.generateKey(algorithms[key], true, ["sign", "verify"])) as CryptoKeyPair;
}

function generalName(name: string): x509.JsonGeneralName {
    return { type: /^[\d.]+$|:/.test(name) ? "ip" : "dns", value: name };
}

/** What a test's revocation list has. */
export interface RevocationOptions {
    readonly from?: string;
    readonly to?: string;
    /** Serial numbers in hexadecimal. */
    readonly revoked?: readonly string[];
    /** Signs with another key than the issuer's. */
    readonly signer?: MadeCertificate;
}

/** Makes the PEM of a revocation list. */
export async function makeRevocationList(issuer: MadeCertificate, options: RevocationOptions = {}): Promise<string> {
    const { from = "2026-05-30", to = "2026-06-29", revoked = [], signer = issuer } = options;
    const { privateKey } = signer.keys;
    const list = await x509.X509CrlGenerator.create({
        issuer: issuer.subject,
        thisUpdate: new Date(from),
        nextUpdate: new Date(to),
        signingKey: privateKey,
        signingAlgorithm: { name: privateKey.algorithm.name, hash: "SHA-256" } as EcdsaParams,
        entries: revoked.map((serialNumber) => ({ serialNumber, revocationDate: new Date(from) })),
    });
    // The library's label is CRL.
    return `${list.toString("pem").trimEnd().replaceAll(" CRL", " X509 CRL")}\n`;
}

import "reflect-metadata";
import { KeyObject, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A certificate with its key. */
interface Made {
    pem: string;
    key: string;
    certificate: x509.X509Certificate;
    keys: CryptoKeyPair;
}

/** A certificate as clients see it. */
export interface Leaf {
    pem: string;
    key: string;
    /** SHA-256 in lower-case hexadecimal. */
    sha256: string;
    /** As in `2027-02-27`. */
    until: string;
}

const day = 86_400_000;
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate authority: a root, which clients trust, and an intermediate, which signs certificates. */
export class Authority {
    private constructor(
        private readonly root: Made,
        private readonly intermediate: Made,
    ) {}

    static async create(name: string): Promise<Authority> {
        const root = await make({ subject: `CN=${name} Root`, days: 3650, authority: true });
        const subject = `CN=${name} Intermediate`;
        return new Authority(root, await make({ subject, days: 1825, authority: true, issuer: root }));
    }

    /** PEM of the root. */
    get trusted(): string {
        return this.root.pem;
    }

    /** PEM of the intermediate. */
    get chain(): string {
        return this.intermediate.pem;
    }

    /** Signs a certificate with a new key. */
    async issue(names: string[], days: number): Promise<Leaf> {
        const { pem, key } = await make({ subject: `CN=${names[0]}`, names, days, issuer: this.intermediate });
        const { fingerprint256, validTo } = new X509Certificate(pem);
        const sha256 = fingerprint256.replaceAll(":", "").toLowerCase();
        return { pem, key, sha256, until: new Date(validTo).toISOString().slice(0, 10) };
    }
}

async function make(made: {
    subject: string;
    days: number;
    names?: string[];
    authority?: boolean;
    issuer?: Made;
}): Promise<Made> {
    const { subject, days, names = [], authority = false, issuer } = made;
    const keys = await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
    const usage = authority ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature;
    const certificate = await x509.X509CertificateGenerator.create({
        subject,
        issuer: issuer?.certificate.subject ?? subject,
        // Clocks may differ.
        notBefore: new Date(Date.now() - day),
        notAfter: new Date(Date.now() + days * day),
        publicKey: keys.publicKey,
        signingKey: (issuer?.keys ?? keys).privateKey,
        signingAlgorithm: ecdsa,
        extensions: [
            new x509.BasicConstraintsExtension(authority, undefined, true),
            new x509.KeyUsagesExtension(usage, true),
            ...(names.length > 0
                ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value })))]
                : []),
        ],
    });
    const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
    return { pem: `${certificate.toString("pem").trimEnd()}\n`, key: String(key), certificate, keys };
}

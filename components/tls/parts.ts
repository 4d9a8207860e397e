import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { SubjectIssues } from "./issues";
import { type PemBlock, readPem, useOf } from "./pem";

/** The texts of a certificate, as sources give them. */
export interface BundleParts {
    readonly pem: string;
    readonly chain?: string;
    readonly key?: string;
    readonly passphrase?: string;
}

/** What the texts of a certificate hold; each thing once. */
export interface ReadParts {
    readonly certificates: readonly X509Certificate[];
    readonly keys: readonly KeyObject[];
    /** Whether everything could be read. If not, it is unknown what is missing. */
    readonly complete: boolean;
}

/** Reads the certificates and keys of all parts, in any order. */
export function readParts({ pem, chain, key, passphrase }: BundleParts, issues: SubjectIssues): ReadParts {
    const certificates = new Map<string, X509Certificate>();
    const keys: KeyObject[] = [];
    let complete = true;
    const fail = (problem: string) => {
        complete = false;
        issues.error("certificate-parts", problem);
    };
    for (const [part, text] of Object.entries({ pem, chain, key })) {
        const { blocks, problems } = readPem(text ?? "");
        for (const problem of problems) {
            fail(`in its ${part}, ${problem}`);
        }
        for (const block of blocks) {
            const use = useOf(block.label);
            const where = `in its ${part}, ${block.title}`;
            if (use === "certificate") {
                const certificate = certificateIn(block);
                if (certificate) certificates.set(certificate.fingerprint256, certificate);
                else fail(`${where} cannot be read as a certificate; give it unchanged`);
            } else if (use === "key") {
                const read = keyIn(block, passphrase);
                if (typeof read === "string") fail(`${where} ${read}`);
                else if (!keys.some((known) => known.equals(read))) keys.push(read);
            } else if (use !== "ignored") {
                fail(`${where} ${use === "revocations" ? "is a revocation list; leave it out" : use.refused}`);
            }
        }
    }
    return { certificates: [...certificates.values()], keys, complete };
}

/** The certificate of a block, or undefined if it cannot be read. */
export function certificateIn({ pem }: PemBlock): X509Certificate | undefined {
    try {
        const certificate = new X509Certificate(pem);
        // Fails if the type of the key is unknown.
        void certificate.publicKey;
        return certificate;
    } catch {
        return undefined;
    }
}

/** The key of a block, or the problem and its remedy. What OpenSSL says is left out, because its words do not help here. */
function keyIn({ label, pem }: PemBlock, passphrase: string | undefined): KeyObject | string {
    const encrypted = label === "ENCRYPTED PRIVATE KEY" || pem.includes("\nDEK-Info:");
    if (encrypted && !passphrase) {
        return "is encrypted; give its `passphrase`";
    }
    // A file that holds a passphrase usually ends with a line break.
    for (const attempt of encrypted ? [passphrase, passphrase?.replace(/\r?\n$/, "")] : [undefined]) {
        try {
            return createPrivateKey({ key: pem, ...(attempt !== undefined && { passphrase: attempt }) });
        } catch (error) {
            if (encrypted && (error as { code?: string }).code === "ERR_OSSL_EVP_UNSUPPORTED") {
                return "has an encryption that OpenSSL 3 lacks; encrypt it again with `openssl pkcs8 -topk8 -v2 aes256`";
            }
        }
    }
    return encrypted
        ? "does not open with its passphrase; give the right one"
        : "cannot be read as a key; give it unchanged";
}

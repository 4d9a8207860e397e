/** A block of PEM, written again as OpenSSL writes it. */
export interface PemBlock {
    /** Such as `CERTIFICATE`; that of OpenSSL if there are several. */
    readonly label: string;
    /** Ends with a line break. */
    readonly pem: string;
    /** What it is called in messages, such as `PEM block 2 (CERTIFICATE)`. */
    readonly title: string;
}

/** The blocks of a text, and what is wrong with it. */
export interface PemText {
    readonly blocks: readonly PemBlock[];
    /** Problem and remedy of each block that cannot be read, without the subject. */
    readonly problems: readonly string[];
}

/**
 * Reads PEM out of any text: with other text around its blocks, with line breaks of Windows, and with none at all, as forms of web pages
 * leave it. `\n` in letters counts as a line break, as it gets into JSON that is quoted twice.
 */
export function readPem(text: string): PemText {
    const plain = text.replace(/\\r|\\n/g, "\n");
    const blocks: PemBlock[] = [];
    const problems: string[] = [];
    let begun: { label: string; from: number; title: string } | undefined;
    let count = 0;
    const incomplete = (title: string) => problems.push(`${title} has no END line; give the whole block`);
    for (const { 0: line, 1: side, 2: label = "", index } of plain.matchAll(
        /-----(BEGIN|END) ([A-Z0-9][A-Z0-9. ]*)-----/g,
    )) {
        if (side === "BEGIN") {
            if (begun) incomplete(begun.title);
            count++;
            begun = { label, from: index + line.length, title: `PEM block ${count} (${label})` };
        } else if (begun?.label === label) {
            const usual = otherLabels[label] ?? label;
            const pem = written(usual, plain.slice(begun.from, index));
            if (pem === undefined) problems.push(`${begun.title} is not base64; give it unchanged`);
            else blocks.push({ label: usual, pem, title: begun.title });
            begun = undefined;
        } else {
            if (begun) incomplete(begun.title);
            else problems.push(`the line END ${label} has no BEGIN line; give the whole block`);
            begun = undefined;
        }
    }
    if (begun) incomplete(begun.title);
    return { blocks, problems };
}

/** Labels of other programs, with those of OpenSSL. */
const otherLabels: Readonly<Record<string, string>> = { "X509 CERTIFICATE": "CERTIFICATE", CRL: "X509 CRL" };

/** The block with lines of 64 characters, or undefined if its body is not base64. */
function written(label: string, body: string): string | undefined {
    // The header of keys in the encryption of old OpenSSL releases.
    const header = /^\s*Proc-Type:\s*4,\s*ENCRYPTED\s+DEK-Info:\s*([\w-]+,\s*[0-9A-Fa-f]+)\s/.exec(body);
    const base64 = body.slice(header?.[0].length ?? 0).replace(/\s/g, "");
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
        return undefined;
    }
    const lines =
        Buffer.from(base64, "base64")
            .toString("base64")
            .match(/.{1,64}/g) ?? [];
    const encryption = header ? ["Proc-Type: 4,ENCRYPTED", `DEK-Info: ${header[1]?.replace(/\s/g, "")}`, ""] : [];
    return [`-----BEGIN ${label}-----`, ...encryption, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** What a block is for. */
export type PemUse = "certificate" | "key" | "revocations" | "ignored" | { readonly refused: string };

const uses: Readonly<Record<string, PemUse>> = {
    CERTIFICATE: "certificate",
    "PRIVATE KEY": "key",
    "ENCRYPTED PRIVATE KEY": "key",
    "RSA PRIVATE KEY": "key",
    "EC PRIVATE KEY": "key",
    "DSA PRIVATE KEY": "key",
    "X509 CRL": "revocations",
    // `openssl ecparam` writes them before a key, which names its curve itself.
    "EC PARAMETERS": "ignored",
    // Old bundles of HAProxy have them. Mozilla's guideline has no cipher left that uses them.
    "DH PARAMETERS": "ignored",
    "X9.42 DH PARAMETERS": "ignored",
    "TRUSTED CERTIFICATE": {
        refused: "is a certificate with OpenSSL's own trust settings; write it with `openssl x509 -in FILE`",
    },
    "CERTIFICATE REQUEST": { refused: "is only a request; give the certificate that was issued for it" },
    "NEW CERTIFICATE REQUEST": { refused: "is only a request; give the certificate that was issued for it" },
    PKCS7: { refused: "is PKCS#7; write its certificates with `openssl pkcs7 -print_certs -in FILE`" },
    "OPENSSH PRIVATE KEY": { refused: "is a key of OpenSSH; write it with `ssh-keygen -p -m PKCS8 -f FILE`" },
    "PUBLIC KEY": { refused: "is a public key; give the private key" },
    "RSA PUBLIC KEY": { refused: "is a public key; give the private key" },
};

/** What a block with this label is for. */
export function useOf(label: string): PemUse {
    return Object.hasOwn(uses, label)
        ? (uses[label] as PemUse)
        : { refused: "is neither a certificate nor a private key; leave it out" };
}

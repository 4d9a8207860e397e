// Judges keys by their binary form, as ssh does. Never says what a key is.

/** The length-prefixed strings that a blob starts with, and what follows them. RFC 4251, section 5. */
function stringsOf(blob: Buffer, most = Number.POSITIVE_INFINITY): { strings: Buffer[]; rest: Buffer } {
    const strings: Buffer[] = [];
    let rest = blob;
    while (strings.length < most && rest.length >= 4 && rest.readUInt32BE() <= rest.length - 4) {
        const end = 4 + rest.readUInt32BE();
        strings.push(rest.subarray(4, end));
        rest = rest.subarray(end);
    }
    return { strings, rest };
}

/** What is wrong with a line of `authorized_keys`; `undefined` if it has a whole public key. Options before the key are sshd's matter. */
export function authorizedKeyIssue(line: string): string | undefined {
    if (line.includes("PRIVATE KEY")) {
        return "expected a public key, and this is a private one; use the file that ends with .pub";
    }
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(line.trim())) {
        return "expected one line without control characters";
    }
    const words = line.trim().split(/[ \t]+/);
    const isKey = words.some((word, n) => {
        const { strings, rest } = stringsOf(Buffer.from(words[n + 1] ?? "", "base64"));
        return strings.length > 1 && rest.length === 0 && strings[0]?.toString() === word;
    });
    return isKey ? undefined : 'expected a whole public key, as in "ssh-ed25519 AAAA… name"';
}

const PEM = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/=\n]+)\n-----END OPENSSH PRIVATE KEY-----\s*$/;

/** What is wrong with a private host key; `undefined` if it is one of ed25519. PROTOCOL.key of OpenSSH. */
export function hostKeyIssue(pem: unknown): string | undefined {
    const body = typeof pem === "string" ? PEM.exec(pem.replaceAll("\r\n", "\n"))?.[1] : undefined;
    const magic = "openssh-key-v1\0";
    const blob = Buffer.from(body ?? "", "base64");
    if (blob.subarray(0, magic.length).toString() !== magic) {
        return "expected a private key in OpenSSH's format; use privateKeyOpenssh of tls.PrivateKey, or ssh-keygen -t ed25519";
    }
    const { strings, rest } = stringsOf(blob.subarray(magic.length), 3);
    if (strings[0]?.toString() !== "none") {
        return "has a passphrase; sshd cannot ask for it";
    }
    // The number of keys comes before the public key.
    const [publicKey = blob] = stringsOf(rest.subarray(4), 1).strings;
    const [type] = stringsOf(publicKey, 1).strings;
    return type?.toString() === "ssh-ed25519" ? undefined : "expected an ed25519 key; use algorithm ED25519";
}

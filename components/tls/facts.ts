import type { X509Certificate } from "node:crypto";
import { asciiName } from "./coverage";
import type { CertificateFacts } from "./types";
import { x509 } from "./x509";

const day = 24 * 60 * 60 * 1000;

/** What is public about a certificate, or undefined if its key is of a type that servers cannot use. */
export function factsOf(certificate: X509Certificate, chain = 0): CertificateFacts | undefined {
    const key = keyOf(certificate);
    return (
        key && {
            subject: nameLine(certificate.subject),
            issuer: nameLine(certificate.issuer),
            names: namesOf(certificate),
            sha256: sha256Of(certificate),
            sha1: hexadecimal(certificate.fingerprint),
            serial: certificate.serialNumber.toLowerCase(),
            notBefore: new Date(certificate.validFrom).toISOString(),
            notAfter: new Date(certificate.validTo).toISOString(),
            ...key,
            selfSigned: isSelfSigned(certificate),
            chain,
            mustStaple: mustStaple(certificate),
        }
    );
}

/** SHA-256 of a certificate, in lower-case hexadecimal. */
function sha256Of(certificate: X509Certificate): string {
    return hexadecimal(certificate.fingerprint256);
}

function hexadecimal(fingerprint: string): string {
    return fingerprint.replaceAll(":", "").toLowerCase();
}

function keyOf({ publicKey }: X509Certificate): Pick<CertificateFacts, "keyType" | "keyBits"> | undefined {
    switch (publicKey.asymmetricKeyType) {
        case "rsa":
        case "rsa-pss":
            return { keyType: "rsa", keyBits: publicKey.asymmetricKeyDetails?.modulusLength ?? 0 };
        case "ec": {
            const bits = curves[publicKey.asymmetricKeyDetails?.namedCurve ?? ""];
            return bits === undefined ? undefined : { keyType: "ecdsa", keyBits: bits };
        }
        case "ed25519":
            return { keyType: "ed25519", keyBits: 256 };
        default:
            return undefined;
    }
}

/** Curves that TLS 1.3 knows, by OpenSSL's name. */
const curves: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

/** A distinguished name on one line. Node writes a line for each part. */
export function nameLine(name: string | undefined): string {
    return (name ?? "").split("\n").join(", ");
}

/** What a certificate is called in messages. */
export function titleOf(certificate: X509Certificate): string {
    return nameLine(certificate.subject) || namesOf(certificate)[0] || `serial number ${certificate.serialNumber}`;
}

/** Names of the extension subjectAltName: DNS names, then IP addresses. */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
    // Node quotes a name that holds a comma or quote: such a name is no host name.
    const entries = [...subjectAltName.matchAll(/(?:^|, )(DNS|IP Address):([^",]+)(?=, |$)/g)];
    const of = (kind: string) => entries.flatMap(([, type, name = ""]) => (type === kind ? [asciiName(name)] : []));
    return [...new Set([...of("DNS"), ...of("IP Address")])];
}

/** Whether a certificate signed itself, whatever its extensions say that it may sign. */
export function isSelfSigned(certificate: X509Certificate): boolean {
    try {
        return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
    } catch {
        return false;
    }
}

/** Whether one certificate signed another: by its name, what it may sign, and the signature. */
export function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
    try {
        return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    } catch {
        // A signature that the issuer's type of key cannot make.
        return false;
    }
}

/** The object identifier of the extension TLS feature (RFC 7633), as it stands in a certificate. */
const tlsFeature = Buffer.from("06082b06010505070118", "hex");

function mustStaple({ raw }: X509Certificate): boolean {
    if (!raw.includes(tlsFeature)) {
        return false;
    }
    const extension = new (x509().X509Certificate)(raw).getExtension("1.3.6.1.5.5.7.1.24");
    // A sequence of integers; status_request is 5, for the leaf alone.
    return extension !== null && Buffer.from(extension.value).includes(Buffer.from("020105", "hex"));
}

/** Whole days until a certificate expires; negative if it has. */
export function daysLeft({ notAfter }: Pick<CertificateFacts, "notAfter">, now: Date): number {
    return daysBetween(now, new Date(notAfter));
}

/** Whole days from one time to another. */
export function daysBetween(from: Date, to: Date): number {
    return Math.floor((to.getTime() - from.getTime()) / day);
}

/** A time in messages: `2026-11-29T00:00:00Z`. */
export function timeText(time: string | Date): string {
    return new Date(time).toISOString().replace(".000Z", "Z");
}

import { factsOf, nameLine, timeText } from "./facts";
import { certificateIn } from "./parts";
import { readPem, useOf } from "./pem";
import type { CertificateFacts } from "./types";
import { x509 } from "./x509";

/**
 * What people check of the certificates and revocation lists of a PEM text, such as a bundle, a line for each thing. Nothing of its keys;
 * whatever cannot be read is only mentioned. For comparing what a host has with what is declared.
 */
export function describePem(pem: string): string[] {
    return readPem(pem).blocks.flatMap((block): string[] => {
        const use = useOf(block.label);
        if (use === "revocations") {
            return describeList(block.pem);
        }
        if (use !== "certificate") {
            return [];
        }
        const certificate = certificateIn(block);
        if (!certificate) {
            return ["certificate  unreadable"];
        }
        const facts = factsOf(certificate);
        return facts ? describeFacts(facts) : [`subject      ${nameLine(certificate.subject)}`];
    });
}

function describeList(pem: string): string[] {
    try {
        const { issuer, entries, thisUpdate, nextUpdate } = new (x509().X509Crl)(pem);
        return [
            `revoked      ${entries.length === 1 ? "1 certificate" : `${entries.length} certificates`} of ${issuer}`,
            `valid from   ${timeText(thisUpdate)}`,
            `valid to     ${nextUpdate === undefined ? "the next list" : timeText(nextUpdate)}`,
        ];
    } catch {
        return ["revoked      unreadable"];
    }
}

function describeFacts({
    subject,
    names,
    issuer,
    sha256,
    notBefore,
    notAfter,
    keyType,
    keyBits,
}: CertificateFacts): string[] {
    return [
        `subject      ${subject}`,
        ...(names.length > 0 ? [`names        ${names.join(", ")}`] : []),
        `issuer       ${issuer}`,
        `fingerprint  ${sha256}`,
        `key          ${keyType} ${keyBits}`,
        `valid from   ${timeText(notBefore)}`,
        `valid to     ${timeText(notAfter)}`,
    ].map((line) => line.trimEnd());
}

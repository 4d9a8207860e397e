import type { KeyObject, X509Certificate } from "node:crypto";
import { isError } from "../haproxy";
import { linkChain } from "./chain";
import { dateIssues } from "./dates";
import { signatureAlgorithm } from "./der";
import { factsOf, isSelfSigned, issued, timeText, titleOf } from "./facts";
import { SubjectIssues, type TlsIssue } from "./issues";
import { type BundleParts, readParts } from "./parts";
import type { Bundle, CertificateFacts } from "./types";

/** What became of the parts of a certificate. */
export interface ReadBundle {
    /** What HAProxy gets. Missing if there is an error. */
    readonly bundle?: Bundle;
    /** What is public about the certificate. Also known despite an error, if it can be read. */
    readonly facts?: CertificateFacts;
    /** Each message begins with `certificate NAME: `; each path is `certificates.NAME`. */
    readonly issues: readonly TlsIssue[];
}

/**
 * Makes one bundle of the parts of a certificate, in the order that HAProxy expects: leaf, intermediates, key. A root is left out, because
 * clients must have it already. Finds all faults of the parts, but not whether the certificate suits the hosts that it is for, nor
 * whether it expires soon: see `certificateIssues`.
 *
 * @param name of the certificate, as messages call it
 * @param roots certificates in which the chain must end, see `readRoots`. Without them, it is unknown whether an intermediate is missing
 */
export function readBundle(
    name: string,
    parts: BundleParts,
    now: Date,
    roots?: readonly X509Certificate[],
): ReadBundle {
    const issues = new SubjectIssues(`certificate ${name}`, `certificates.${name}`);
    const { certificates, keys, complete } = readParts(parts, issues);
    const key = keyOf(keys, complete, issues);
    const leaf = leafOf(certificates, key, complete, issues);
    if (!leaf) {
        return { issues: issues.issues };
    }
    const chain = linkChain(leaf, certificates, roots, issues);
    const facts = factsOf(leaf, chain.length);
    for (const certificate of [leaf, ...chain]) {
        const subject = certificate === leaf ? "it" : `its intermediate ${titleOf(certificate)}`;
        dateIssues(certificate, subject, now, "certificate-dates", issues);
        strengthIssues(certificate, subject, issues);
    }
    keyIssues(leaf, facts, issues);
    useIssues(leaf, facts, issues);
    if (!facts || !key || issues.issues.some(isError)) {
        return { ...(facts && { facts }), issues: issues.issues };
    }
    const pem = [...[leaf, ...chain].map(String), key.export({ type: "pkcs8", format: "pem" })];
    return {
        bundle: { pem: pem.map((part) => `${String(part).trimEnd()}\n`).join(""), facts },
        facts,
        issues: issues.issues,
    };
}

function keyOf(keys: readonly KeyObject[], complete: boolean, issues: SubjectIssues): KeyObject | undefined {
    if (keys.length > 1) {
        issues.error("certificate-parts", `it has ${keys.length} different private keys; give only its own`);
    } else if (keys.length === 0 && complete) {
        issues.error("certificate-parts", "it has no private key; give it as `key`, or in the PEM of the certificate");
    }
    return keys.length === 1 ? keys[0] : undefined;
}

/** The certificate that the others and the key are for. */
function leafOf(
    certificates: readonly X509Certificate[],
    key: KeyObject | undefined,
    complete: boolean,
    issues: SubjectIssues,
): X509Certificate | undefined {
    if (certificates.length === 0) {
        if (complete) {
            issues.error("certificate-parts", "it has no certificate; give it in PEM, from BEGIN CERTIFICATE on");
        }
        return undefined;
    }
    const signsAnother = (certificate: X509Certificate) =>
        certificates.some((other) => other !== certificate && issued(certificate, other));
    const ends = certificates.filter((certificate) => !certificate.ca && !signsAnother(certificate));
    // Development certificates are often authorities, because `openssl req -x509` makes them so.
    const possible = ends.length > 0 ? ends : certificates.filter((certificate) => !signsAnother(certificate));
    const owners = key ? certificates.filter((certificate) => certificate.checkPrivateKey(key)) : [];
    if (ends.length > 1) {
        const each = ends.map((end) => `${titleOf(end)}, valid to ${timeText(end.validTo)}`).join("; ");
        issues.error("certificate-parts", `it has ${ends.length} certificates of servers (${each}); give only one`);
    } else if (key && !possible.some((certificate) => owners.includes(certificate))) {
        const whose = owners[0] ? `to the authority ${titleOf(owners[0])}` : "to another certificate";
        issues.error("certificate-parts", `its key belongs ${whose}; give the key that was made with it`);
    }
    return (
        possible.find((certificate) => owners.includes(certificate)) ??
        (possible.length === 1 ? possible[0] : undefined)
    );
}

/** SHA-1 with RSA and with ECDSA, and MD5 with RSA. */
const weakSignatures = ["2a864886f70d010105", "2a8648ce3d0401", "2a864886f70d010104"];

/** The intermediates must be as strong as the leaf. */
function strengthIssues(certificate: X509Certificate, subject: string, issues: SubjectIssues): void {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    if (asymmetricKeyType?.startsWith("rsa") && bits < 2048) {
        issues.error("certificate-key", `${subject} has an RSA key of ${bits} bits; use 2048 or more, or ECDSA P-256`);
    }
    // Clients do not check the signature of what they trust.
    if (weakSignatures.includes(signatureAlgorithm(certificate.raw)) && !isSelfSigned(certificate)) {
        issues.warning(
            "weak-signature",
            `${subject} is signed with SHA-1 or MD5, so browsers refuse it; have it issued again`,
        );
    }
}

function keyIssues(leaf: X509Certificate, facts: CertificateFacts | undefined, issues: SubjectIssues): void {
    const { asymmetricKeyType: type = "unknown", asymmetricKeyDetails } = leaf.publicKey;
    const remedy = "use ECDSA P-256 or RSA 2048";
    if (!facts) {
        const kind = asymmetricKeyDetails?.namedCurve ?? type;
        issues.error("certificate-key", `its key is of type ${kind}, which browsers refuse; ${remedy}`);
    } else if (type === "ed25519" || type === "rsa-pss" || facts.keyBits === 521) {
        const kind = type === "ed25519" ? "Ed25519" : type === "rsa-pss" ? "RSA-PSS" : "ECDSA P-521";
        issues.warning("unusual-key", `its key is ${kind}, which some browsers refuse; ${remedy}`);
    }
}

const serverAuth = "1.3.6.1.5.5.7.3.1";

function useIssues(leaf: X509Certificate, facts: CertificateFacts | undefined, issues: SubjectIssues): void {
    if (facts?.mustStaple) {
        issues.error(
            "must-staple",
            "it demands a stapled OCSP response (must-staple), which HAProxy does not have; have it issued without",
        );
    }
    if (facts?.names.length === 0) {
        issues.warning(
            "certificate-use",
            "it has no subject alternative names, and browsers ignore its common name; have it issued with them",
        );
    }
    // In Node, keyUsage has the extended key usage.
    if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(serverAuth)) {
        issues.warning("certificate-use", "it is not made for servers (TLS Web Server Authentication); use another");
    }
    if (leaf.ca && !isSelfSigned(leaf)) {
        issues.warning("certificate-use", "it is an authority's, which some browsers refuse; use one for servers");
    }
}

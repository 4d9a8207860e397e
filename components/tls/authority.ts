import type { X509Certificate } from "node:crypto";
import { isError } from "../haproxy";
import { dateIssues } from "./dates";
import { isSelfSigned, issued, nameLine, titleOf } from "./facts";
import { SubjectIssues, type TlsIssue } from "./issues";
import { readRevocations } from "./revocations";
import { readCertificates } from "./roots";

/** The texts of an authority, as sources give them. */
export interface AuthorityParts {
    /** PEM of one or more certificates of authorities. */
    readonly pem: string;
    /** PEM of their revocation lists. */
    readonly revocations?: string;
}

/** Authorities whose clients are let in, as HAProxy reads them. */
export interface Authority {
    /** For `ca-file`: each certificate once. */
    readonly pem: string;
    /** For `crl-file`: the newest list of each authority. */
    readonly revocations?: string;
}

/** What became of the parts of an authority. */
export interface ReadAuthority {
    /** Missing if there is an error. */
    readonly authority?: Authority;
    /** Each message begins with `authority NAME: `; each path is `authorities.NAME`. */
    readonly issues: readonly TlsIssue[];
}

/**
 * Reads the authorities of clients, and their revocation lists. An error is what would let HAProxy start, but refuse clients: an authority
 * that has expired or whose own issuer is missing, and a revocation list that is missing, forged, not yet valid or expired.
 *
 * @param name of the authority, as messages call it
 */
export function readAuthority(name: string, parts: AuthorityParts, now: Date): ReadAuthority {
    const issues = new SubjectIssues(`authority ${name}`, `authorities.${name}`);
    const certificates = readCertificates(parts.pem, "authority", issues);
    for (const certificate of certificates) {
        certificateIssues(certificate, certificates, issues);
        dateIssues(certificate, `its certificate ${titleOf(certificate)}`, now, "authority", issues);
    }
    if (parts.revocations === undefined) {
        widthIssues(certificates, issues);
    }
    const lists = parts.revocations === undefined ? [] : readRevocations(parts.revocations, certificates, now, issues);
    if (issues.issues.some(isError)) {
        return { issues: issues.issues };
    }
    return {
        authority: {
            pem: certificates.map((certificate) => `${String(certificate).trimEnd()}\n`).join(""),
            ...(parts.revocations !== undefined && { revocations: lists.map(({ pem }) => pem).join("") }),
        },
        issues: issues.issues,
    };
}

/**
 * HAProxy needs the root of an intermediate, and then trusts all that the root has signed. Only lists restrict that, since it refuses
 * clients of an authority without one.
 */
function widthIssues(all: readonly X509Certificate[], issues: SubjectIssues): void {
    for (const root of all.filter(isSelfSigned)) {
        const signed = all.filter((other) => other !== root && other.ca && issued(root, other));
        if (signed.length > 0) {
            const [title, others] = [titleOf(root), signed.map(titleOf).join("; ")];
            issues.warning(
                "wide-authority",
                `clients of every authority that ${title} has signed get in, not only those of ${others}; ` +
                    "give `revocations` of all of them, or have servers look at the issuer",
            );
        }
    }
}

function certificateIssues(certificate: X509Certificate, all: readonly X509Certificate[], issues: SubjectIssues): void {
    // The certificate of a client that signed itself may stand for that client alone.
    if (isSelfSigned(certificate)) {
        return;
    }
    if (!certificate.ca) {
        const problem = `${titleOf(certificate)} is no authority, so no client would get in; give the certificate of its issuer`;
        issues.error("authority", problem);
    } else if (!all.some((other) => issued(other, certificate))) {
        const issuer = nameLine(certificate.issuer);
        issues.error(
            "authority",
            `${issuer}, which issued ${titleOf(certificate)}, is missing, so HAProxy would refuse every client; add it`,
        );
    }
}

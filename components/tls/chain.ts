import type { X509Certificate } from "node:crypto";
import { isSelfSigned, issued, nameLine, titleOf } from "./facts";
import type { SubjectIssues } from "./issues";

/**
 * The intermediates of a leaf, in order, without the root.
 *
 * @param roots if given, the chain must end in one of them
 */
export function linkChain(
    leaf: X509Certificate,
    certificates: readonly X509Certificate[],
    roots: readonly X509Certificate[] | undefined,
    issues: SubjectIssues,
): X509Certificate[] {
    const rest = new Set(certificates);
    rest.delete(leaf);
    const chain: X509Certificate[] = [];
    let last = leaf;
    let end: X509Certificate | undefined = isSelfSigned(leaf) ? leaf : undefined;
    while (!end) {
        const issuers = [...rest].filter((certificate) => issued(certificate, last));
        // A cross-signed certificate serves clients, too, that do not have the root itself yet.
        const next = issuers.find((certificate) => !isSelfSigned(certificate));
        if (!next) {
            [end] = issuers;
            break;
        }
        rest.delete(next);
        chain.push(next);
        last = next;
    }
    if (roots) {
        rootIssues(last, end, roots, issues);
    } else if (!end && [...rest].some((certificate) => !isSelfSigned(certificate)) && chain.length === 0) {
        issues.error("certificate-chain", `${noIssuer(last, [...rest])}; give the certificate of ${issuerOf(last)}`);
    } else if (!end && chain.length === 0) {
        issues.warning(
            "incomplete-chain",
            `it has no intermediates, so clients that do not know ${issuerOf(leaf)} refuse it; give its \`chain\``,
        );
    }
    return chain;
}

function rootIssues(
    last: X509Certificate,
    end: X509Certificate | undefined,
    roots: readonly X509Certificate[],
    issues: SubjectIssues,
): void {
    const isRoot = (certificate: X509Certificate) =>
        roots.some((root) => root.fingerprint256 === certificate.fingerprint256);
    if (isRoot(last) || (end && isRoot(end)) || roots.some((root) => issued(root, last))) {
        return;
    }
    const problem = end
        ? `its chain ends in ${titleOf(end)}, which is none of the roots; give the chain to one of them, or add that root`
        : `neither its chain nor the roots have ${issuerOf(last)}, which issued ${titleOf(last)}; give the certificate of that`;
    issues.error("certificate-chain", problem);
}

function noIssuer(certificate: X509Certificate, others: readonly X509Certificate[]): string {
    const titles = others.map(titleOf).join("; ");
    return `its chain does not link up: ${issuerOf(certificate)} issued it, but the chain has only ${titles}`;
}

function issuerOf({ issuer }: X509Certificate): string {
    return nameLine(issuer);
}

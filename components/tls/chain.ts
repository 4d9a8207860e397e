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
        // A cross-signed certificate serves clients, too, that do not have the root itself yet; a renewed one replaces its predecessor.
        const [next] = issuers.filter((certificate) => !isSelfSigned(certificate)).sort(latestFirst);
        if (!next) {
            [end] = issuers;
            break;
        }
        rest.delete(next);
        chain.push(next);
        last = next;
    }
    const linked = [leaf, ...chain];
    const strangers = [...rest].filter(
        (other) => other.ca && !isSelfSigned(other) && !linked.some((certificate) => issued(other, certificate)),
    );
    if (roots) {
        rootIssues(linked, end, roots, issues);
    } else if (!end && strangers.length > 0) {
        const problem = `${issuerOf(last)} issued ${last === leaf ? "it" : titleOf(last)}, but`;
        const others = `${strangers.map(titleOf).join("; ")}, which issued none of it`;
        if (last === leaf) {
            issues.error(
                "certificate-chain",
                `its chain does not link up: ${problem} the chain has only ${others}; give the certificate of ${issuerOf(last)}`,
            );
        } else {
            // That issuer may be a root.
            issues.warning(
                "incomplete-chain",
                `its chain may lack a certificate: ${problem} the chain goes on with ${others}; give that of ${issuerOf(last)}, or leave the others out`,
            );
        }
    } else if (!end && chain.length === 0) {
        issues.warning(
            "incomplete-chain",
            `it has no intermediates, so clients that do not know ${issuerOf(leaf)} refuse it; give its \`chain\``,
        );
    }
    return chain;
}

function rootIssues(
    linked: readonly X509Certificate[],
    end: X509Certificate | undefined,
    roots: readonly X509Certificate[],
    issues: SubjectIssues,
): void {
    const isRoot = (certificate: X509Certificate) =>
        roots.some((root) => root.fingerprint256 === certificate.fingerprint256);
    // A chain may go on beyond a root, to one that older clients have.
    if ([...linked, ...(end ? [end] : [])].some((one) => isRoot(one) || roots.some((root) => issued(root, one)))) {
        return;
    }
    const last = linked.at(-1) as X509Certificate;
    const problem = end
        ? `its chain ends in ${titleOf(end)}, which is none of the roots; give the chain to one of them, or add that root`
        : `neither its chain nor the roots have ${issuerOf(last)}, which issued ${titleOf(last)}; give the certificate of that`;
    issues.error("certificate-chain", problem);
}

function latestFirst(a: X509Certificate, b: X509Certificate): number {
    return Date.parse(b.validTo) - Date.parse(a.validTo);
}

function issuerOf({ issuer }: X509Certificate): string {
    return nameLine(issuer);
}

import type { X509Certificate } from "node:crypto";
import { SubjectIssues, type TlsIssue } from "./issues";
import { certificateIn } from "./parts";
import { readPem, useOf } from "./pem";

/** Certificates in which chains must end. */
export interface ReadRoots {
    readonly roots: readonly X509Certificate[];
    readonly issues: readonly TlsIssue[];
}

/** Reads the certificates of `roots`. Their dates are not judged: bundles of systems have expired ones, too. */
export function readRoots(pem: string): ReadRoots {
    const issues = new SubjectIssues("roots", "roots");
    const roots = readCertificates(pem, "certificate-chain", issues);
    return { roots, issues: issues.issues };
}

/** The certificates of a text that has nothing else, each once. */
export function readCertificates(
    pem: string,
    rule: "authority" | "certificate-chain",
    issues: SubjectIssues,
): X509Certificate[] {
    const { blocks, problems } = readPem(pem);
    const found = new Map<string, X509Certificate>();
    let complete = true;
    const fail = (problem: string) => {
        complete = false;
        issues.error(rule, problem);
    };
    problems.forEach(fail);
    for (const block of blocks) {
        const use = useOf(block.label);
        const certificate = use === "certificate" ? certificateIn(block) : undefined;
        if (certificate) {
            found.set(certificate.fingerprint256, certificate);
        } else if (use === "certificate") {
            fail(`${block.title} cannot be read as a certificate; give it unchanged`);
        } else if (use === "key") {
            fail(`${block.title} is a private key, which does not belong here; leave it out`);
        } else if (use !== "ignored") {
            fail(`${block.title} ${use === "revocations" ? "is a revocation list; give it apart" : use.refused}`);
        }
    }
    if (found.size === 0 && complete) {
        issues.error(rule, "no certificate; give them in PEM, from BEGIN CERTIFICATE on");
    }
    return [...found.values()];
}

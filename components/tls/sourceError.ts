import { SubjectIssues, type TlsIssue } from "./issues";

/** A source that cannot be read. The message is without the subject, and quotes nothing secret. */
export class SourceError extends Error {}

/**
 * The issue of a certificate whose source cannot be read.
 *
 * @param name of the certificate
 * @throws whatever is no `SourceError`
 */
export function sourceIssue(name: string, error: unknown): TlsIssue {
    if (!(error instanceof SourceError)) {
        throw error;
    }
    const issues = new SubjectIssues(`certificate ${name}`, `certificates.${name}`);
    issues.error("certificate-source", error.message);
    return issues.issues[0] as TlsIssue;
}

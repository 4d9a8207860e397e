import { SubjectIssues, type TlsIssue } from "./issues";

/** A source that cannot be read. The message is without the subject, as `its key is missing; give it`, and quotes nothing secret. */
export class SourceError extends Error {}

/** The issue of a certificate whose source cannot be read: the problem is the message of a `SourceError`. */
export function sourceIssue(name: string, problem: string): TlsIssue {
    const issues = new SubjectIssues(`certificate ${name}`, `certificates.${name}`);
    issues.error("certificate-source", problem);
    return issues.issues[0] as TlsIssue;
}

import { type Issue, IssueList } from "../haproxy";

/** A problem of a certificate or authority. */
export type TlsIssue = Issue;

/** Collects the issues of one certificate or authority. Problems are without the subject, as `its key is missing; give it`. */
export class SubjectIssues {
    private readonly list = new IssueList();

    /**
     * @param subject such as `certificate shop`, with which each message begins
     * @param path such as `certificates.shop`
     */
    constructor(
        private readonly subject: string,
        private readonly path: string,
    ) {}

    get issues(): readonly TlsIssue[] {
        return this.list.issues;
    }

    error(rule: Parameters<IssueList["error"]>[0], problem: string): void {
        this.list.error(rule, this.path, `${this.subject}: ${problem}`);
    }

    warning(rule: Parameters<IssueList["warning"]>[0], problem: string): void {
        this.list.warning(rule, this.path, `${this.subject}: ${problem}`);
    }
}

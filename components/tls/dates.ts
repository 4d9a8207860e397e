import type { X509Certificate } from "node:crypto";
import { daysBetween, timeText } from "./facts";
import type { SubjectIssues } from "./issues";

/** How many days certificates of `@pulumi/tls` are valid unless a stack says otherwise. */
export const usualDays = { authority: 3650, certificate: 90 };

/** Reports a certificate that is not valid now. */
export function dateIssues(
    certificate: X509Certificate,
    subject: string,
    now: Date,
    rule: "authority" | "certificate-dates",
    issues: SubjectIssues,
): void {
    const from = new Date(certificate.validFrom);
    const to = new Date(certificate.validTo);
    if (to <= now) {
        const days = daysBetween(to, now);
        const ago = days > 0 ? `, ${days === 1 ? "1 day" : `${days} days`} ago` : "";
        issues.error(rule, `${subject} expired on ${timeText(to)}${ago}; give a new one`);
    } else if (from > now) {
        issues.error(rule, `${subject} is not valid before ${timeText(from)}; wait, or give one that is valid now`);
    }
}

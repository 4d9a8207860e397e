import { daysLeft } from "../../../components/tls";
import { counted, Phrase, phrase, strong } from "../markdown";
import type { StackReview } from "../types";
import type { Block } from "./fit";

/** Days before its end in which a certificate is worth a word. */
const SOON = 30;

/** Certificates that have expired, and those that will within 30 days. The first to end come first. */
export function certificateBlocks(
    { rendering, previewed }: StackReview,
    now: number,
): { expired: Block[]; soon: Block[] } {
    // A preview has the secrets, so it knows more of them.
    const all = (previewed?.certificates ?? rendering.findings)
        .flatMap((finding) =>
            finding.kind !== "certificates"
                ? []
                : Object.entries(finding.ends).map(([name, text]) => {
                      const end = Date.parse(text ?? "");
                      const days = daysLeft({ notAfter: text ?? "" }, new Date(now));
                      return { name, component: finding.component, end, days, hasEnded: end <= now };
                  }),
        )
        .filter(({ end, days }) => !Number.isNaN(end) && days <= SOON)
        .sort((a, b) => a.end - b.end || (a.name < b.name ? -1 : 1));
    const line = ({ name, component, end, days, hasEnded }: (typeof all)[number]) => {
        const date = new Date(end).toISOString().slice(0, 10);
        const left = hasEnded ? phrase`expired` : phrase`expires in ${counted(days, "day")}`;
        return phrase`- ${name} of ${component} ${left}, on ${new Phrase(date, date)}`.markdown;
    };
    const [expired, soon] = [all.filter(({ hasEnded }) => hasEnded), all.filter(({ hasEnded }) => !hasEnded)];
    return {
        expired: block(expired.map(line), phrase`❌ ${counted(expired.length, "certificate")} expired:`),
        soon: block(soon.map(line), phrase`⚠️ ${counted(soon.length, "certificate")} to renew within ${SOON} days:`),
    };
}

function block(lines: string[], title: Phrase): Block[] {
    return lines.length === 0 ? [] : [{ isVital: true, title: strong(title), lines }];
}

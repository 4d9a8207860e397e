/** What a preview found on a host, for programs. */
import type { HostFinding } from "../findings";
import { hideValues } from "../secrets";
import { printable } from "../text";
import type { Report } from "./previewReport";

/**
 * The finding about a host that has answered.
 *
 * @param slots with encodings, so that secrets in its warnings are hidden
 * @param warnings what is amiss besides, a text each
 */
export function answeredFinding(
    host: string,
    report: Report,
    warnings: readonly string[],
    slots: Record<string, string>,
): HostFinding {
    const { severity, refusal, ...found } = report;
    return {
        kind: "host",
        host,
        outcome: OUTCOMES[severity],
        ...found,
        reason: refusal,
        warnings: warnings.map((text) => linesOf(hideValues(text, slots)).join("\n")),
    };
}

const OUTCOMES = { none: "unchanged", info: "differs", warning: "differs", refusal: "refused" } as const;

/**
 * The finding about a host that was not asked, or has not answered.
 *
 * @param reason the message about it; the host's name in front of it is left out
 */
export function unaskedFinding(host: string, outcome: "unasked" | "later" | "failed", reason = ""): HostFinding {
    const name = `${host}: `;
    const problem = reason.startsWith(name) ? reason.slice(name.length) : reason;
    return {
        kind: "host",
        host,
        outcome,
        drift: false,
        declared: false,
        effect: "",
        summary: "",
        differences: [],
        reason: problem === "" ? [] : linesOf(problem),
        warnings: [],
    };
}

function linesOf(text: string): string[] {
    return text.split("\n").map(printable);
}

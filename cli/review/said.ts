import type { HostFinding } from "../../components/convergence/findings";
import {
    differenceText,
    hostNames,
    issuesText,
    refusalText,
    unaskedText,
} from "../../components/convergence/preview/previewReport";

/**
 * Whether the findings of hosts say all that a message of their preview says. Hosts with equal messages share one, which begins with
 * their names.
 *
 * @param message without its severity
 */
export function isSaidBy(hosts: readonly HostFinding[], message: string): boolean {
    const named = namedIn(message, hosts);
    const texts = named.length > 0 ? textsOf(named) : hosts.map(({ reason }) => reason.join("\n"));
    return texts.some((text) => words(text) === words(message));
}

/** All texts that a preview shows about hosts with equal findings. */
function textsOf(hosts: readonly HostFinding[]): string[] {
    const [{ reason, warnings } = { reason: [], warnings: [] }] = hosts;
    const about = hosts.map((finding) => ({
        ...finding,
        severity: "warning" as const,
        differences: [...finding.differences],
        refusal: [...finding.reason],
        issues: finding.reason,
        message: reason.join("\n"),
    }));
    return [
        differenceText(about),
        refusalText(about),
        issuesText(about),
        ...[true, false].map((mayBeAway) => unaskedText(about.map((one) => ({ ...one, mayBeAway })))),
        ...warnings.map((text) => `${hostNames(about)}: ${text}`),
    ];
}

/** The hosts with whose names a message begins, as in `lb1, lb2 differ`. */
function namedIn(message: string, hosts: readonly HostFinding[]): HostFinding[] {
    const longestFirst = [...hosts].sort((a, b) => b.host.length - a.host.length);
    const named: HostFinding[] = [];
    let rest = message;
    for (;;) {
        const next = longestFirst.find(
            ({ host }) => rest.startsWith(host) && /^(, |: | )/.test(rest.slice(host.length)),
        );
        if (next === undefined) {
            return named;
        }
        named.push(next);
        rest = rest.slice(next.host.length);
        if (!rest.startsWith(", ")) {
            return named;
        }
        rest = rest.slice(2);
    }
}

/** The engine and the lines of findings have other white space, and the engine takes out what looks like its own marks of colours. */
function words(text: string): string {
    return text
        .replace(/<\{%.*?%\}>/g, "")
        .replace(/\s+/g, " ")
        .trim();
}

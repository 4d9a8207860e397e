/** Summaries of files for people, in place of lines that are secret or say nothing. */
import type { DeclaredFile } from "./kinds/kind";
import { sha256 } from "./sha256";
import { DIGEST_SLOT, fillSlots, showSlots, slotsIn } from "./slots";
import { unique } from "./text";

type Summary = NonNullable<DeclaredFile["summary"]>;

/** The latest summaries by the digest of their content: hosts of a fleet have the same, and reading a certificate takes a millisecond. */
const latest = new WeakMap<Summary, Map<string, string[]>>();
const MOST_KEPT = 2000;

/** The summary of a content; a line that says so if there is none. */
export function summaryOf(content: string, summary: Summary): string[] {
    const kept = latest.get(summary) ?? new Map<string, string[]>();
    latest.set(summary, kept);
    const key = sha256(content);
    const lines = kept.get(key) ?? readBy(summary, content);
    if (kept.size >= MOST_KEPT) {
        kept.delete(kept.keys().next().value as string);
    }
    kept.set(key, lines);
    return lines;
}

function readBy(summary: Summary, content: string): string[] {
    let lines: string[] = [];
    try {
        lines = summary(content);
    } catch {
        // What it cannot read may be anything, and its error may quote it.
    }
    return lines.length > 0 ? lines : ["(cannot be read)"];
}

/**
 * The summary of a declared content. If the value of a slot is not there, names the slot instead.
 *
 * @param slots with encodings, see `encodedSlots`
 * @param unknown names of slots whose values only an up knows
 */
export function declaredSummary(
    content: string,
    summary: Summary,
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): string[] {
    const missing = slotsIn(content).filter((name) => slots[name] === undefined && name !== DIGEST_SLOT);
    return missing.length > 0
        ? unique(missing.map((name) => showSlots(`\0slot:${name}\0`, unknown)))
        : summaryOf(
              fillSlots(content, (name) => slots[name] ?? ""),
              summary,
          );
}

/** What identifies secrets in texts: their parts, and the text before them. */
import { secretSlots, slotParts } from "./slots";

/** Shorter values are not searched for in texts, because they occur everywhere. */
const SHORTEST_VALUE = 3;

/** The parts of values to search for in texts, with the slot's name; the longest first, because one may contain another. */
export function secretParts(slots: Record<string, string>): { name: string; part: string }[] {
    return Object.entries(slots)
        .flatMap(([name, value]) => [value, ...value.split("\n")].map((part) => ({ name: slotParts(name).name, part })))
        .filter(({ part }) => part.trim().length >= SHORTEST_VALUE)
        .sort((a, b) => b.part.length - a.part.length);
}

/**
 * The text before the first secret of each line, which identifies the line whatever the secret is. Empty if a secret begins
 * a line or has several lines, because nothing then marks the line.
 *
 * @param open names of slots that do not count, because they hold no secrets
 */
export function secretLines(text: string, slots: Record<string, string>, open: readonly string[] = []): string[] {
    const lines = text
        .split("\n")
        .filter((line) => secretSlots(line).some((name) => !open.includes(slotParts(name).name)));
    const prefixes = lines.map((line) =>
        secretSlots(line).some((name) => slots[name]?.includes("\n")) ? "" : (line.split("\0")[0] ?? "").trim(),
    );
    return [...new Set(prefixes)];
}

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** Writes control characters as `\x1b`, so that no name and no host can move the cursor or break a line. */
export function printable(text: string): string {
    return text.replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** The text as a part of a regular expression that matches it literally. */
export function escapeRegExp(text: string): string {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** `1 resource`, `2 resources`. */
export function count(n: number, noun: string): string {
    return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** Each value once, in order of first appearance. */
export function unique<T>(values: readonly T[]): T[] {
    return [...new Set(values)];
}

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

/** A whole number of seconds as people say it: `30 s`, `1 min 52 s`, `24 h`. */
export function duration(seconds: number): string {
    const parts = [
        [Math.floor(seconds / 3600), "h"],
        [Math.floor(seconds / 60) % 60, "min"],
        [seconds % 60, "s"],
    ] as const;
    const said = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`);
    return said.length === 0 ? "0 s" : said.join(" ");
}

/** Each value once, in order of first appearance. */
export function unique<T>(values: readonly T[]): T[] {
    return [...new Set(values)];
}

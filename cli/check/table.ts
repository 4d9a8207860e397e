import type { Outcome } from "./check";

/** More names are not listed: the first ones say which hosts these are. */
const MOST_NAMES = 4;

/**
 * The lines of one stack: a row for each group of hosts, details below it.
 *
 * @param width characters of the longest name of a stack
 */
export function rows(stack: string, outcomes: readonly Outcome[], width: number): string[] {
    const names = outcomes.map(({ hosts }) => listedHosts(hosts));
    const widest = Math.max(...names.map((text) => text.length));
    const longest = Math.max(...outcomes.map(({ result }) => result.length), "accepted".length);
    return outcomes.flatMap(({ result, remark, details }, n) => {
        const cells = [stack.padEnd(width), (names[n] ?? "").padEnd(widest), result.padEnd(longest), remark];
        const row = cells
            .filter((cell) => cell !== "")
            .join("  ")
            .trimEnd();
        return [row, ...details.map((line) => `    ${line}`.trimEnd())];
    });
}

function listedHosts(names: readonly string[]): string {
    const [first = "", ...others] = names;
    return names.length > MOST_NAMES ? `${first} and ${others.length} others` : names.join(", ");
}

import { fillSlots, secretSlots, showSlots, slotParts } from "../slots";

/** Shown in the place of something that is or may be secret. */
const HIDDEN = "‹hidden›";

/**
 * What a configuration file usually has before a secret, whoever wrote it there: a word, or the user in a URL. A live file may have
 * anything in it, so none takes time that grows with the square of a line.
 */
const TELLTALES = [
    /((?:password|passwd|passphrase|pwd|auth_pass|auth|authorization|bearer|credential|secret|token|api[_-]?key|private[_-]?key)s?)\b(["']?(?:\s*[:=]\s*|\s+))\S.*$/i,
    /(:\/\/[^\s/:@]*)(:)[^\s@]{1,1000}@.*$/,
];

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Shorter values are not looked for in texts: they are everywhere. */
const SHORTEST_VALUE = 3;

/** What to look for in texts that may quote a secret, with the slot's name. The longest first: a value may hold another. */
export function secretParts(slots: Record<string, string>): { name: string; part: string }[] {
    return Object.entries(slots)
        .flatMap(([name, value]) => [value, ...value.split("\n")].map((part) => ({ name: slotParts(name).name, part })))
        .filter(({ part }) => part.trim().length >= SHORTEST_VALUE)
        .sort((a, b) => b.part.length - a.part.length);
}

/**
 * Hides the values of slots in any text from a host, such as a daemon's own words.
 *
 * @param slots the values by name; each line of a value of several counts as one; values of less than 3 characters are not found
 */
export function hideValues(text: string, slots: Record<string, string>): string {
    return secretParts(slots).reduce((hidden, { name, part }) => hidden.replaceAll(part, `‹${name}›`), text);
}

/**
 * What precedes the first secret in each line of a text that has one: by it, a line is known whatever the secret is. Empty for a
 * secret that begins a line or has several lines, since no beginning of a line tells it from the rest.
 */
export function secretLines(text: string, slots: Record<string, string>): string[] {
    const lines = text.split("\n").filter((line) => secretSlots(line).length > 0);
    const prefixes = lines.map((line) =>
        secretSlots(line).some((name) => slots[name]?.includes("\n")) ? "" : (line.split("\0")[0] ?? "").trim(),
    );
    return [...new Set(prefixes)];
}

/**
 * A live file as people may see it. Lines that are as declared are shown as declared, slots by name. In all others the values of
 * slots are hidden, and whatever stands where a secret stands in the declared text, stood in an earlier one, or follows a
 * word such as `password` or a user in a URL.
 *
 * @param remembered what preceded secrets in earlier declared texts, from `secretLines`
 * @returns undefined if nothing of the file can be shown: whole lines of it are or were secret
 */
export function redactLive(
    live: string,
    declared: string,
    remembered: string[],
    slots: Record<string, string>,
): string | undefined {
    const known = [...secretLines(declared, slots), ...remembered];
    if (known.includes("") || PRIVATE_KEY.test(live)) {
        return undefined;
    }
    const shown = new Map(
        declared.split("\n").map((line) => [fillSlots(line, (name) => slots[name] ?? `‹${name}›`), showSlots(line)]),
    );
    const places = [...TELLTALES, ...known.map(afterPrefix)];
    return live
        .split("\n")
        .map((line) => shown.get(line) ?? places.reduce(hideAfter, hideValues(line, slots)))
        .join("\n");
}

/** The prefix with any blanks in the place of its own, and what follows it. */
function afterPrefix(prefix: string): RegExp {
    const words = prefix.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`(${words.join("\\s+")})(\\s*)\\S.*$`);
}

function hideAfter(line: string, pattern: RegExp): string {
    return line.replace(pattern, `$1$2${HIDDEN}`);
}

import { hideValues, secretLines } from "../secrets";
import { fillSlots, showSlots } from "../slots";
import { escapeRegExp } from "../text";

/** Replaces text that is or may be secret. */
const HIDDEN = "‹hidden›";

/**
 * What usually precedes a secret in a configuration file: a word, or the user in a URL. A live file may hold anything, so no pattern
 * may take time that grows with the square of a line's length.
 */
const TELLTALES = [
    /((?:password|passwd|passphrase|pwd|auth_pass|auth|authorization|bearer|credential|secret|token|api[_-]?key|private[_-]?key)s?)\b(["']?(?:\s*[:=]\s*|\s+))\S.*$/i,
    /(:\/\/[^\s/:@]*)(:)[^\s@]{1,1000}@.*$/,
];

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * Redacts a live file for people. Lines that are as declared show their slots by name. In all others it hides the values of slots,
 * what follows a text that precedes a secret now or did so in an earlier converge, and what follows a word such as `password` or the
 * user in a URL.
 *
 * @param remembered texts that preceded secrets in earlier converges, from `secretLines`
 * @param open names of slots that hold no secrets
 * @returns undefined if nothing of the file can be shown, because whole lines of it are or were secret
 */
export function redactLive(
    live: string,
    declared: string,
    remembered: string[],
    slots: Record<string, string>,
    open: readonly string[] = [],
): string | undefined {
    const known = [...secretLines(declared, slots, open), ...remembered];
    if (known.includes("") || PRIVATE_KEY.test(live)) {
        return undefined;
    }
    const shown = new Map(
        declared.split("\n").map((line) => [fillSlots(line, (name) => slots[name] ?? `‹${name}›`), showSlots(line)]),
    );
    const patterns = [...TELLTALES, ...known.map(afterPrefix)];
    return live
        .split("\n")
        .map((line) => shown.get(line) ?? patterns.reduce(hideAfter, hideValues(line, slots)))
        .join("\n");
}

/** Matches the prefix, with any blanks between its words, and what follows it. */
function afterPrefix(prefix: string): RegExp {
    const words = prefix.split(/\s+/).map(escapeRegExp);
    return new RegExp(`(${words.join("\\s+")})(\\s*)\\S.*$`);
}

function hideAfter(line: string, pattern: RegExp): string {
    return line.replace(pattern, `$1$2${HIDDEN}`);
}

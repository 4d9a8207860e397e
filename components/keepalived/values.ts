/** Values in keepalived.conf and pair.conf: each is one word, and no character ends it early. */
import { isIPv4 } from "node:net";
import { fillSlots, isSlot, slotsIn, withEncoding } from "../convergence/slots";

/** What a slot stands for, as the encoding of its marker. */
type Meaning = "keepalived-password" | "keepalived-address" | "keepalived-word";

/**
 * keepalived reads one word of ASCII. `#` and `!` begin a comment even within a word, quotes join words, braces open and close blocks, and a
 * backslash at the end joins lines (keepalived.conf(5), "DESCRIPTION" and "Quoted strings").
 */
const misread = /[^\x21-\x7e]|[#!"{}\\]/;

/** More are cut off by keepalived, so that two passwords might be equal: VRRP has 8 bytes for it (RFC 2338, section 5.3.10). */
const longestPassword = 8;

/**
 * The value for a file, one word.
 *
 * @param subject what it is, for messages
 * @throws {Error} If keepalived would misread it. `pairIssues` finds that before.
 */
export function valueText(value: string, meaning: Meaning, subject: string): string {
    const issue = isSlot(value) ? undefined : valueIssue(value, meaning);
    if (issue !== undefined) {
        throw new Error(`${subject}: it ${issue}`);
    }
    return withEncoding(value, meaning);
}

/** Why a value cannot fill its slot, without quoting it: for files with values of {@link valueText}. */
export function pairSlotIssue(value: string, encoding = ""): string | undefined {
    return valueIssue(value, encoding as Meaning);
}

/** Why keepalived would not read the value as it is meant, without quoting it; `undefined` if it would. */
export function valueIssue(value: string, meaning: Meaning): string | undefined {
    if (value === "") {
        return "is empty";
    }
    // Slots in a value are judged by themselves.
    if (misread.test(slotsIn(value).length > 0 ? fillSlots(value, () => "") : value)) {
        return meaning === "keepalived-password"
            ? 'has a character that keepalived would misread; use ASCII letters, digits and signs other than # ! " { } \\'
            : 'has a blank, a control character, or one of # ! " { } \\, which keepalived would misread; use another value';
    }
    if (meaning === "keepalived-password" && value.length > longestPassword) {
        return `has more than ${longestPassword} characters, and keepalived uses only the first ${longestPassword}; use a shorter one`;
    }
    if (meaning === "keepalived-address" && !isIPv4(value)) {
        return "is not an IPv4 address; use one of the host, without a prefix length";
    }
    return undefined;
}

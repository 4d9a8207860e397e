import { fillSlots, isSlot, withEncoding } from "../../convergence/slots";
import { bracketed, isTarget } from "../model/addresses";
import { hashIssue } from "./passwordHash";

/** How text becomes words of a HAProxy line: manual section 2.2, "Quoting and escaping". */

const plain = /^[A-Za-z0-9_.:,/@%+=~^*?<>()[\]{}|&!;-]+$/;

/**
 * One argument of a line, with no more quotes than needed. HAProxy reads any text back as exactly one word.
 *
 * A slot marker is put into single quotes: then its value needs no escaping, provided that {@link slotIssue} accepts it.
 */
export function word(text: string): string {
    return text
        .split("\0")
        .map((part, index) => (index % 2 === 1 ? `'\0${part}\0'` : quoted(part)))
        .join("");
}

function quoted(text: string): string {
    if (text === "" || plain.test(text)) {
        return text;
    }
    if (!text.includes("'") && !hasControl(text)) {
        return `'${text}'`;
    }
    const escaped = text.replace(/[\\"$]/g, "\\$&");
    return `"${printable(escaped)}"`;
}

/** The text with control characters in HAProxy's notation: `\x0a`. */
export function printable(text: string): string {
    return [...text].map((character) => (isControl(character) ? hex(character) : character)).join("");
}

function hex(character: string): string {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** An argument that HAProxy reads as a log-format (section 8.2.4). A slot in it is literal: its `%` are doubled. */
export function format(text: string): string {
    return formatWith(text, "haproxy-format");
}

/** A log-format that replaces what a regular expression matched, so that HAProxy reads backslashes in it, too: `\\1`. */
export function replacement(text: string): string {
    return formatWith(text, "haproxy-replacement");
}

function formatWith(text: string, encoding: string): string {
    if (!text.includes("\0")) {
        return word(text);
    }
    // Slots inside of %[…] are part of an expression.
    const parts = text.split(/(%\[[^\]]*\])/);
    return word(
        parts.map((part, i) => withEncoding(part, i % 2 === 1 ? "haproxy-format-argument" : encoding)).join(""),
    );
}

/** Text that HAProxy reads as the hash of a password, for {@link word}. A slot that is all of it must hold a hash. */
export function passwordHash(text: string): string {
    return isSlot(text) ? withEncoding(text, "haproxy-hash") : text;
}

/** Literal text in an argument that HAProxy reads as a log-format. */
export function formatLiteral(text: string): string {
    return format(text.replace(/%/g, "%%"));
}

/**
 * Words that are part of a line, such as an expression or a condition, as written. They cannot end the line or change its other
 * parts: `#`, a quote that is never closed, and a backslash at the end are literal. An empty word, at which HAProxy stops reading, is
 * left out.
 *
 * @throws {Error} If the text contains control characters, which `validate` reports.
 */
export function fragment(text: string): string {
    return scan(oneLine(text), true);
}

/**
 * A whole line, or all of it after its keyword, as written; `#` begins a comment as in any line of HAProxy.
 *
 * @param literal Whether a `%` in the value of a slot could begin a variable, so that such a value is refused.
 * @throws {Error} If the text contains control characters, which `validate` reports.
 */
export function rawLine(text: string, literal = false): string {
    return scan(literal ? withEncodingOutsideArguments(oneLine(text)) : oneLine(text), false);
}

function oneLine(text: string): string {
    // Many existing files have tabs between words.
    if (hasControl(withoutSlots(text).trim().replaceAll("\t", " "))) {
        throw new Error(`control characters in ${JSON.stringify(text)} would break haproxy.cfg`);
    }
    return text.trim();
}

/** Quotes every slot as its position needs, and escapes what would end a fragment. */
function scan(text: string, isFragment: boolean): string {
    let result = "";
    let quote = "";
    let depth = 0;
    for (let i = 0; i < text.length; i++) {
        const c = text.charAt(i);
        if (c === "\0") {
            const end = text.indexOf("\0", i + 1);
            result += slotIn(quote, depth, text.slice(i, end + 1));
            i = end;
        } else if (c === "\\" && quote !== "'") {
            const last = i === text.length - 1;
            result += last ? (isFragment ? "\\\\" : c) : text.slice(i, i + 2);
            i++;
        } else if (quote === "" && (c === '"' || c === "'")) {
            const empty = isFragment && /(^|\s)$/.test(text.slice(0, i)) && emptyWord.exec(text.slice(i))?.[0];
            if (empty) {
                i += empty.length - 1;
                continue;
            }
            const closed = closes(text, i, c);
            quote = closed ? c : "";
            result += closed || !isFragment ? c : `\\${c}`;
        } else if (c === quote) {
            quote = "";
            result += c;
        } else if (quote === "" && c === "#") {
            if (!isFragment) {
                return result + text.slice(i);
            }
            result += "\\#";
        } else {
            depth = depthAfter(text, i, depth);
            result += c;
        }
    }
    return result;
}

const emptyWord = /^(''|"")+(?=\s|$)/;

/** Whether the quote at that position has a counterpart. */
function closes(text: string, position: number, quote: string): boolean {
    for (let i = position + 1; i < text.length; i++) {
        if (text.charAt(i) === "\\" && quote === '"') {
            i++;
        } else if (text.charAt(i) === quote) {
            return true;
        }
    }
    return false;
}

/** A slot in single quotes. In parentheses it is an argument of a fetch or converter, which has quotes of its own. */
function slotIn(quote: string, depth: number, marker: string): string {
    const encoded = depth > 0 ? withEncoding(marker, "haproxy-argument") : marker;
    return quote === "'" ? encoded : quote === '"' ? `"'${encoded}'"` : `'${encoded}'`;
}

/** How many parentheses of arguments are open behind that character. One that does not follow a name is mere text. */
function depthAfter(text: string, position: number, depth: number): number {
    switch (text.charAt(position)) {
        case "(":
            return depth > 0 || /\w/.test(text.charAt(position - 1)) ? depth + 1 : 0;
        case ")":
            return Math.max(0, depth - 1);
        default:
            return depth;
    }
}

function withEncodingOutsideArguments(text: string): string {
    let depth = 0;
    let position = 0;
    return text
        .split(/(\0[^\0]*\0|[()])/)
        .map((part) => {
            depth = depthAfter(text, position, depth);
            position += part.length;
            return depth > 0 ? part : withEncoding(part, "haproxy-raw");
        })
        .join("");
}

/** The text to write for the value of a slot in that encoding. */
export function slotValue(value: string, encoding: string): string {
    switch (encoding) {
        case "haproxy-address":
            return bracketed(value);
        case "haproxy-format":
            return quotedAgain(value.replace(/%/g, "%%"));
        case "haproxy-replacement":
            return quotedAgain(value.replace(/[\\%]/g, "$&$&"));
        case "haproxy-argument":
        case "haproxy-format-argument":
            return `"${value.replace(/[\\"]/g, "\\$&")}"`;
        default:
            return value;
    }
}

/** Encodings in which a value may have single quotes. */
const quotable = ["haproxy-format", "haproxy-replacement"];

/** Between the single quotes that {@link word} puts around a slot. */
function quotedAgain(value: string): string {
    return value.replaceAll("'", "'\\''");
}

/** A harmless value for a slot, with which HAProxy can check a file whose values are not known. */
export function slotPlaceholder(encoding?: string): string {
    return encoding === "haproxy-address" ? "192.0.2.1" : encoding === "haproxy-port" ? "1" : "placeholder";
}

/** Why a value cannot replace its slot, without showing the value; undefined if it can. */
export function slotIssue(value: string, encoding?: string): string | undefined {
    if (value === "") {
        return "is empty";
    }
    if (hasControl(value)) {
        return "holds a control character or a line break";
    }
    if (encoding === "haproxy-address" && !isTarget(value.replace(/^(tcp|udp)[46]?@/, ""))) {
        return "is neither an IP address nor a host name; set one, without scheme, port and path";
    }
    if (encoding === "haproxy-port" && !(/^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535)) {
        return "is not a port; set a number from 1 to 65535";
    }
    if (value.includes("'") && !quotable.includes(encoding ?? "")) {
        return "holds a single quote, which ends its quotes in haproxy.cfg";
    }
    if (encoding === "haproxy-raw" && value.includes("%")) {
        return "holds a percent sign, which could begin a variable in a raw rule; declare the rule with its fields";
    }
    if (encoding === "haproxy-hash") {
        return hashIssue(value);
    }
    return encoding === "haproxy-format-argument" && value.includes("]")
        ? "holds a closing bracket, which ends its expression; use another value"
        : undefined;
}

/** The same for a slot that is a whole PEM file. */
export function pemSlotIssue(value: string): string | undefined {
    return value.includes("-----BEGIN ") ? undefined : "holds no PEM block (-----BEGIN …)";
}

/** The text with a harmless word in place of every slot marker, for checks of the text around it. */
export function withoutSlots(text: string): string {
    return fillSlots(text, () => "slot");
}

/** Whether the text has control characters (C0 and DEL), which end a line or are invisible. */
export function hasControl(text: string): boolean {
    return control.test(text);
}

const control = /[\0-\x1f\x7f]/;

function isControl(character: string): boolean {
    const code = character.charCodeAt(0);
    return code < 32 || code === 127;
}

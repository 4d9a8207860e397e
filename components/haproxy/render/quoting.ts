import { fillSlots } from "../../convergence/slots";

/** How text becomes words of a HAProxy line: manual section 2.2, "Quoting and escaping". */

const plain = /^[A-Za-z0-9_.:,/@%+=~^*?<>()[\]{}|&!;-]+$/;

/**
 * One argument of a line, quoted as little as needed. Whatever the text, HAProxy reads it as exactly one word.
 *
 * A slot marker is put in single quotes: its value, not known here, then needs no escaping as long as
 * {@link secretFault} finds nothing in it.
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

/** The text with control characters as HAProxy and people write them: `\x0a`. */
export function printable(text: string): string {
    return [...text].map((character) => (isControl(character) ? hex(character) : character)).join("");
}

function hex(character: string): string {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** A literal inside an argument that HAProxy takes as a log-format (section 8.2.4), where `%` begins a variable. */
export function formatLiteral(text: string): string {
    return word(text.replace(/%/g, "%%"));
}

/** How many words HAProxy reads in a line: section 2.2. */
export function wordCount(line: string): number {
    const [code = ""] = /^(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^#\\"'])*/.exec(line) ?? [];
    return code.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s\\"'])+/g)?.length ?? 0;
}

/**
 * Lines and terms that are written as they stand.
 *
 * @throws {Error} If the text would end the line: `check` reports that before.
 */
export function asWritten(text: string): string {
    if (hasControl(withoutSlots(text))) {
        throw new Error(`control characters in ${JSON.stringify(text)} would break haproxy.cfg`);
    }
    return text.trim();
}

/**
 * Why the value of a secret cannot stand in the place of its slot, or undefined if it can.
 * The value itself is never part of the answer.
 */
export function secretFault(value: string): string | undefined {
    if (value === "") {
        return "is empty";
    }
    if (hasControl(value)) {
        return "holds a control character or a line break";
    }
    return value.includes("'") ? "holds a single quote, which ends its quotes in haproxy.cfg" : undefined;
}

/** The text with a harmless word in place of every slot marker, for checks of what surrounds it. */
export function withoutSlots(text: string): string {
    return fillSlots(text, () => "slot");
}

/** Whether the text has characters that end a line or that nobody sees: C0 and DEL. */
export function hasControl(text: string): boolean {
    return [...text].some(isControl);
}

function isControl(character: string): boolean {
    const code = character.charCodeAt(0);
    return code < 32 || code === 127;
}

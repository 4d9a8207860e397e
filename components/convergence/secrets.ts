/** What identifies secrets in texts: their parts, and the text before them. */
import { secretSlots, slotParts } from "./slots";

/** Shorter values are not searched for in texts, because they occur everywhere. */
const SHORTEST_VALUE = 3;

/** Certificates and revocation lists, which are in a value beside a key, and public. */
const PUBLIC_BLOCK = /-----BEGIN (CERTIFICATE|X509 CRL)-----[\sA-Za-z0-9+/=]*-----END \1-----/g;

/** The first and the last line of a private key, which all keys have. */
const FRAME = /^-----(BEGIN|END) ([A-Z]+ )?PRIVATE KEY-----$/;

/** A part of a secret value, with its slot's name. */
export interface SecretPart {
    readonly name: string;
    readonly part: string;
}

/** The parts of values to search for in texts; the longest first, because one may contain another. */
export function secretParts(slots: Record<string, string>): SecretPart[] {
    return Object.entries(slots)
        .flatMap(([slot, value]) => {
            const { name } = slotParts(slot);
            const secret = value.replace(PUBLIC_BLOCK, "");
            const parts = secret.includes("\n") ? [secret, ...secret.split(/\r?\n/)] : [secret];
            return parts.map((part) => ({ name, part }));
        })
        .filter(({ part }) => part.trim().length >= SHORTEST_VALUE && !FRAME.test(part))
        .sort((a, b) => b.part.length - a.part.length);
}

/** Parts by their first characters, the longest first. */
type PartIndex = ReadonlyMap<string, readonly SecretPart[]>;

/** A text is searched line by line, and thousands of certificates bring tens of thousands of parts: they are indexed once. */
const indexes = new WeakMap<object, PartIndex>();

function indexOf(slots: Record<string, string>): PartIndex {
    const known = indexes.get(slots);
    if (known !== undefined) {
        return known;
    }
    const index = new Map<string, SecretPart[]>();
    for (const part of secretParts(slots)) {
        const key = part.part.slice(0, SHORTEST_VALUE);
        const others = index.get(key);
        if (others === undefined) {
            index.set(key, [part]);
        } else {
            others.push(part);
        }
    }
    indexes.set(slots, index);
    return index;
}

/**
 * Replaces the values of slots with their names in any text from a host, such as the words of a daemon.
 *
 * @param slots values by name, which do not change later; each line of a multi-line value is hidden, too, but not public certificates
 * in it; values of less than 3 characters are not found
 */
export function hideValues(text: string, slots: Record<string, string>): string {
    const index = indexOf(slots);
    let hidden = "";
    // What is replaced next: overlapping values together, with the name of the longest.
    let [start, end, longest] = [0, 0, { name: "", part: "" }];
    let done = 0;
    const replace = () => {
        if (end > start) {
            hidden += `${text.slice(done, start)}‹${longest.name}›`;
            done = end;
        }
    };
    for (let at = 0; index.size > 0 && at <= text.length - SHORTEST_VALUE; at++) {
        const found = index.get(text.slice(at, at + SHORTEST_VALUE))?.find(({ part }) => text.startsWith(part, at));
        if (found === undefined) {
            continue;
        }
        if (at >= end) {
            replace();
            [start, longest] = [at, found];
        }
        longest = found.part.length > longest.part.length ? found : longest;
        end = Math.max(end, at + found.part.length);
    }
    replace();
    return hidden + text.slice(done);
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

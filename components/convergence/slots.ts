/**
 * Slots: named places in a text whose values are only known, or only allowed to be known, at the very end.
 *
 * A secret or a not yet known address is written into the plan as a slot. The plan thereby stays plain data that can be
 * hashed, diffed and shown; the values go in once, in convergedHost. NUL delimits a marker because no configuration
 * language we render allows it, so no honest text can hold one.
 */

/** The one slot that needs no value from outside: the digest of the transaction that the file belongs to. */
export const DIGEST_SLOT = "digest";

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
const MARKER = /\0slot:([a-z0-9][a-z0-9.-]{0,62}(?:\/[a-z-]+)?)\0/g;

/**
 * The marker to put into a text where the value of the slot shall stand.
 *
 * @throws Error if the name has anything but lower case letters, digits, dots and hyphens
 */
export function slot(name: string): string {
    if (!NAME.test(name)) {
        throw new Error(
            `invalid slot name ${JSON.stringify(name)}: use lower case letters, digits, dots and hyphens, at most 63`,
        );
    }
    return `\0slot:${name}\0`;
}

/**
 * The text with an encoding added to each marker that has none: `key` becomes `key/<encoding>`, a slot of its own. Its value is
 * computed from that of `key` by the `slotValue` of the file in which it stands (see `encodedSlots`).
 */
export function withEncoding(text: string, encoding: string): string {
    return text.replace(MARKER, (marker, name: string) =>
        name.includes("/") ? marker : `\0slot:${name}/${encoding}\0`,
    );
}

/** The name that a slot was declared by, and the encoding of its place, if that has one. */
export function slotParts(name: string): { readonly name: string; readonly encoding?: string } {
    const [base = name, encoding] = name.split("/");
    return { name: base, encoding };
}

/** The names of all slots in a text, with their encodings, each once, in order of appearance. */
export function slotsIn(text: string): string[] {
    return [...new Set([...text.matchAll(MARKER)].map((match) => match[1] as string))];
}

/** Those of them whose values may be secret: all but the digest. */
export function secretSlots(text: string): string[] {
    return slotsIn(text).filter((name) => name !== DIGEST_SLOT);
}

/** The text with every slot replaced by what `value` says of its name. */
export function fillSlots(text: string, value: (name: string) => string): string {
    return text.replace(MARKER, (_, name: string) => value(name));
}

/** The text as people may see it: slots by name, never by value. */
export function showSlots(text: string): string {
    return fillSlots(text, (name) => `‹${slotParts(name).name}›`);
}

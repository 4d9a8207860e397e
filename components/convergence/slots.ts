/**
 * Slots: named placeholders in a text for values that are secret, or not known yet.
 *
 * The plan holds slots instead of values, so it is plain data that can be hashed, compared and shown. The values are filled in
 * once, when the payload is made. NUL delimits a marker because no configuration language that we render allows NUL.
 */

import { assertForm, matching } from "../forms";

/** The only slot that needs no value: it becomes the digest of all files of the transaction. */
export const DIGEST_SLOT = "digest";

/** What stands for a digest over values that only an up knows. No digest equals it. */
export const UNKNOWN_DIGEST = "unknown";

const slotName = matching(
    /^[a-z0-9][a-z0-9.-]{0,62}$/,
    "expected a name of 1 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit first",
);
const MARKER = /\0slot:([a-z0-9][a-z0-9.-]{0,62}(?:\/[a-z-]+)?)\0/g;

/**
 * Returns the marker to put into a text in place of the value.
 *
 * @throws Error if the name is not made of lower case letters, digits, dots and hyphens, 63 at most
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { ConvergedHost, slot } from "haproxy-fleet";
 *
 * new ConvergedHost("agent", {
 *     connection: { address: "192.0.2.20", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: [{ kind: "file", path: "/etc/agent.conf", content: `token = ${slot("token")}\n` }],
 *     slots: { token: new pulumi.Config().requireSecret("token") },
 * });
 * ```
 */
export function slot(name: string): string {
    assertForm(slotName, name, "slot");
    return `\0slot:${name}\0`;
}

/**
 * Adds an encoding to each marker that has none: `key` becomes `key/<encoding>`, a slot of its own, whose value `slotValue` of the
 * file computes from that of `key` (see `encodedSlots`).
 */
export function withEncoding(text: string, encoding: string): string {
    return text.replace(MARKER, (marker, name: string) =>
        name.includes("/") ? marker : `\0slot:${name}/${encoding}\0`,
    );
}

/** The declared name of a slot, and the encoding of its marker, if there is one. */
export function slotParts(name: string): { readonly name: string; readonly encoding?: string } {
    const [base = name, encoding] = name.split("/");
    return { name: base, encoding };
}

/** Whether the value is one slot and nothing else. */
export function isSlot(value: unknown): boolean {
    return typeof value === "string" && /^\0slot:[^\0]+\0$/.test(value);
}

/** The names of all slots in a text, with their encodings, each once, in order of appearance. */
export function slotsIn(text: string): string[] {
    return [...new Set([...text.matchAll(MARKER)].map((match) => match[1] as string))];
}

/** Like slotsIn, but only slots whose values may be secret: all except the digest. */
export function secretSlots(text: string): string[] {
    return slotsIn(text).filter((name) => name !== DIGEST_SLOT);
}

/** Those of the slots in a text, without encodings, that are among `names`. */
export function slotsAmong(text: string, names: readonly string[]): string[] {
    const found = slotsIn(text).map((name) => slotParts(name).name);
    const wanted = new Set(names);
    return [...new Set(found)].filter((name) => wanted.has(name));
}

/** Replaces every slot with what `value` returns for its name. */
export function fillSlots(text: string, value: (name: string) => string): string {
    return text.replace(MARKER, (_, name: string) => value(name));
}

/**
 * Replaces every slot with its name, for people.
 *
 * @param unknown names of slots whose values only an up knows
 */
export function showSlots(text: string, unknown: readonly string[] = []): string {
    return fillSlots(text, (slot) => {
        const { name } = slotParts(slot);
        return unknown.includes(name) ? `‹${name}, known after up›` : `‹${name}›`;
    });
}

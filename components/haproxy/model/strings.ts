import { secretSlots } from "../../convergence/slots";
import { assertPlain } from "../../forms";

/** Receives a text, and the keys on the way to it, in a list that changes afterwards. */
type Visit = (text: string, keys: readonly string[]) => void;

/**
 * Calls `visit` with each text in a part of the model.
 *
 * @param visitKey Is called with each key, except positions in lists. @default - nothing is
 */
export function eachText(value: unknown, visit: Visit, visitKey?: Visit, keys: string[] = []): void {
    if (typeof value === "string") {
        visit(value, keys);
    } else if (typeof value === "object" && value !== null) {
        const visitOwn = Array.isArray(value) ? undefined : visitKey;
        for (const key of Object.keys(value)) {
            visitOwn?.(key, keys);
            keys.push(key);
            eachText((value as Readonly<Record<string, unknown>>)[key], visit, visitKey, keys);
            keys.pop();
        }
    }
}

/** Every text in a part of the model. */
export function textsIn(value: unknown): string[] {
    const texts: string[] = [];
    eachText(value, (text) => texts.push(text));
    return texts;
}

/** Every text in a part of the model, with its path. */
export function stringsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
    const found: { path: string; text: string }[] = [];
    eachText(value, (text, keys) => found.push({ path: [path, ...keys].join("."), text }));
    return found;
}

/** The texts that may name sections and files. A `body` is arbitrary text, so only its expressions `%[…]` count. */
export function expressionsIn(value: unknown, path: string): ReturnType<typeof stringsIn> {
    return stringsIn(value, path).map((found) =>
        found.path.endsWith(".body") ? { ...found, text: (found.text.match(/%\[[^\]]*\]/g) ?? []).join(" ") } : found,
    );
}

/**
 * Names of the secret slots in a part of the model.
 *
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { haproxy, slot } from "haproxy-fleet";
 *
 * const stats: haproxy.Stats = {
 *     bind: { port: 8404 },
 *     auth: [{ user: "ops", password: slot("stats-password") }],
 * };
 * const config = new pulumi.Config();
 * export const slots = Object.fromEntries(haproxy.secretsIn(stats).map((name) => [name, config.requireSecret(name)]));
 * ```
 */
export function secretsIn(value: unknown): string[] {
    assertPlain(value, "secretsIn");
    return [...new Set(textsIn(value).flatMap((text) => (text.includes("\0") ? secretSlots(text) : [])))];
}

/** The object without fields that are explicitly undefined, which must not replace a default. */
export function given<T extends object>(value: T): T {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

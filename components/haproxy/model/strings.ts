import { secretSlots } from "../../convergence/slots";
import { assertPlain } from "../../forms";

/** Every text in a part of the model, with its path. */
export function stringsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
    if (typeof value === "string") {
        return [{ path, text: value }];
    }
    return typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, `${path}.${key}`))
        : [];
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
    return [...new Set(stringsIn(value, "").flatMap(({ text }) => secretSlots(text)))];
}

/** The object without fields that are explicitly undefined, which must not replace a default. */
export function given<T extends object>(value: T): T {
    return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

import { secretSlots } from "../../convergence/slots";

/** Every text in a part of the model, with its place. */
export function stringsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
    if (typeof value === "string") {
        return [{ path, text: value }];
    }
    return typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, `${path}.${key}`))
        : [];
}

/** The texts in which sections and files are named: a body may have anything in it, and goes by its samples alone. */
export function expressionsIn(value: unknown, path: string): ReturnType<typeof stringsIn> {
    return stringsIn(value, path).map((found) =>
        found.path.endsWith(".body") ? { ...found, text: (found.text.match(/%\[[^\]]*\]/g) ?? []).join(" ") } : found,
    );
}

/** Names of the slots of secrets in a part of the model. */
export function secretsIn(value: unknown): string[] {
    return [...new Set(stringsIn(value, "").flatMap(({ text }) => secretSlots(text)))];
}

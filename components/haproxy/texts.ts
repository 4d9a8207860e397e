import { secretSlots } from "../convergence/slots";

/** Every text in a part of the model, with its place. */
export function stringsIn(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
    if (typeof value === "string") {
        return [{ path, text: value }];
    }
    return typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => stringsIn(inner, `${path}.${key}`))
        : [];
}

/** Names of the slots of secrets in a part of the model. */
export function secretsIn(value: unknown): string[] {
    return [...new Set(stringsIn(value, "").flatMap(({ text }) => secretSlots(text)))];
}

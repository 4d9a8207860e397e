import { z } from "zod";

/**
 * A schema's faults as sentences that name the file, the place in it, what is allowed and the value found.
 *
 * @param schema What it was parsed by, to say which keys there are.
 * @param input What was parsed, to show the values.
 * @param place File or other origin.
 */
export function faultsOf(error: z.ZodError, schema: z.ZodType, input: unknown, place: string): string[] {
    return error.issues.flatMap((issue) => {
        const { path } = issue;
        if (issue.code === "unrecognized_keys") {
            const known = keysAt(schema, path).join(", ");
            return issue.keys.map(
                (key) => `${at(path, place)}: unknown key "${key}": correct or remove it; known are ${known}`,
            );
        }
        const value = path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown>)?.[key], input);
        const message = issue.message.replace(/^Invalid (input|option): /, "").replace(/, received .*$/, "");
        return [`${at(path, place)}: ${message}, got ${show(value)}`];
    });
}

/** The keys of the object at a path, of all its forms. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
    if (schema instanceof z.ZodOptional) {
        return keysAt(schema.unwrap(), path);
    }
    if (schema instanceof z.ZodUnion) {
        return [...new Set(schema.options.flatMap((option) => keysAt(option, path)))];
    }
    const [key, ...rest] = path;
    if (schema instanceof z.ZodArray) {
        return keysAt(schema.element, rest);
    }
    if (!(schema instanceof z.ZodObject)) {
        return [];
    }
    return key === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[String(key)], rest);
}

function at(path: readonly PropertyKey[], place: string): string {
    const keys = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
    return keys === "" ? place : `${place}: ${keys.replace(/^\./, "")}`;
}

function show(value: unknown): string {
    const text = value === undefined ? "nothing" : JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

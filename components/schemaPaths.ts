import { z } from "zod";

// Paths in data, and in the schema that it has to fit.

/** The keys that the object at a path may have. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[], data: unknown): string[] {
    const found = alternative(schemaAt(schema, path, data), valueAt(data, path));
    return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

/** The schema of the value at a path; the union itself if the value fits no alternative. */
export function schemaAt(schema: unknown, path: readonly PropertyKey[], data: unknown): unknown {
    if (schema instanceof z.ZodOptional) {
        return schemaAt(schema.unwrap(), path, data);
    }
    const [key, ...rest] = path;
    if (key === undefined) {
        return schema;
    }
    if (schema instanceof z.ZodDiscriminatedUnion && rest.length === 0 && key === schema.def.discriminator) {
        return schema;
    }
    const container = alternative(schema, data);
    const inner = valueAt(data, [key]);
    if (container instanceof z.ZodArray) {
        return schemaAt(container.element, rest, inner);
    }
    if (container instanceof z.ZodRecord) {
        return schemaAt(container.valueType, rest, inner);
    }
    return container instanceof z.ZodObject ? schemaAt(container.shape[String(key)], rest, inner) : undefined;
}

/** The alternative of a union that the value is probably meant for; returns any other schema unchanged. */
function alternative(schema: unknown, value: unknown): unknown {
    if (schema instanceof z.ZodDiscriminatedUnion) {
        const key = schema.def.discriminator;
        const word = valueAt(value, [key]) as z.core.util.Primitive;
        return schema.options.find((option) => option._zod.propValues?.[key]?.has(word));
    }
    if (schema instanceof z.ZodUnion) {
        const meant = (option: unknown) =>
            (option as z.ZodType)
                .safeParse(value)
                .error?.issues.every(({ code }) => !/^invalid_(type|value|union)$/.test(code)) ?? true;
        return alternative(schema.options.find(meant), value);
    }
    return schema;
}

export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>((found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key], data);
}

export function pathText(path: readonly PropertyKey[]): string {
    const keys = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
    return keys.join("").replace(/^\./, "");
}

/** Whether a path is the other one, or leads into it. */
export function isWithin(path: string, other: string): boolean {
    return other === "" || path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
}

// The inputs of a resource type or of a function, and what is wrong with values for them.
import { isDeepStrictEqual } from "node:util";
import type { Failure } from "./resourceType";
import { isObject, type Properties, segmentsOf, unknown, type Value } from "./values";

/** An input. */
export interface Field {
    readonly kind:
        | "string"
        | "integer"
        | "boolean"
        | "strings"
        | { readonly fields: Readonly<Record<string, Field>> }
        | { readonly listOf: Field }
        | { readonly mapOf: Field };
    readonly required?: true;
    /** The output if it is not given. @default - no output */
    readonly default?: Value;
    /** Whether it has an output that an up finds out if it is not given. It keeps that if it is no longer given. */
    readonly computed?: true;
    /** Whether a change replaces the resource; otherwise it updates it. */
    readonly replaces?: true;
    /** Whether the order of a list means nothing. */
    readonly unordered?: true;
    /** Whether it is made of the resource's name and random digits if it is not given. */
    readonly autoName?: true;
    /** Whether it is JSON, which may be given as an object, and of which only the meaning counts. */
    readonly json?: true;
    /** The values that it may have; of a list, each of its entries. @default - any of its kind */
    readonly oneOf?: readonly string[];
    /** The least value of a number. @default - any */
    readonly min?: number;
}

/** The fields on the way to a path, as in diffProperties(). */
export function fieldAt(path: string, fields: Readonly<Record<string, Field>>): readonly Field[] {
    const found: Field[] = [];
    let below: Readonly<Record<string, Field>> = fields;
    for (const segment of segmentsOf(path)) {
        if (typeof segment === "number") continue;
        const field = below[segment];
        if (!field) break;
        found.push(field);
        const kind = typeof field.kind === "object" && "listOf" in field.kind ? field.kind.listOf.kind : field.kind;
        below = typeof kind === "object" && "fields" in kind ? kind.fields : {};
    }
    return found;
}

/** The inputs with objects as JSON, with sorted keys, if a field is for that. */
export function withJson(inputs: Properties, fields: Readonly<Record<string, Field>>): Properties {
    const entries = Object.entries(inputs).map(([name, value]): [string, Value] => [
        name,
        fields[name]?.json && isObject(value) ? JSON.stringify(sorted(value)) : value,
    ]);
    return Object.fromEntries(entries);
}

function sorted(value: Value): Value {
    if (Array.isArray(value)) return value.map(sorted);
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([key, member]): [string, Value] => [key, sorted(member)]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether two texts are the same JSON. */
export function isSameJson(a: Value | undefined, b: Value | undefined): boolean {
    try {
        return isDeepStrictEqual(JSON.parse(String(a)), JSON.parse(String(b)));
    } catch {
        return false;
    }
}

/** What is wrong with inputs, or with the arguments of a function. */
export function failuresIn(inputs: Properties, fields: Readonly<Record<string, Field>>): Failure[] {
    const missing = Object.entries(fields)
        .filter(([name, { required }]) => required && inputs[name] === undefined)
        .map(([property]) => ({ property, reason: `missing required property '${property}'` }));
    const wrong = Object.entries(inputs).flatMap(([property, value]) => {
        // The engine adds keys of its own, such as __defaults.
        if (property.startsWith("__")) return [];
        const field = fields[property];
        const reason = field ? problemOf(value, field) : "this stand-in does not have it";
        return reason === undefined ? [] : [{ property, reason: `'${property}': ${reason}` }];
    });
    return [...missing, ...wrong];
}

function problemOf(value: Value, { kind, oneOf, min, json }: Field): string | undefined {
    if (value === unknown || (json && isObject(value))) {
        return undefined;
    }
    if (typeof kind === "object" && !("listOf" in kind)) {
        if (!isObject(value)) return `expected an object, got ${typeof value}`;
        return "fields" in kind
            ? failuresIn(value, kind.fields)[0]?.reason
            : Object.values(value)
                  .map((entry) => problemOf(entry, kind.mapOf))
                  .find((problem) => problem);
    }
    if (kind === "strings" || typeof kind === "object") {
        if (!Array.isArray(value)) return `expected a list, got ${typeof value}`;
        const entries: Field = kind === "strings" ? { kind: "string", oneOf } : kind.listOf;
        return value.map((entry) => problemOf(entry, entries)).find((problem) => problem);
    }
    const type: string = kind === "integer" ? "number" : kind;
    const given: string = typeof value;
    if (given !== type) {
        return `expected a ${type}, got ${given}`;
    }
    if (kind === "integer" && !Number.isInteger(value)) {
        return `expected a whole number, got ${value}`;
    }
    if (min !== undefined && Number(value) < min) {
        return `expected at least ${min}, got ${value}`;
    }
    return oneOf && !oneOf.includes(String(value)) ? `expected one of ${oneOf.join(", ")}, got ${value}` : undefined;
}

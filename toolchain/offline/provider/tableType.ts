// A resource type that is described by a table of its inputs, as the schemas of providers describe theirs.
import type { Call, Difference, Failure, ResourceType } from "./resourceType";
import { diffProperties, isObject, type Properties, pick, propertyOf, unknown, type Value } from "./values";

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
    /** Whether a change replaces the resource; otherwise it updates it. */
    readonly replaces?: true;
    /** The values that it may have; of a list, each of its entries. @default - any of its kind */
    readonly oneOf?: readonly string[];
    /** The least value of a number. @default - any */
    readonly min?: number;
}

/** A resource type, in terms of plain values: the engine keeps track of what is secret. */
export interface Table {
    readonly fields: Readonly<Record<string, Field>>;
    /** Outputs that only an up finds out. */
    readonly computed: readonly string[];
    /** Creates a resource from its inputs, with defaults filled in, and returns its computed outputs. */
    create(inputs: Properties, call: Call): Promise<{ readonly id: string; readonly outputs: Properties }>;
    /** Changes it and returns changed outputs. @default - only what is recorded changes */
    update?(state: Properties, inputs: Properties, call: Call): Promise<Properties>;
    /** @default - there is nothing to delete */
    delete?(state: Properties, call: Call): Promise<void>;
    /** @default - as recorded */
    read?(state: Properties): Promise<Properties>;
    /** The name of an output that changes by itself, if the resource is to be replaced because of it. @default - none does */
    outdated?(state: Properties, inputs: Properties): string | undefined;
}

/** A resource type as its table says. */
export function tableType(table: Table): ResourceType {
    const names = Object.keys(table.fields);
    const defaults: Properties = Object.fromEntries(
        Object.entries(table.fields).flatMap(([name, field]) =>
            field.default === undefined ? [] : [[name, field.default]],
        ),
    );
    const complete = (inputs: Properties) => ({ ...defaults, ...pick(inputs, names) });
    const unknowns = Object.fromEntries(table.computed.map((name) => [name, unknown]));
    return {
        check(news) {
            const failures = failuresIn(news, table.fields);
            return failures.length > 0 ? { failures } : { inputs: pick(news, names) };
        },

        diff(state, inputs) {
            const changes = diffProperties(pick(state, names), complete(inputs));
            const differences = new Map<string, Difference>();
            for (const [path, change] of changes) {
                differences.set(path, { change, replaces: table.fields[propertyOf(path)]?.replaces === true });
            }
            const outdated = table.outdated?.(state, complete(inputs));
            if (outdated !== undefined) differences.set(outdated, { change: "update", replaces: true });
            return differences;
        },

        async create(inputs, call) {
            const given = complete(inputs);
            if (call.preview) return { id: "", state: { ...given, ...unknowns } };
            const { id, outputs } = await table.create(given, call);
            return { id, state: { ...given, ...outputs, id } };
        },

        async update(state, inputs, call) {
            const given = complete(inputs);
            const kept = Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));
            const outputs = call.preview ? {} : await table.update?.(state, given, call);
            return { ...kept, ...given, ...outputs };
        },

        delete: table.delete && ((state, call) => table.delete?.(state, call) as Promise<void>),
        read: table.read,
    };
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

function problemOf(value: Value, { kind, oneOf, min }: Field): string | undefined {
    if (value === unknown) {
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

// A resource type that is described by a table of its inputs, as the schemas of providers describe theirs.
import { isDeepStrictEqual } from "node:util";
import { type Field, failuresIn, fieldAt, isSameJson, withJson } from "./fields";
import type { Call, Difference, Failure, Naming, ResourceType } from "./resourceType";
import { diffProperties, isBelow, isObject, type Properties, pick, propertyOf, unknown, type Value } from "./values";

/** A resource type, in terms of plain values: the engine keeps track of what is secret. */
export interface Table {
    readonly fields: Readonly<Record<string, Field>>;
    /** Outputs that only an up finds out. */
    readonly computed: readonly string[];
    /** What is wrong with inputs, each of which is right. @default - nothing is */
    failures?(inputs: Properties): readonly Failure[];
    /** Outputs that follow from inputs, and so are known in a preview. A difference is one of the resource. @default - none */
    derived?(inputs: Properties): Properties;
    /** Creates a resource from its inputs, with defaults filled in, and returns its computed outputs. */
    create(inputs: Properties, call: Call): Promise<{ readonly id: string; readonly outputs: Properties }>;
    /** Changes it and returns changed outputs. @default - only what is recorded changes */
    update?(state: Properties, inputs: Properties, call: Call): Promise<Properties>;
    /** @default - there is nothing to delete */
    delete?(state: Properties, call: Call): Promise<void>;
    /** What is there now; undefined if it is gone. @default - as recorded */
    read?(state: Properties): Promise<Properties | undefined>;
    /** The name of an output that changes by itself, if the resource is to be replaced because of it. @default - none does */
    outdated?(state: Properties, inputs: Properties): string | undefined;
    /** The computed outputs that a change in place may change, so that a preview does not know them. @default - none */
    unsettled?(state: Properties, inputs: Properties): readonly string[];
    /** Whether changes replace the resource for a reason that is not one field's, by property. @default - by fields only */
    replaces?(state: Properties, inputs: Properties): readonly string[];
}

/** A resource type as its table says. */
export function tableType(table: Table): ResourceType {
    const { fields } = table;
    const names = Object.keys(fields);
    /** The inputs with what the plugin adds. What is found out by an up is as in the state, or `missing`. */
    const complete = (inputs: Properties, state: Properties, missing?: Value): Properties => {
        const filled = fill(pick(inputs, names), state, fields, missing);
        return { ...filled, ...table.derived?.(filled) };
    };
    const unknowns = Object.fromEntries(table.computed.map((name) => [name, unknown]));
    return {
        check(news, naming) {
            const wrong = failuresIn(news, fields);
            const failures = wrong.length > 0 ? wrong : (table.failures?.(news) ?? []);
            return failures.length > 0
                ? { failures }
                : { inputs: { ...autoNames(naming, news), ...withJson(pick(news, names), fields) } };
        },

        diff(state, inputs, ignored) {
            const given = complete(inputs, state);
            const compared = [...names, ...Object.keys(table.derived?.(given) ?? {})];
            const changes = diffProperties(
                comparable(pick(state, compared), fields),
                comparable(pick(given, compared), fields),
            );
            const replaced = table.replaces?.(state, given) ?? [];
            const differences = new Map<string, Difference>();
            for (const [path, change] of changes) {
                if (ignored.some((above) => isBelow(path, above))) continue;
                const replaces =
                    fieldAt(path, fields).some((field) => field.replaces) || replaced.includes(propertyOf(path));
                differences.set(path, { change, replaces });
            }
            const outdated = table.outdated?.(state, given);
            if (outdated !== undefined) differences.set(outdated, { change: "update", replaces: true });
            return differences;
        },

        async create(inputs, call) {
            if (call.preview) return { id: "", state: { ...unknowns, ...complete(inputs, {}, unknown) } };
            const given = complete(inputs, {});
            const { id, outputs } = await table.create(given, call);
            return { id, state: { ...given, ...outputs, id } };
        },

        async update(state, inputs, call) {
            const given = complete(inputs, state);
            const kept = Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));
            const unsettled = call.preview ? (table.unsettled?.(state, given) ?? []) : [];
            const outputs = call.preview
                ? Object.fromEntries(unsettled.map((name) => [name, unknown]))
                : await table.update?.(state, given, call);
            return { ...kept, ...given, ...outputs };
        },

        delete: table.delete && ((state, call) => table.delete?.(state, call) as Promise<void>),
        read: table.read,
        inputsOf: (state) => comparable(pick(state, names), fields),
    };

    /** Names that the plugin makes up. A resource keeps its own. */
    function autoNames({ name, olds, random }: Naming, news: Properties): Properties {
        const automatic = names.filter((field) => fields[field]?.autoName && news[field] === undefined);
        return Object.fromEntries(automatic.map((field) => [field, olds[field] ?? `${name}-${random}`]));
    }
}

function fill(
    given: Properties,
    state: Properties,
    fields: Readonly<Record<string, Field>>,
    missing: Value | undefined,
): Properties {
    const filled = Object.entries(fields).map(([name, field]): [string, Value | undefined] => {
        const value = given[name];
        const { kind } = field;
        const old = state[name];
        if (value === undefined) return [name, field.computed ? (old ?? missing) : field.default];
        if (typeof kind === "object" && "fields" in kind && isObject(value)) {
            return [name, fill(value, isObject(old) ? old : {}, kind.fields, missing)];
        }
        const isSame = (field.unordered && isSameSet(value, old)) || (field.json && isSameJson(value, old));
        return [name, isSame && old !== undefined ? old : value];
    });
    return Object.fromEntries(filled.filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

function isSameSet(a: Value, b: Value | undefined): boolean {
    if (!Array.isArray(a) || !Array.isArray(b)) return false;
    return isDeepStrictEqual(
        a.map((entry) => JSON.stringify(entry)).sort(),
        b.map((entry) => JSON.stringify(entry)).sort(),
    );
}

/** Without what is as good as not given. Entries of maps stay: an empty tag is a tag. */
function comparable(properties: Properties, fields: Readonly<Record<string, Field>>): Properties {
    const isEmpty = (value: Value) =>
        value === "" || value === false || (typeof value === "object" && Object.keys(value ?? {}).length === 0);
    return Object.fromEntries(
        Object.entries(properties)
            .map(([name, value]): [string, Value] => {
                const kind = fields[name]?.kind;
                const isNested = typeof kind === "object" && "fields" in kind && isObject(value);
                return [name, isNested ? comparable(pick(value, Object.keys(kind.fields)), kind.fields) : value];
            })
            .filter(([, value]) => !isEmpty(value)),
    );
}

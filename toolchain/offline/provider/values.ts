// Property values on the wire, and how they differ.
import { isDeepStrictEqual } from "node:util";

/** A property as the engine sends it; secrets are wrapped. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
/** The properties of a resource, or of an object in one. */
export type Properties = { [key: string]: Value };

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
/** Stands for a value that is not known during a preview. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is a map; a wrapped secret is one, too. */
export const isObject = (value: Value | undefined): value is Properties =>
    typeof value === "object" && value !== null && !Array.isArray(value);
const isTagged = (value: Value | undefined): value is Properties => isObject(value) && signature in value;
/** Whether a value is wrapped as a secret. */
export const isSecret = (value: Value | undefined) => isTagged(value) && value[signature] === secretSignature;

/** The value without any secret wrapping, at any depth. */
export function reveal(value: Value): Value {
    if (Array.isArray(value)) {
        return value.map(reveal);
    }
    if (!isObject(value)) {
        return value;
    }
    if (isSecret(value)) {
        return reveal(value.value ?? null);
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, reveal(member)]));
}

/** The value as a secret; secrets in it stay. */
export const wrap = (value: Value): Value => ({ [signature]: secretSignature, value });
/** The value as one secret. */
export const secret = (value: Value): Value => wrap(reveal(value));

/** The inputs without those that are null, at any depth; elements of arrays stay. */
export function withoutNulls(inputs: Properties): Properties {
    const strip = (value: Value): Value =>
        Array.isArray(value) ? value.map(strip) : isObject(value) ? withoutNulls(value) : value;
    return Object.fromEntries(
        Object.entries(inputs)
            .filter(([, value]) => reveal(value) !== null)
            .map(([name, value]) => [name, strip(value)]),
    );
}

/** The properties of these names. */
export const pick = (properties: Properties, names: readonly string[]): Properties =>
    Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)));

/** How a property differs. */
export type Change = "add" | "delete" | "update";

/** The differences between two property maps, by path (`environment.A`, `triggers[0]`). A secret is one value. */
export function diffProperties(olds: Properties, news: Properties): Map<string, Change> {
    const changes = new Map<string, Change>();
    compare(olds, news, "", changes);
    return changes;
}

function compare(old: Value | undefined, fresh: Value | undefined, path: string, changes: Map<string, Change>): void {
    if (isObject(old) && isObject(fresh) && !isTagged(old) && !isTagged(fresh)) {
        for (const key of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
            const name = /^[\w$-]+$/.test(key) ? key : `[${JSON.stringify(key)}]`;
            compare(old[key], fresh[key], path && !name.startsWith("[") ? `${path}.${name}` : path + name, changes);
        }
    } else if (Array.isArray(old) && Array.isArray(fresh)) {
        for (let index = 0; index < Math.max(old.length, fresh.length); index++) {
            compare(old[index], fresh[index], `${path}[${index}]`, changes);
        }
    } else if (old === undefined || old === null) {
        if (fresh !== undefined && fresh !== null) {
            changes.set(path, "add");
        }
    } else if (fresh === undefined || fresh === null) {
        changes.set(path, "delete");
    } else if (!isDeepStrictEqual(old, fresh)) {
        changes.set(path, "update");
    }
}

/** The property that a path of {@link diffProperties} leads into. */
export const propertyOf = (path: string) => path.replace(/[.[].*/, "");

/** The steps of a path of {@link diffProperties}, or of one in `ignoreChanges`, which may have `*` for any step. */
export function segmentsOf(path: string): (string | number)[] {
    const steps = path.matchAll(/\[(?:(\d+)|(\*)|"((?:[^"\\]|\\.)*)")\]|([^.[\]]+)/g);
    return [...steps].map(([, index, any, quoted, name]) =>
        index === undefined
            ? (any ?? (quoted === undefined ? (name ?? "") : JSON.parse(`"${quoted}"`)))
            : Number(index),
    );
}

/** Whether a path is that of `ignoreChanges`, or leads below it. */
export function isBelow(path: string, ignored: string): boolean {
    const steps = segmentsOf(path);
    return segmentsOf(ignored).every((step, index) => step === steps[index] || (step === "*" && index < steps.length));
}

/** The new properties, but at these paths as in the old ones, if they have them. */
export function keepAt(news: Properties, olds: Properties, paths: readonly string[]): Properties {
    const kept = structuredClone(news);
    for (const path of paths) keep(kept, olds, segmentsOf(path));
    return kept;
}

type Container = Record<string | number, Value>;

function keep(news: Container, olds: Container, [step, ...rest]: readonly (string | number)[]): void {
    if (step === undefined) return;
    for (const key of step === "*" ? new Set([...Object.keys(news), ...Object.keys(olds)]) : [step]) {
        const [fresh, old] = [news[key], olds[key]];
        if (rest.length > 0) {
            const both = [fresh, old].every((value) => typeof value === "object" && value !== null);
            if (both) keep(fresh as Container, old as Container, rest);
        } else if (old !== undefined) {
            news[key] = old;
        }
    }
}

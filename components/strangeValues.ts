// Values that are no data, in places where only data can be.

/** What an Output may stand for, for messages. */
const OUTPUTS =
    "Outputs can be addresses and ports of servers, peers, mailers and name servers, passwords, values of headers, texts of a connection, " +
    "and values of slots";

/** What is wrong with a value that is no data; undefined if it is data. */
export function strangeWords(value: unknown): string | undefined {
    if (typeof value === "string" && /Calling \[to(String|JSON)\] on an \[Output/.test(value)) {
        return `text built from an Output by + or \${}; use pulumi.interpolate, which returns an Output (${OUTPUTS})`;
    }
    if (typeof value !== "object" || value === null) {
        return undefined;
    }
    if ("__pulumiResource" in value) {
        return "a resource; use one of its outputs, as in instance.privateIp";
    }
    if ("apply" in value && typeof value.apply === "function") {
        return `an Output; only plain data can be here (${OUTPUTS})`;
    }
    if ("then" in value && typeof value.then === "function") {
        return "a Promise; await it, and use what it resolves to";
    }
    return value instanceof Map || value instanceof Set ? "a Map or Set; use a plain object or list" : undefined;
}

/** A value that is no data, and where it is. */
export interface Strange {
    readonly path: readonly PropertyKey[];
    readonly value: unknown;
}

/** Values in plain objects and lists that are no data. */
export function strangeIn(
    value: unknown,
    path: readonly PropertyKey[] = [],
    above: readonly unknown[] = [],
): Strange[] {
    if (strangeWords(value) !== undefined) {
        return [{ path, value }];
    }
    if (typeof value !== "object" || value === null || above.includes(value)) {
        return [];
    }
    const inner = [...above, value];
    if (Array.isArray(value)) {
        return value.flatMap((element, index) => strangeIn(element, [...path, index], inner));
    }
    const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(value));
    return isPlain ? Object.entries(value).flatMap(([key, each]) => strangeIn(each, [...path, key], inner)) : [];
}

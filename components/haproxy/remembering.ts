/** Objects in results, which nothing can change. */
const shared = new WeakSet<object>();
/** Programs have few different models, and each result may take megabytes. */
const entries = 4;

/**
 * Caches a function of plain data: all hosts of a fleet have one model, and judging a large one takes a tenth of a second. Results are
 * computed from a copy of the data and frozen, because several hosts share them. Earlier results, and parts of them, are not copied
 * and need no key, because they never change.
 */
export function remembering<A, R>(compute: (data: A) => R): (data: A) => R {
    const results = new Map<string, R>();
    const resultsOfShared = new WeakMap<object, R>();
    return (data) => {
        if (typeof data === "object" && data !== null && shared.has(data)) {
            const result = resultsOfShared.get(data) ?? frozen(compute(data));
            resultsOfShared.set(data, result);
            return result;
        }
        const key = keyOf(data);
        if (key === undefined) {
            return compute(data);
        }
        const known = results.get(key);
        if (known !== undefined) {
            return known;
        }
        const result = frozen(compute(copied(data)));
        const [oldest] = results.keys();
        if (results.size >= entries) {
            results.delete(oldest as string);
        }
        results.set(key, result);
        return result;
    };
}

/** A key that is equal for equal plain data; undefined if JSON would make it equal to other data. */
function keyOf(data: unknown): string | undefined {
    try {
        return JSON.stringify(data, function (this: Readonly<Record<string, unknown>>, name, value) {
            if (value === undefined) {
                return "\0undefined";
            }
            if (value !== this[name] || !isPlain(value)) {
                throw new TypeError(`${name} is not plain data`);
            }
            return value;
        });
    } catch {
        return undefined;
    }
}

function isPlain(value: unknown): boolean {
    if (typeof value === "object" && value !== null) {
        return Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
    }
    return typeof value === "number" ? Number.isFinite(value) : ["string", "boolean", "object"].includes(typeof value);
}

/** A copy of plain data, in which parts of results are the same objects. */
function copied<T>(data: T): T {
    if (typeof data !== "object" || data === null || shared.has(data)) {
        return data;
    }
    const copy = Array.isArray(data)
        ? data.map(copied)
        : Object.fromEntries(Object.entries(data).map(([key, value]) => [key, copied(value)]));
    return copy as T;
}

function frozen<T>(value: T): T {
    if (typeof value === "object" && value !== null && !shared.has(value) && !ArrayBuffer.isView(value)) {
        shared.add(Object.freeze(value));
        Object.values(value).forEach(frozen);
    }
    return value;
}

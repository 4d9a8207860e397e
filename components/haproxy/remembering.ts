/** Programs have few different models, and each result may take megabytes. */
const entries = 4;

/**
 * Caches a function of plain data: all hosts of a fleet have one model, and judging a large one takes half a second. Results are
 * computed from a copy of the data and frozen, because several hosts share them.
 */
export function remembering<A, R>(compute: (data: A) => R): (data: A) => R {
    const results = new Map<string, R>();
    return (data) => {
        const key = keyOf(data);
        if (key === undefined) {
            return compute(data);
        }
        const known = results.get(key);
        if (known !== undefined) {
            return known;
        }
        const result = frozen(compute(structuredClone(data)));
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

function frozen<T>(value: T): T {
    if (typeof value === "object" && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
        Object.freeze(value);
        Object.values(value).forEach(frozen);
    }
    return value;
}

/** Programs have few different models, and each result may take megabytes. */
const entries = 4;

/** Caches a function of plain data: all hosts of a fleet have one model, and judging a large one takes half a second. */
export function remembering<A, R>(compute: (data: A) => R): (data: A) => R {
    const results = new Map<string | undefined, R>();
    return (data) => {
        let key: string | undefined;
        try {
            key = JSON.stringify(data);
        } catch {
            // A cycle or a bigint: the data is no model, so nothing is remembered.
            return compute(data);
        }
        const known = results.get(key);
        if (known !== undefined) {
            return known;
        }
        const result = compute(data);
        const [oldest] = results.keys();
        if (results.size >= entries) {
            results.delete(oldest);
        }
        results.set(key, result);
        return result;
    };
}

/** As many values as programs have different models; each entry may hold megabytes. */
const entries = 4;

/** The function, which computes equal plain data once: all hosts of a fleet have one model, and to judge a large one takes half a second. */
export function remembering<A, R>(compute: (data: A) => R): (data: A) => R {
    const results = new Map<string | undefined, R>();
    return (data) => {
        let key: string | undefined;
        try {
            key = JSON.stringify(data);
        } catch {
            // A cycle, or a number without JSON: no model, so there is nothing to remember.
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

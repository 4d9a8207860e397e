// Calls functions of a program with data that several hosts share.

/** What a function did with a value. */
export interface Customized {
    /** What it returned: a copy, in which what it left as it was are the same objects as in the value. */
    readonly returned: unknown;
    /** Path of the first change that it made to the value itself, such as `backends[0].servers[0].weight`. */
    readonly changed?: string;
}

/** Values are handed out as copies, because a frozen object drops changes in silence in JavaScript that is not strict. */
export class SharedValues {
    private readonly copies = new Map<object, object>();
    private readonly originals = new Map<unknown, object>();

    call(value: object, compute: (copy: never) => unknown): Customized {
        const copy = this.copyOf(value);
        const returned = compute(copy as never);
        const changed = this.changeIn(value, "");
        return changed === undefined ? { returned: this.restored(returned) } : { returned: undefined, changed };
    }

    private copyOf(value: unknown): unknown {
        if (!isPlainObject(value)) {
            return value;
        }
        const known = this.copies.get(value);
        if (known !== undefined) {
            return known;
        }
        const copy = Array.isArray(value)
            ? value.map((inner) => this.copyOf(inner))
            : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.copyOf(inner)]));
        this.copies.set(value, copy);
        this.originals.set(copy, value);
        return copy;
    }

    private changeIn(value: object, path: string): string | undefined {
        const copy = this.copies.get(value) as Record<string, unknown>;
        const entries = Object.entries(value) as [string, unknown][];
        const at = (key: string) => (Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
        for (const [key, inner] of entries) {
            const expected = isPlainObject(inner) ? this.copies.get(inner) : inner;
            if (!Object.is(copy[key], expected)) {
                return at(key);
            }
            const found = isPlainObject(inner) ? this.changeIn(inner, at(key)) : undefined;
            if (found !== undefined) {
                return found;
            }
        }
        const added = Object.keys(copy).find((key) => !Object.hasOwn(value, key));
        return added === undefined ? undefined : at(added);
    }

    private restored(value: unknown, above: readonly unknown[] = []): unknown {
        const original = this.originals.get(value);
        if (original !== undefined || !isPlainObject(value) || above.includes(value)) {
            return original ?? value;
        }
        const inner = [...above, value];
        return Array.isArray(value)
            ? value.map((each) => this.restored(each, inner))
            : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.restored(each, inner)]));
    }
}

function isPlainObject(value: unknown): value is object {
    return (
        typeof value === "object" &&
        value !== null &&
        (Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value)))
    );
}

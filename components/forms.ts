import { z } from "zod";
import { list, listed, nearest } from "./nearest";
import { isWithin, keysAt, pathText, schemaAt, valueAt } from "./schemaPaths";
import { strangeIn, strangeWords } from "./strangeValues";

/** A value whose form is wrong: another type, a word that is not allowed, a key that is missing or unknown. */
export interface FormIssue {
    /** Path in the data, such as `services[2].check.port`; empty for the data as a whole. */
    readonly path: string;
    /** What is expected, and what was found. */
    readonly message: string;
}

/** An issue before its path is text. */
interface Found {
    readonly path: readonly PropertyKey[];
    readonly message: string;
    /** Set if it says that the whole value is of another kind: what a union around it says of that. */
    readonly kind?: string;
    /** Set if it says that a key is unknown: the key that is probably meant, or an empty text. */
    readonly meantKey?: string;
    /** Set if it is about the last key of the path, not its value. */
    readonly isKey?: boolean;
    /** The words that are allowed. */
    readonly words?: readonly unknown[];
    /** Set for an issue of a union: the issues of all alternatives, and the distance of the closest one from the value. */
    readonly summary?: { readonly found: readonly Found[]; readonly distance: number };
}

/** True or false. */
export const flag = z.boolean({ message: "expected true or false" });

/** Text, which may be empty. */
export const anyText = z.string({ message: "expected text" });

/** Text that is not empty or blank. */
export const text = anyText.regex(/\S/, { message: "expected text that is not empty" });

/** A list of texts, which may be empty. */
export const anyTexts = z.array(anyText, { message: "expected a list of texts" });

/** A list of texts, none of them empty. */
export const texts = z.array(text, { message: "expected a list of texts" });

/** A function; its type is not checked. */
export const aFunction = <F>() =>
    z.custom<F>((value) => typeof value === "function", { message: "expected a function" });

/** Text for which `is` holds. The message replaces every one of zod's. */
export const matching = (is: RegExp | ((text: string) => boolean), message: string) =>
    z.string({ message }).refine((text) => (typeof is === "function" ? is(text) : is.test(text)), { message });

/** A whole number. */
export const whole = (min: number, max: number) => {
    const message = `expected a whole number from ${min} to ${max}`;
    return z.int({ message }).min(min, { message }).max(max, { message });
};

/** The issues of form in `data`; empty if it fits the schema. */
export function formIssues(schema: z.ZodType, data: unknown): FormIssue[] {
    const { error } = schema.safeParse(data);
    const found = (error?.issues ?? []).flatMap((issue) => explain(issue, schema, data));
    // A key that is misspelt is also missing: one issue is enough.
    const misspelt = new Set(found.flatMap(({ path, meantKey }) => (meantKey ? [pathText([...path, meantKey])] : [])));
    const own = found
        .filter(({ path }) => !misspelt.has(pathText(path)) || valueAt(data, path) !== undefined)
        .map(({ path, message, words, isKey }) => ({
            path,
            isKey,
            message: words ? `expected ${listed(words.map(quoted), quoted(valueAt(data, path)))}` : message,
            meant: words && nearestWord(valueAt(data, path), words),
        }))
        .map(({ path, message, meant, isKey }) => {
            const [problem, ...remedy] = [...message.split("; "), ...(meant ? [`did you mean ${meant}?`] : [])];
            const what = isKey ? `, got ${quoted(path.at(-1))}` : got(path, data, message);
            return { path: pathText(path), message: [`${problem}${what}`, ...remedy].join("; ") };
        });
    const strange = strangeIn(data)
        .filter(({ path, value }) => typeof value === "string" || isRefused(path, found, schema, data))
        .map(({ path, value }) => ({ path: pathText(path), message: strangeWords(value) ?? "" }));
    // Any other issue of such a value only says that it is one.
    const other = own.filter(({ path }) => !strange.some((one) => isWithin(path, one.path)));
    return [...other, ...strange];
}

/** Whether the schema has issues of a value that is no data, or would read it like an object with other keys. */
function isRefused(path: readonly PropertyKey[], found: readonly Found[], schema: z.ZodType, data: unknown): boolean {
    const at = pathText(path);
    const container = schemaAt(schema, path, data);
    return (
        container instanceof z.ZodObject ||
        container instanceof z.ZodRecord ||
        found.some(({ path: other, summary }) => {
            const issue = pathText(other);
            return isWithin(issue, at) || (summary !== undefined && isWithin(at, issue));
        })
    );
}

function nearestWord(value: unknown, words: readonly unknown[]): string | undefined {
    const meant = Object(value) === value ? undefined : nearest(String(value), words.map(String));
    return meant === undefined ? undefined : quoted(words.find((word) => String(word) === meant));
}

/**
 * @param source What the data is, for messages.
 * @throws {Error} With every issue of form, a line each.
 */
export function assertForm(schema: z.ZodType, data: unknown, source: string): void {
    const issues = formIssues(schema, data);
    if (issues.length > 0) {
        throw formError(issues, source);
    }
}

/**
 * @param source What the data is, for messages.
 * @throws {Error} If it is no text, list or object, or has values that are no data, such as Outputs.
 */
export function assertPlain(data: unknown, source: string): void {
    assertForm(z.union([anyText, z.record(z.string(), z.unknown()), z.array(z.unknown())]), data, source);
    const strange = strangeIn(data).map(({ path, value }) => ({
        path: pathText(path),
        message: strangeWords(value) ?? "",
    }));
    if (strange.length > 0) {
        throw formError(strange, source);
    }
}

/** All issues as one text, a line each. */
export function formError(issues: readonly FormIssue[], source = ""): Error {
    const lines = issues.map(({ path, message }) => [source, path, message].filter((part) => part !== "").join(": "));
    return new Error(lines.join("\n"));
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, data: unknown): Found[] {
    const { path } = issue;
    switch (issue.code) {
        case "unrecognized_keys": {
            const known = keysAt(schema, path, data);
            return issue.keys.map((key) => unknownKey(path, key, known, valueAt(data, path)));
        }
        case "invalid_type": {
            const message = ownMessage(issue) ?? `expected ${typeNames[issue.expected] ?? issue.expected}`;
            return [
                {
                    path,
                    message,
                    ...((issue.expected !== "int" || typeof valueAt(data, path) !== "number") && { kind: message }),
                },
            ];
        }
        case "invalid_value":
            return [{ path, message: "", words: issue.values }];
        case "invalid_union":
            return ofUnion(issue, schema, data);
        case "invalid_key":
            return issue.issues.map(({ message }) => ({ path, message, isKey: true }));
        default:
            return [{ path, message: issue.message }];
    }
}

/** The issues of the alternative that is closest to the value: the one with the fewest. */
function ofUnion(issue: z.core.$ZodIssueInvalidUnion, schema: z.ZodType, data: unknown): Found[] {
    const { path } = issue;
    const union = schemaAt(schema, path, data);
    if (issue.errors.length === 0) {
        const options = union instanceof z.ZodDiscriminatedUnion ? union.options : [];
        const key = String(path.at(-1));
        const words = options.flatMap((option) => [...(option._zod.propValues?.[key] ?? [])]);
        // A value without the key is hardly meant for this union, if others have what it has.
        const missing = valueAt(data, path) === undefined;
        const owner = path.slice(0, -1);
        const misspelt = Object.keys(valueAt(data, owner) ?? {}).find((one) => nearest(one, [key]) !== undefined);
        if (missing && misspelt !== undefined) {
            return [unknownKey(owner, misspelt, [key])];
        }
        return [{ path, message: "", words, ...(missing && { summary: { found: [], distance: 6 } }) }];
    }
    const value = valueAt(data, path);
    const branches = issue.errors.map((errors, i) => {
        const option = (union instanceof z.ZodUnion ? union.options[i] : union) as z.ZodType;
        return errors.flatMap((error) => explain(error, option, value));
    });
    const possible = branches.filter((found) => !found.some(({ kind, path: inner }) => kind && inner.length === 0));
    const found = branches.flat().flatMap((one) => [one, ...(one.summary?.found ?? [])]);
    if (possible.length === 0) {
        const words = branches.flat().map(({ kind, message }) => (kind ?? message).replace(/^expected /, ""));
        const kind = `expected ${list([...new Set(words)], "or")}`;
        return [{ path, kind, message: ownMessage(issue) ?? kind }];
    }
    const fewest = Math.min(...possible.map(distance));
    const [closest = [], ...equal] = possible.filter((branch) => distance(branch) === fewest);
    const own = ownMessage(issue);
    if (
        own !== undefined &&
        (equal.length > 0 || closest.some(({ path: inner, meantKey }) => inner.length === 0 && !meantKey))
    ) {
        return [{ path, message: own, summary: { found, distance: fewest } }];
    }
    return closest.map((one) => {
        const at = pathText(one.path);
        const words = found.flatMap((other) => (pathText(other.path) === at ? (other.words ?? []) : []));
        return { ...one, path: [...path, ...one.path], ...(one.words && { words: [...new Set(words)] }) };
    });
}

/** The issue of an unknown key. Keys that are not set yet are suggested first. */
function unknownKey(path: readonly PropertyKey[], key: string, known: readonly string[], owner: unknown = {}): Found {
    const unset = known.filter((one) => !Object.hasOwn(owner as object, one));
    const meantKey = nearest(key, unset) ?? nearest(key, known);
    const remedy = meantKey === undefined ? `remove it, or use ${listed(known, key)}` : `did you mean ${meantKey}?`;
    return { path, meantKey: meantKey ?? "", message: `unknown key ${quoted(key)}; ${remedy}` };
}

/** How far an alternative is from the value. Another word, such as another action, and an unknown key count most. */
function distance(found: readonly Found[]): number {
    return found.reduce(
        (sum, { words, meantKey, summary }) =>
            sum + (summary?.distance ?? (words || meantKey === "" ? 3 : meantKey === undefined ? 1 : 2)),
        0,
    );
}

const typeNames: Readonly<Record<string, string>> = {
    string: "text",
    array: "a list",
    object: "an object",
    record: "an object",
    boolean: "true or false",
    number: "a number",
};

/** The message that the schema gives; undefined if it is one of zod's. */
function ownMessage({ message }: { readonly message: string }): string | undefined {
    return message.startsWith("Invalid ") ? undefined : message;
}

/** Keys whose values may be secret, even if they are written into the wrong place. */
const secretKey = /^slots$|password|passphrase|secret|token|apiKey|dynamicKey|privateKey/i;

/** Shows the value that was found: of a possible secret only the type, of a list or object only its size or keys. */
function got(path: readonly PropertyKey[], data: unknown, message: string): string {
    if (message.startsWith("unknown key") || message.startsWith("duplicate ")) {
        return "";
    }
    const value = valueAt(data, path);
    const hidden =
        path.some((key) => secretKey.test(String(key))) || (typeof value === "string" && value.includes("-----BEGIN "));
    if (hidden && (typeof value === "string" || typeof value === "number")) {
        return `, got ${typeof value === "string" ? "a text" : "a number"} that may be a secret`;
    }
    return `, got ${show(value)}`;
}

function show(value: unknown): string {
    if (value === undefined) {
        return "nothing";
    }
    if (typeof value === "function") {
        return "a function";
    }
    if (Array.isArray(value)) {
        return value.length === 0 ? "an empty list" : "a list";
    }
    if (typeof value === "object" && value !== null) {
        const keys = Object.keys(value);
        return `an object${keys.length > 0 ? ` with ${list(keys.slice(0, 12), "and")}` : ""}`;
    }
    const text = typeof value === "string" ? quoted(value.replace(/\0slot:([^\0]*)\0/g, "‹$1›")) : String(value);
    return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

function quoted(value: unknown): string {
    // An object may have a toString that is no function.
    return typeof value === "string" ? JSON.stringify(value) : Object(value) === value ? show(value) : String(value);
}

/** The type with every field required, so that two types are equal if each is assignable to the other. */
type Plain<T> = T extends Leaf
    ? T
    : T extends readonly (infer E)[]
      ? Plain<E>[]
      : T extends object
        ? {
              -readonly [K in keyof Loose<T>]-?: Field<
                  Plain<Loose<T>[K]>,
                  Partial<Pick<Loose<T>, K>> extends Pick<Loose<T>, K> ? true : false
              >;
          }
        : T;

/** Types without fields of data. */
type Leaf = ((...args: never[]) => unknown) | PromiseLike<unknown> | Uint8Array | { readonly apply: unknown };

interface Field<V, Optional extends boolean> {
    value: V;
    optional: Optional;
}

/** Allows `if` beside `unless`: the model's types exclude it by a union, the schemas by a check that types cannot express. */
type Loose<T> = "unless" extends keyof T ? Omit<T, "if" | "unless"> & { if?: string[]; unless?: string[] } : T;

type Equal<A, B> = [A, B] extends [B, A] ? true : false;

/** Returns the schema. Compiles only if its output is exactly the type `T`. */
export function formOf<T>() {
    return <S extends z.ZodType>(
        schema: S & (Equal<Plain<T>, Plain<z.output<S>>> extends true ? unknown : { readonly differsFrom: T }),
    ): S => schema;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A value of the stack's config in place of one in its data. */
export interface Configured {
    /** Its key, which Pulumi.yaml declares with a type. */
    readonly config: string;
    /** Whether the field is left out if the key is not set. @default false */
    readonly optional?: true;
}

/** The type of data in which the config may stand for any value. */
export type WithConfig<T> =
    | Configured
    | (T extends readonly (infer Entry)[]
          ? readonly WithConfig<Entry>[]
          : T extends object
            ? { [K in keyof T]: WithConfig<T[K]> }
            : T);

/** What fills in the data of a stack. */
export interface Config {
    /** The text of a key without the project's name; undefined if it is not set. */
    get(key: string): string | undefined;
    /** Whether a secret is set. */
    hasSecret(key: string): boolean;
    /** Values for keys that are not set, because no host is reached. @default - a missing key is an error */
    readonly placeholders?: true;
}

/** How Pulumi.yaml declares a key. */
interface Declaration {
    readonly type?: string;
    readonly description?: string;
}

/**
 * The data with the config's values in it, and the keys that it names.
 *
 * @param source of the data, for messages
 * @throws {Error} With every key that is not declared in Pulumi.yaml, or not set, one per line, and with every secret that is not set.
 */
export function withConfig(
    data: unknown,
    config: Config,
    { source, stack, directory }: { readonly source: string; readonly stack: string; readonly directory: string },
): { readonly data: unknown; readonly keys: readonly string[] } {
    const places = [...placesIn(data)];
    const keys = [...new Set(places.map(({ named }) => named.config))];
    if (keys.length === 0) {
        return { data, keys };
    }
    const declared = declarations(directory);
    const set = (key: string) => `npm run pulumi -- config set ${key} --stack ${stack}`;
    const problems = new Map<string, string>();
    for (const { path, named } of firstPlaces(places)) {
        const { config: key, optional } = named;
        const { type, description } = declared[key] ?? {};
        if (type === undefined) {
            const remedy = `declare it there, with a type, or use one of ${Object.keys(declared).join(", ")}`;
            problems.set(key, `${source}: ${path}: config key ${key}: Pulumi.yaml does not declare it; ${remedy}`);
        } else if (!optional && !isSet(config.get(key)) && !config.placeholders) {
            const what = description === undefined ? "" : ` (${description.replace(/\.$/, "")})`;
            problems.set(key, `${source}: ${path}: config key ${key}${what}: not set; ${set(example(key, type))}`);
        }
    }
    if (problems.size > 0) {
        // All that the config lacks, in one error.
        for (const secret of new Set(secretsIn(data))) {
            if (!config.hasSecret(secret)) {
                problems.set(`secret ${secret}`, `${source}: ${missingSecret(secret, stack)}`);
            }
        }
        throw new Error([...problems.values()].join("\n"));
    }
    const valueFor = ({ config: key, optional }: Configured, field: string) => {
        const text = config.get(key);
        const { type = "string" } = declared[key] ?? {};
        if (isSet(text)) return typed(text, type);
        return optional ? undefined : placeholder(type, field);
    };
    return { data: filled(data, valueFor), keys };
}

/** What is wrong if a secret is not set, and what to do. */
export function missingSecret(name: string, stack: string): string {
    const remedy = `set it with npm run pulumi -- config set --secret ${name} --stack ${stack}`;
    return `secret ${name}: it is not in the config of the stack; ${remedy}`;
}

/** Whether a key has a value. Pulumi requires keys without a default in every stack, so Pulumi.yaml has empty ones. */
export function isSet(text: string | undefined): text is string {
    return text !== undefined && !["", "[]", "{}", "0"].includes(text);
}

function isConfigured(value: unknown): value is Configured {
    return (
        isRecord(value) &&
        typeof value.config === "string" &&
        Object.keys(value).every((key) => key === "config" || key === "optional")
    );
}

/** The first place of each key. */
function firstPlaces(places: readonly Place[]): Place[] {
    return places.filter((place) => place === places.find(({ named }) => named.config === place.named.config));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** A value that the config has. */
interface Place {
    readonly path: string;
    readonly named: Configured;
}

function* placesIn(value: unknown, path = ""): Generator<Place> {
    if (isConfigured(value)) {
        yield { path, named: value };
    } else if (Array.isArray(value)) {
        for (const [n, entry] of value.entries()) yield* placesIn(entry, `${path}[${n}]`);
    } else if (isRecord(value)) {
        for (const [key, entry] of Object.entries(value)) yield* placesIn(entry, path === "" ? key : `${path}.${key}`);
    }
}

/** The names of secrets, as data has them. */
function secretsIn(value: unknown): string[] {
    if (Array.isArray(value)) return value.flatMap(secretsIn);
    if (!isRecord(value)) return [];
    return Object.entries(value).flatMap(([key, entry]) =>
        (key === "secret" || key === "passwordSecret") && typeof entry === "string" ? [entry] : secretsIn(entry),
    );
}

function filled(value: unknown, valueFor: (named: Configured, field: string) => unknown, field = ""): unknown {
    if (isConfigured(value)) return valueFor(value, field);
    if (Array.isArray(value)) return value.map((entry) => filled(entry, valueFor, field));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
        Object.entries(value)
            .map(([key, entry]) => [key, filled(entry, valueFor, key)] as const)
            .filter(([, entry]) => entry !== undefined),
    );
}

/** The keys that Pulumi.yaml declares. */
function declarations(directory: string): Readonly<Record<string, Declaration>> {
    // Most stacks name no key, and do without the parser.
    const { parse } = require("yaml") as typeof import("yaml");
    const project = parse(readFileSync(join(directory, "Pulumi.yaml"), "utf8")) as {
        readonly config?: Readonly<Record<string, Declaration>>;
    };
    return project.config ?? {};
}

/** The CLI judges the type. A check runs without the CLI, so a text of another type stays a text, which the form of the stack refuses. */
function typed(text: string, type: string): unknown {
    if (type === "string") return text;
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

/** A host key that no host has. */
export const placeholderHostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** A value of the type, for checks that reach no host. An object is left out. The form of a stack judges the text of a host key. */
function placeholder(type: string, field: string): unknown {
    const string = field === "hostKey" ? placeholderHostKey : "placeholder";
    const values: Readonly<Record<string, unknown>> = { string, integer: 1, array: ["192.0.2.1"] };
    return values[type];
}

/** The rest of the command that sets a key. */
function example(key: string, type: string): string {
    if (type === "array") return `--path '${key}[0]' VALUE`;
    return type === "object" ? `--path ${key}.FIELD VALUE` : `${key} VALUE`;
}

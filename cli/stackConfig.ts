import { existsSync } from "node:fs";
import { join } from "node:path";
import { fullKey, type Project, readYaml } from "./project";

/** Config of a stack, by full key, such as `edge:probe`. */
export interface StackConfig {
    /** Texts, as the SDK takes them; objects as JSON. */
    readonly values: Readonly<Record<string, string>>;
    readonly secretKeys: readonly string[];
    /** Secrets that nothing could decrypt: programs get unknown values for them. */
    readonly hiddenKeys: readonly string[];
    /** What people need to know. */
    readonly notes: readonly string[];
}

/** Stands for a secret where a program reads it as plain text. */
const PLACEHOLDER = "placeholder";

/**
 * The config of a stack as its file has it, without the state and without a passphrase: secrets stay hidden.
 *
 * @throws {Error} If the file is not valid.
 */
export function configFromFile(project: Project, stack: string): StackConfig {
    const files = ["yaml", "yml"].map((extension) => join(project.configDirectory, `Pulumi.${stack}.${extension}`));
    const file = files.find((each) => existsSync(each));
    const data = (file === undefined ? {} : readYaml(file)) as {
        readonly config?: Readonly<Record<string, unknown>>;
        readonly environment?: unknown;
    };
    const declared = Object.entries(data.config ?? {}).map(([key, value]) => [fullKey(project.name, key), value]);
    const settings: Record<string, unknown> = {
        ...Object.fromEntries(Object.entries(project.config).map(([key, { value }]) => [key, value])),
        ...Object.fromEntries(declared),
    };
    const known = Object.entries(settings).filter(([, value]) => value !== undefined && value !== null);
    const secretKeys = known.filter(([, value]) => holdsSecret(value)).map(([key]) => key);
    const environments = data.environment === undefined ? [] : ["values of its environments are not read"];
    return {
        values: Object.fromEntries(known.map(([key, value]) => [key, textOf(value)])),
        secretKeys,
        hiddenKeys: secretKeys,
        notes: environments,
    };
}

/** The config that `pulumi config --json --show-secrets` prints. Errors quote nothing, because secrets are among the values. */
export function configFromCli(text: string): StackConfig {
    let data: Readonly<Record<string, { readonly value?: string; readonly secret?: boolean }>>;
    try {
        data = JSON.parse(text);
    } catch {
        throw new Error("pulumi config --json: it printed no JSON; run it by hand, without --show-secrets, to see why");
    }
    const values = Object.entries(data).flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]]));
    const secretKeys = Object.keys(data).filter((key) => data[key]?.secret === true);
    return { values: Object.fromEntries(values), secretKeys, hiddenKeys: [], notes: [] };
}

function holdsSecret(value: unknown): boolean {
    return isSecret(value) || (isObject(value) && Object.values(value).some(holdsSecret));
}

/** Whether it is an encrypted value: `{ secure: TEXT }`. */
function isSecret(value: unknown): boolean {
    return isObject(value) && Object.keys(value).join() === "secure" && typeof value.secure === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string {
    return isSecret(value) ? PLACEHOLDER : isObject(value) ? JSON.stringify(shown(value)) : String(value);
}

function shown(value: unknown): unknown {
    if (!isObject(value)) {
        return value;
    }
    if (isSecret(value)) {
        return PLACEHOLDER;
    }
    return Array.isArray(value)
        ? value.map(shown)
        : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]));
}

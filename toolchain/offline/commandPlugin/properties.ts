// Property values on the wire, and the checks and the diff that release 1.2.1 derives from its schema.
import { isDeepStrictEqual } from "node:util";

/** A property as the engine sends it; secrets are wrapped. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
/** The properties of a resource, or of an object in one. */
export type Properties = { [key: string]: Value };

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
/** Stands for a value that is not known during a preview. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const isObject = (value: Value | undefined): value is Properties =>
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

const wrap = (value: Value): Value => ({ [signature]: secretSignature, value });
/** The value as one secret. */
export const secret = (value: Value): Value => wrap(reveal(value));

type Kind = "string" | "number" | "integer" | "bool" | "map" | "array" | "connection" | "proxy";

const proxyFields: Record<string, Kind> = {
    agentSocketPath: "string",
    dialErrorLimit: "integer",
    host: "string",
    hostKey: "string",
    password: "string",
    perDialTimeout: "integer",
    port: "number",
    privateKey: "string",
    privateKeyPassword: "string",
    user: "string",
};
const fieldsOf = {
    command: {
        addPreviousOutputInEnv: "bool",
        connection: "connection",
        create: "string",
        delete: "string",
        environment: "map",
        logging: "string",
        stdin: "string",
        triggers: "array",
        update: "string",
    } as Record<string, Kind>,
    connection: { ...proxyFields, proxy: "proxy" } as Record<string, Kind>,
    proxy: proxyFields,
};
const requiredOf = { command: ["connection"], connection: ["host"], proxy: ["host"] };
const connectionDefaults: Properties = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
/** A state holds these and the results. */
export const inputNames = Object.keys(fieldsOf.command);

/** What is wrong with a property. */
export interface Failure {
    /** A property of the command itself, never a field of its connection. */
    property: string;
    reason: string;
}

/**
 * What is wrong with the inputs of a command. As in the real plugin, a wrong field of the connection is a failure of `connection`, and
 * the engine prints the value of a property that fails: the whole connection, private key included (pulumi-command issue 773).
 */
export const findFailures = (inputs: Properties): Failure[] =>
    problemsOf(inputs, "command").map(([property, reason]) => ({ property, reason }));

/** The wrong fields of an object, each with what is wrong about it. */
function problemsOf(fields: Properties, type: keyof typeof fieldsOf): [name: string, problem: string][] {
    const problems: [string, string][] = requiredOf[type]
        .filter((name) => fields[name] === undefined)
        .map((name) => [name, `'${name}' is required`]);
    for (const [name, given] of Object.entries(fields)) {
        const value = reveal(given);
        const kind = fieldsOf[type][name];
        if (kind === undefined) {
            // The engine adds keys of its own, such as __defaults.
            if (!name.startsWith("__")) problems.push([name, `'${name}' is no known property`]);
        } else if (value !== unknown) {
            const problem = problemOf(name, value, kind);
            if (problem) problems.push([name, problem]);
        }
    }
    return problems;
}

function problemOf(name: string, value: Value, kind: Kind): string | undefined {
    if ((kind === "connection" || kind === "proxy") && isObject(value)) {
        const nested = problemsOf(value, kind).map(([, problem]) => problem);
        return nested.length ? `'${name}' cannot be read: ${nested.join("; ")}` : undefined;
    }
    return hasKind(value, kind) ? undefined : `'${name}' must be a ${kind}, got ${nameOf(value)}`;
}

function hasKind(value: Value, kind: Kind): boolean {
    switch (kind) {
        case "map":
            return isObject(value) && Object.values(value).every((member) => typeof member === "string");
        case "array":
            return Array.isArray(value);
        case "bool":
            return typeof value === "boolean";
        case "integer":
            return typeof value === "number"; // A fraction is cut, see below.
        default:
            return typeof value === kind;
    }
}

const nameOf = (value: Value) => (Array.isArray(value) ? "array" : isObject(value) ? "map" : typeof value);

const secretFields = ["password", "privateKey", "privateKeyPassword"];

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

/**
 * The checked inputs: the connection's defaults filled in and fractions of integers cut. The connection is secret, and so are the secret
 * fields in it, so that a state of the real plugin shows no difference.
 */
export function withDefaults(inputs: Properties): Properties {
    const field = (name: string, value: Value): Value => {
        if (secretFields.includes(name)) return secret(value);
        if (name === "proxy" && isObject(value)) return endpoint(value);
        return fieldsOf.connection[name] === "integer" && typeof value === "number" ? Math.trunc(value) : value;
    };
    const endpoint = (given: Properties): Properties =>
        Object.fromEntries(
            Object.entries({ ...connectionDefaults, ...given }).map(([name, value]) => [name, field(name, value)]),
        );
    const connection = reveal(inputs.connection ?? null);
    return { ...inputs, connection: wrap(isObject(connection) ? endpoint(connection) : connection) };
}

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

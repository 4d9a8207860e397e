// The checks and the defaults that release 1.2.1 derives from its schema.
import type { Failure } from "../provider/resourceType";
import { isObject, type Properties, reveal, secret, unknown, type Value, wrap } from "../provider/values";

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

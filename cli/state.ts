import type { ResourceOutputs } from "./program";

/** How the engine marks secrets, in states and on the wire. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Type of a converged host, and of the command that converges it, its child. */
export const HOST = "haproxy-fleet:index:ConvergedHost";
export const COMMAND = "command:remote:Command";

/** A resource of a stack, as `pulumi stack export --show-secrets` prints it. */
export interface StateResource {
    readonly urn: string;
    readonly id?: string;
    readonly parent?: string;
    /** Its replacement exists already, and it is to be deleted. */
    readonly delete?: boolean;
    /** It is deleted already, and its replacement does not exist yet. */
    readonly pendingReplacement?: boolean;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What names a resource. */
export interface UrnParts {
    readonly stack: string;
    readonly project: string;
    /** Its own type, without those of its parents. */
    readonly type: string;
    /** That of the parent; undefined for children of the stack. */
    readonly parentType?: string;
    readonly name: string;
}

/** The parts of `urn:pulumi:STACK::PROJECT::PARENTS$TYPE::NAME`. A name may contain the separator. */
export function urnParts(urn: string): UrnParts {
    const [scope = "", project = "", types = "", ...name] = urn.split("::");
    const stack = scope.replace(/^urn:pulumi:/, "");
    const [type = "", parentType] = types.split("$").reverse();
    return { stack, project, type, ...(parentType !== undefined && { parentType }), name: name.join("::") };
}

/**
 * The resources in an exported state, in its order.
 *
 * @throws {Error} If the text is no state. Errors quote nothing of it, because it holds secrets.
 */
export function resourcesIn(text: string): readonly StateResource[] {
    let state: { readonly deployment?: { readonly resources?: readonly StateResource[] } };
    try {
        state = JSON.parse(text);
    } catch {
        throw new Error("pulumi stack export: it printed no JSON; run it by hand, without --show-secrets, to see why");
    }
    return state.deployment?.resources ?? [];
}

/**
 * The outputs of a stack's resources, by type and name. Those of resources that share both are not given, because nothing says which
 * of them is meant.
 *
 * @param text the exported state; errors quote nothing of it, because it holds secrets
 */
export function outputsIn(text: string): (type: string, name: string) => ResourceOutputs | undefined {
    const found = new Map<string, ResourceOutputs | undefined>();
    for (const { urn, id, outputs = {}, delete: obsolete = false } of resourcesIn(text)) {
        const { type, name } = urnParts(urn);
        const key = `${type} ${name}`;
        if (!obsolete) {
            const known = { id, outputs: withSecrets(outputs, wired) as ResourceOutputs["outputs"] };
            found.set(key, found.has(key) ? undefined : known);
        }
    }
    return (type, name) => found.get(`${type} ${name}`);
}

/** A value of the state with its secrets in plain text. */
export function revealed(value: unknown): unknown {
    return withSecrets(value, (plain) => plain);
}

/** The form in which the engine sends a secret. */
function wired(value: unknown): unknown {
    return { [SIGNATURE]: SECRET, value };
}

/** A value of the state, each secret in it in another form. */
function withSecrets(value: unknown, form: (plain: unknown) => unknown): unknown {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (Array.isArray(value)) {
        return value.map((inner) => withSecrets(inner, form));
    }
    const { [SIGNATURE]: signature, plaintext } = value as Readonly<Record<string, unknown>>;
    if (signature === SECRET && typeof plaintext === "string") {
        return form(withSecrets(parsedSecret(plaintext), form));
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withSecrets(inner, form)]));
}

/** Node's own message would quote the secret. */
function parsedSecret(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        throw new Error("pulumi stack export: it printed a secret that is no JSON; update the Pulumi CLI");
    }
}

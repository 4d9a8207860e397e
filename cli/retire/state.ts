import type { ResourceOutputs } from "../program";

/** How the engine marks secrets, in states and on the wire. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What `pulumi stack export --show-secrets` prints. */
interface State {
    readonly deployment?: {
        readonly resources?: readonly {
            readonly urn: string;
            readonly id?: string;
            readonly delete?: boolean;
            readonly outputs?: Readonly<Record<string, unknown>>;
        }[];
    };
}

/**
 * The outputs of a stack's resources, by type and name. Those of resources that share both are not given, because nothing says which
 * of them is meant.
 *
 * @param text the exported state; errors quote nothing of it, because it holds secrets
 */
export function outputsIn(text: string): (type: string, name: string) => ResourceOutputs | undefined {
    let state: State;
    try {
        state = JSON.parse(text);
    } catch {
        throw new Error("pulumi stack export: it printed no JSON; run it by hand, without --show-secrets, to see why");
    }
    const found = new Map<string, ResourceOutputs | undefined>();
    for (const { urn, id, outputs = {}, delete: obsolete = false } of state.deployment?.resources ?? []) {
        // urn:pulumi:STACK::PROJECT::TYPES::NAME, and a name may contain the separator.
        const [, , types = "", ...name] = urn.split("::");
        const key = `${types.split("$").at(-1)} ${name.join("::")}`;
        if (!obsolete) {
            const known = { id, outputs: revealed(outputs) as ResourceOutputs["outputs"] };
            found.set(key, found.has(key) ? undefined : known);
        }
    }
    return (type, name) => found.get(`${type} ${name}`);
}

/** The outputs with secrets in the form in which the engine sends them. */
function revealed(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (Array.isArray(value)) {
        return value.map(revealed);
    }
    const { [SIGNATURE]: signature, plaintext } = value as Readonly<Record<string, unknown>>;
    if (signature === SECRET && typeof plaintext === "string") {
        return { [SIGNATURE]: SECRET, value: revealed(JSON.parse(plaintext)) };
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

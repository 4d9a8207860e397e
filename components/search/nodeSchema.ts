import { z } from "zod";
import { formOf, matching, text, whole } from "../forms";
import { isAddress, isHostName } from "../haproxy";

/** A host name or an IP address. */
export const address = matching((text) => isAddress(text) || isHostName(text), "expected an IP address or a host name");

/** A TCP port. */
export const port = whole(1, 65_535);

/** The weight of a server. */
export const weight = whole(0, 256);

/** Public host key, in the form of known_hosts. No RSA, because the SSH client of the command plugin negotiates other types first. */
export const hostKey = matching(
    /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+$/,
    'expected a public host key, "ssh-ed25519 AAAA…" or "ecdsa-sha2-nistp256 AAAA…" (print it with ssh-keyscan)',
);

/** A name of a host or an environment. */
export const name = matching(
    /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/,
    "expected 1 to 63 lower-case letters, digits, - and .",
);

/** `<cookbook>::<recipe>`, for example `ecom-platform::app`. */
export const runListEntry = matching(
    /^[a-z0-9][a-z0-9_-]*::[a-z0-9][a-z0-9_-]*$/,
    'expected "<service>::<recipe>" in lower case, like "ecom-platform::app"',
);

/** A node of the inventory: a load balancer, an app server, or any other host. */
export interface Node {
    /** Unique in its environment; the name of the server in haproxy.cfg and of the host in Pulumi. */
    name: string;
    /** Host name or IP address, unique in its environment. */
    address: string;
    /** The environment that it belongs to, such as `prod`. */
    environment: string;
    /** Chef's run list: the tags of the node, each `<service>::<recipe>`. */
    runList: string[];
    /** Data centre or zone, for `backupFacility` of services. @default - none */
    facility?: string;
    /** Port of its servers, whatever the service. @default - that of the search */
    port?: number;
    /** Weight of its servers, 0 to 256. @default - that of the service */
    weight?: number;
    /** How to log in; required on nodes that are converged. @default - not converged */
    ssh?: NodeLogin;
}

/** How to log in to a node. */
export interface NodeLogin {
    /** Login name. @default - that of the stack */
    user?: string;
    /** The node's public key, `ssh-ed25519 AAAA…` or ecdsa, as ssh-keyscan prints it. */
    hostKey: string;
    /** TCP port of sshd. @default 22 */
    port?: number;
}

const nodeSchema = formOf<Node>()(
    z.strictObject({
        name,
        address,
        environment: name,
        runList: z.array(runListEntry),
        facility: name.optional(),
        port: port.optional(),
        weight: weight.optional(),
        ssh: z.strictObject({ user: text.optional(), hostKey, port: port.optional() }).optional(),
    }),
);

/** All nodes. Names and addresses are unique per environment, which is judged even if the nodes have other issues. */
export const nodesSchema = z.array(nodeSchema).superRefine(
    (nodes: readonly (Partial<Node> | null)[], context) => {
        for (const key of ["name", "address"] as const) {
            const seen = new Map<string, number>();
            nodes.forEach((node, index) => {
                const value = node?.[key];
                const id = JSON.stringify([node?.environment, value]);
                const first = seen.get(id);
                if (first !== undefined && value !== undefined) {
                    const message = `duplicate ${key} ${JSON.stringify(value)}; nodes[${first}] in ${node?.environment} has it`;
                    context.addIssue({ code: "custom", path: [index, key], message });
                }
                seen.set(id, first ?? index);
            });
        }
    },
    { when: ({ value }) => Array.isArray(value) },
);

import { z } from "zod";
import { isAddress, isHostName, isPort } from "../haproxy/model/addresses";

/** Text of a form; the message says which, whatever else was found. */
export const matching = (form: RegExp, message: string) => z.string({ message }).regex(form, { message });

/** A host name or an IP address. */
export const address = z
    .string({ message: "expected an IP address or a host name" })
    .refine((text) => isAddress(text) || isHostName(text), { message: "expected an IP address or a host name" });

/** A TCP port. */
export const port = z
    .number({ message: "expected a whole number from 1 to 65535" })
    .refine(isPort, { message: "expected a whole number from 1 to 65535" });

/** Public host key as in known_hosts. RSA is left out: the SSH client of the provider negotiates others first. */
export const hostKey = matching(
    /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]+$/,
    'expected a public host key "ssh-ed25519 AAAA…" or "ecdsa-sha2-nistp256 AAAA…" (print it with ssh-keyscan)',
);

/** A name of a host, an environment or a service: 1 to 63 lower case letters, digits, hyphens and dots. */
export const name = matching(
    /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/,
    "expected 1 to 63 lower case letters, digits, - and .",
);

/** `<cookbook>::<recipe>`, for example `ecom-platform::app`. */
export const runListEntry = matching(
    /^[a-z0-9][a-z0-9_-]*::[a-z0-9][a-z0-9_-]*$/,
    'expected "<service>::<recipe>" in lower case, like "ecom-platform::app"',
);

/** A host as the inventory knows it. */
const nodeSchema = z.strictObject({
    /** Unique in its environment; names the server in haproxy.cfg and the host in Pulumi. */
    name,
    address,
    environment: name,
    /** Chef's run list: what the host is. */
    runList: z.array(runListEntry),
    /** Data centre or zone, for `backupFacility` of services. @default - none */
    facility: name.optional(),
    /** How to log in; needed on hosts that are converged. */
    ssh: z
        .strictObject({
            /** @default - that of the stack */
            user: z.string().min(1).optional(),
            hostKey,
            /** @default 22 */
            port: port.optional(),
        })
        .optional(),
});

/** All nodes; a name or an address occurs once per environment, which is judged even where other things are wrong. */
export const nodesSchema = z.array(nodeSchema).superRefine(
    (nodes: readonly (Partial<Node> | null)[], context) => {
        for (const key of ["name", "address"] as const) {
            const seen = new Map<string, number>();
            nodes.forEach((node, index) => {
                const id = `${node?.environment} ${node?.[key]}`;
                const first = seen.get(id);
                if (first !== undefined && node?.[key] !== undefined) {
                    const message = `expected what no other node has, but [${first}] in ${node.environment} has it too`;
                    context.addIssue({ code: "custom", path: [index, key], message });
                }
                seen.set(id, first ?? index);
            });
        }
    },
    { when: ({ value }) => Array.isArray(value) },
);

/** A host that the inventory knows. */
export type Node = z.infer<typeof nodeSchema>;

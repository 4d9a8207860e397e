import { z } from "zod";
import { address, hostKey, matching, name, nodesSchema, port, runListEntry } from "../components/search/nodeSchema";
import { faultsOf } from "../components/search/zodErrors";
import { absolutePath, configKey, service, text, timeouts } from "./schema/service";

const bastion = z.strictObject({
    address,
    /** @default - that of the hosts */
    user: text.optional(),
    /** @default 22 */
    port: port.optional(),
    hostKey,
});

const ssh = z.strictObject({
    /** Login. @default "root" */
    user: text.optional(),
    /** Host to go through. @default - none */
    bastion: bastion.optional(),
    /**
     * From the project's directory; its passphrase, if it has one, is config `haproxy-fleet:sshPrivateKeyPassword`.
     * @default - config `haproxy-fleet:sshPrivateKey`, else the ssh agent
     */
    privateKeyFile: text.optional(),
    /** How the login becomes root. @default - it is root */
    become: z.literal("sudo", { message: 'expected "sudo"' }).optional(),
});

const haproxy = z.strictObject({
    /** Lowest HAProxy version among the hosts. */
    version: matching(/^\d+\.\d+$/, 'expected a release in quotes like "2.6"'),
    /** Connections per host. Costs two file descriptors each. @default 50000 */
    maxconn: z.int({ message: "expected a whole number" }).min(1, { message: "expected at least 1" }).optional(),
    /** Port that clients connect to, of services with http that name none. @default 80 */
    port: port.optional(),
    /** Hosts of services without routes are looked up in a map, for hundreds of services. @default false */
    hostMap: z.boolean().optional(),
    /** On 127.0.0.1, by which tables of services outlive a reload; `false`: they do not. @default 8406 */
    peersPort: z.union([port, z.literal(false)], { message: "expected a port, or false" }).optional(),
    /** Whether services are served on IPv6 addresses too. @default false */
    ipv6: z.boolean({ message: "expected true or false" }).optional(),
    /** Section `defaults`. @default - HAProxy's words for them are in docs/stacks.md */
    defaults: z.strictObject({ balance: text.optional(), timeouts: z.strictObject(timeouts).optional() }).optional(),
    /** Parts of lines in which HAProxy's own check warns, and may. Any other warning is a refusal. @default [] */
    allowWarnings: z.array(text).optional(),
    /** Workers of earlier reloads that may still have connections when the next one comes: more make it wait. @default 5 */
    oldWorkers: z.int({ message: "expected a whole number" }).min(1, { message: "expected at least 1" }).optional(),
});

const stats = z.strictObject({
    bind: z.strictObject({
        /** @default - all */ address: z.union([z.ipv4(), z.ipv6()], { message: "expected an IP address" }).optional(),
        port,
    }),
    /** @default "/stats" */
    uri: absolutePath.optional(),
    /** @default "10s" */
    refresh: text.optional(),
    /** `passwordSecret`: key in the stack's Pulumi config that holds the password, encrypted. @default - open to all */
    auth: z.strictObject({ user: text, passwordSecret: configKey }).optional(),
});

/** What a file of stacks/ may say. Data only: everything computed is computed elsewhere. */
export const stackSchema = z.strictObject({
    environment: name,
    /** Where nodes are searched: a JSON file, from the project's directory, or the nodes themselves. */
    inventory: z
        .strictObject({ file: text.optional(), nodes: nodesSchema.optional() })
        .refine(({ file, nodes }) => (file === undefined) !== (nodes === undefined), {
            message: "expected either file or nodes",
        }),
    /** The hosts that are converged: nodes with this tag. Each needs `ssh.hostKey`. */
    loadBalancers: z.strictObject({ tag: runListEntry }),
    ssh,
    haproxy,
    services: z.array(service).min(1, { message: "expected at least one service" }),
    /** @default - no statistics page */
    stats: stats.optional(),
});

/** A stack as its file writes it. */
export type Stack = z.input<typeof stackSchema>;

/**
 * Checks a stack's data.
 *
 * @param place Its file, for messages.
 * @throws {Error} With every fault, one a line.
 */
export function parseStack(data: unknown, place: string): Stack {
    const result = stackSchema.safeParse(data);
    if (!result.success) {
        throw new Error(faultsOf(result.error, stackSchema, data, place).join("\n"));
    }
    return result.data;
}

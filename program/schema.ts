import { z } from "zod";
import { formError, formIssues, formOf, text, texts } from "../components/forms";
import {
    type HaproxySettings,
    type Service,
    type StatsSettings,
    services,
    settingsShape,
    stats,
} from "../components/haproxy";
import { optionsShape } from "../components/recipes/haproxy";
import { address, hostKey, type Node, name, nodesSchema, port, runListEntry } from "../components/search/nodeSchema";

/** The data of a stack's file: see docs/stacks.md. */
export interface Stack {
    /** Environment whose nodes are searched. */
    readonly environment: string;
    /** The nodes: either a JSON file, relative to the project's directory, or a list. */
    readonly inventory: { readonly file?: string; readonly nodes?: readonly Node[] };
    /** Tag of the nodes to converge. Each of them needs `ssh.hostKey`. */
    readonly loadBalancers: { readonly tag: string };
    readonly ssh: SshSettings;
    readonly haproxy: HaproxySettings & HostSettings;
    readonly services: readonly Service[];
    /** @default - no statistics page */
    readonly stats?: StatsSettings;
}

/** How to log in to the load balancers. */
export interface SshSettings {
    /** @default "root" */
    readonly user?: string;
    /** Host to connect through; `user` and `port` are by default those of the load balancers, and 22. @default - none */
    readonly bastion?: {
        readonly address: string;
        readonly user?: string;
        readonly port?: number;
        readonly hostKey: string;
    };
    /**
     * File of the private key, relative to the project's directory. Its passphrase, if it has one, is config
     * `haproxy-fleet:sshPrivateKeyPassword`.
     * @default - config `haproxy-fleet:sshPrivateKey`, else the ssh agent
     */
    readonly privateKeyFile?: string;
    /** How the login becomes root. @default - it is root */
    readonly become?: "sudo";
}

/** Settings that do not change haproxy.cfg. */
export interface HostSettings {
    /** Ids of warnings to leave out, such as `unused-backend`. Errors cannot be ignored. @default [] */
    readonly ignoreIssues?: string[];
    /** Substrings of `haproxy -c` warnings to accept; any other warning refuses the configuration. @default [] */
    readonly allowWarnings?: string[];
    /** Old workers that may still have connections when the next reload is due; if there are more, the reload waits. @default 5 */
    readonly oldWorkers?: number;
    /** How long after an activation a host goes on to see that servers are up; `"10m"` at most. @default "0" */
    readonly bake?: string;
}

const { allowWarnings, oldWorkers, bake } = optionsShape;

const stackSchema = formOf<Stack>()(
    z.strictObject({
        environment: name,
        inventory: z
            .strictObject({ file: text.optional(), nodes: nodesSchema.optional() })
            .refine(({ file, nodes }) => (file === undefined) !== (nodes === undefined), {
                message: "expected either file or nodes",
            }),
        loadBalancers: z.strictObject({ tag: runListEntry }),
        ssh: z.strictObject({
            user: text.optional(),
            bastion: z.strictObject({ address, user: text.optional(), port: port.optional(), hostKey }).optional(),
            privateKeyFile: text.optional(),
            become: z.literal("sudo").optional(),
        }),
        haproxy: z.strictObject({ ...settingsShape, ignoreIssues: texts.optional(), allowWarnings, oldWorkers, bake }),
        services,
        stats: stats.optional(),
    }),
);

/**
 * Judges the form of a stack's data.
 *
 * @param source Its file, for messages.
 * @throws {Error} With every issue of form, one per line.
 */
export function parseStack(data: unknown, source: string): Stack {
    const issues = formIssues(stackSchema, data);
    if (issues.length > 0) {
        throw formError(issues, source);
    }
    return data as Stack;
}

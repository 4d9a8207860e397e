import { z } from "zod";
import { ec2HostsSettingsForm } from "../components/aws/settings";
import type { Ec2HostsSettings } from "../components/aws/types";
import { formError, formIssues, formOf, matching, text, texts } from "../components/forms";
import {
    type HaproxySettings,
    type MetricsSettings,
    metrics,
    type Service,
    type StatsSettings,
    services,
    settingsShape,
    stats,
} from "../components/haproxy";
import { type Differences, differencesShape } from "../components/hostDifferences";
import { type HostSetup, hostSetupShape } from "../components/hostSetup";
import { type ElasticIp, type PairMember, type PairSettings, pairShape } from "../components/keepalived";
import { optionsShape } from "../components/recipes/haproxy";
import type { Ec2Search } from "../components/search";
import { ec2SearchForm } from "../components/search/ec2Search";
import { address, hostKey, type Node, name, nodesSchema, port, runListEntry } from "../components/search/nodeSchema";
import { type CertificateArguments, certificatesShape, type NamedText } from "../components/tls";
import type { WithConfig } from "./configValues";

/** The data of a stack's file, with one group of load balancers: see docs/stacks.md. */
export interface Stack extends StackSettings, Group {}

/** The data of a stack's file with several groups, by name. */
export interface StackOfGroups extends StackSettings {
    readonly groups: Readonly<Record<string, Group>>;
}

/** What all groups of a stack share. */
export interface StackSettings {
    /** Environment whose nodes are searched. */
    readonly environment: string;
    /** The nodes: a JSON file, relative to the project's directory, or a list; or EC2's instances, alone or with one of them. */
    readonly inventory: { readonly file?: string; readonly nodes?: readonly Node[]; readonly ec2?: Ec2Search };
    readonly ssh: SshSettings;
}

/** The data of a stack's file, in which the stack's config may have any value: `{ config: "vpc" }`. */
export type StackData = WithConfig<Stack> | WithConfig<StackOfGroups>;

/** Load balancers with one configuration. */
export interface Group extends CertificateArguments<NamedText>, HostSetup<NamedSecret> {
    /** What to converge: nodes by their tag, each with `ssh.hostKey`, or EC2 instances that the stack provisions. */
    readonly loadBalancers: { readonly tag: string } | { readonly ec2: Ec2HostsSettings };
    /** @default {} */
    readonly haproxy?: HaproxySettings & HostSettings;
    readonly services: readonly Service[];
    /** @default - no statistics page */
    readonly stats?: StatsSettings;
    /** @default - none, or on 127.0.0.1:8405 if `datadog` is declared */
    readonly metrics?: MetricsSettings;
    /** What differs on single load balancers, by their names. @default {} */
    readonly hosts?: Readonly<Record<string, GroupHost>>;
    /** What the two load balancers of a pair share. @default - each load balancer has its own address only */
    readonly pair?: GroupPair;
}

/** What differs on a load balancer, and where it is in a pair. */
export interface GroupHost extends Differences {
    /** Its own IPv4 address on the network of the pair. @default - that of the node */
    readonly address?: string;
    /** Where the elastic IP address of a pair leads while this host is MASTER. @default - as the stack provisions it */
    readonly elastic?: PairMember["elastic"];
}

/**
 * What the hosts of a pair share. If the stack provisions them, it has their elastic IP address, so that only its `endpoint` may be
 * declared.
 */
export interface GroupPair extends Omit<PairSettings<NamedSecret>, "elasticIp"> {
    readonly elasticIp?: Partial<ElasticIp>;
    /** Name of the preferred host, which has the higher priority. @default - the first by name, found or provisioned */
    readonly first?: string;
}

/** A secret in the stack's config, by its key. */
export type NamedSecret = Extract<NamedText, { readonly secret: string }>;

/** The name of the only group of a stack. */
const onlyGroup = "edge";

/** The groups of a stack by name, each with the beginning of its paths in the data. */
export function groupsOf(
    stack: Stack | StackOfGroups,
): { readonly name: string; readonly group: Group; readonly at: string }[] {
    return "groups" in stack
        ? Object.entries(stack.groups).map(([name, group]) => ({ name, group, at: `groups.${name}.` }))
        : [{ name: onlyGroup, group: stack, at: "" }];
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
    /** How long the gate goes on to watch the servers after an activation; `"10m"` at most. @default "0" */
    readonly bake?: string;
    /** How serving hosts get what is declared anew: see LoadBalancerFleetArgs. @default "oneByOne" */
    readonly roll?: "oneByOne" | "allAtOnce";
}

const { allowWarnings, oldWorkers, bake } = optionsShape;

const namedSecret = formOf<NamedSecret>()(
    z.strictObject({
        secret: matching(/^[A-Za-z0-9_.-]+$/, 'expected a key in the stack\'s config, as in "shop-key"'),
    }),
);
const namedText = formOf<NamedText>()(
    z.union([namedSecret, z.strictObject({ file: text })], {
        message: 'expected { secret: "key in the config" } or { file: "path in the repository" }',
    }),
);

const settings = {
    environment: name,
    inventory: z
        .strictObject({ file: text.optional(), nodes: nodesSchema.optional(), ec2: ec2SearchForm.optional() })
        .refine(({ file, nodes }) => file === undefined || nodes === undefined, {
            message: "expected either file or nodes",
        })
        .refine((inventory) => Object.keys(inventory).length > 0, { message: "expected file, nodes or ec2" }),
    ssh: z.strictObject({
        user: text.optional(),
        bastion: z.strictObject({ address, user: text.optional(), port: port.optional(), hostKey }).optional(),
        privateKeyFile: text.optional(),
        become: z.literal("sudo").optional(),
    }),
};
const elasticOfHost = z.strictObject({ networkInterfaceId: text, serviceAddress: text });
const pair = z.strictObject({
    ...pairShape(namedSecret, text),
    first: name.optional(),
    elasticIp: z
        .strictObject({ allocationId: text.optional(), region: text.optional(), endpoint: text.optional() })
        .optional(),
});
const group = {
    loadBalancers: z.union([z.strictObject({ tag: runListEntry }), z.strictObject({ ec2: ec2HostsSettingsForm })], {
        message: "expected { tag } or { ec2 }",
    }),
    haproxy: z
        .strictObject({
            ...settingsShape,
            ignoreIssues: texts.optional(),
            allowWarnings,
            oldWorkers,
            bake,
            roll: z.enum(["oneByOne", "allAtOnce"]).optional(),
        })
        .optional(),
    services,
    stats: stats.optional(),
    metrics: metrics.optional(),
    ...certificatesShape(namedText),
    ...hostSetupShape(namedSecret),
    hosts: z
        .record(
            name,
            z.strictObject({ ...differencesShape, address: address.optional(), elastic: elasticOfHost.optional() }),
        )
        .optional(),
    pair: pair.optional(),
};
const several = formOf<StackOfGroups>()(z.strictObject({ ...settings, groups: z.record(name, z.strictObject(group)) }));
const one = formOf<Stack>()(z.strictObject({ ...settings, ...group }));

/**
 * Judges the form of a stack's data.
 *
 * @param source Its file, for messages.
 * @throws {Error} With every issue of form, one per line.
 */
export function parseStack(data: unknown, source: string): Stack | StackOfGroups {
    const hasGroups = typeof data === "object" && data !== null && "groups" in data;
    const issues = formIssues(hasGroups ? several : one, data);
    if (issues.length > 0) {
        throw formError(issues, source);
    }
    return data as Stack | StackOfGroups;
}

import type { aws, HostConnection } from "../components";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import { unknownOutput } from "../components/convergence/outputs";
import type { Differences } from "../components/hostDifferences";
import { type Inventory, type Node, search } from "../components/search";
import type { LoadedStack } from "./load";
import type { Group, GroupHost } from "./schema";

/** A load balancer of a fleet. */
export interface Host {
    readonly name: string;
    /** How to log in to it. */
    readonly login: Omit<HostConnection, "privateKey" | "privateKeyPassword" | "address" | "hostKey">;
    /** Where it is, and its key. @default - as the program provisions it */
    readonly node?: Pick<Node, "address"> & { readonly hostKey: string };
    /** Text of the private key's file. @default - the stack names no file */
    readonly privateKey?: string;
    readonly differences: Differences;
    /** What the stack says about its place in a pair. */
    readonly inPair: Pick<GroupHost, "address" | "elastic">;
}

/** EC2 hosts that the program provisions. */
export interface Provisioned {
    readonly name: string;
    readonly args: aws.Ec2HostsArgs;
}

/** Seconds that an up waits for a new instance: it boots, installs what its image lacks, and makes its login. */
const bootSeconds = 300;

/**
 * The load balancers of a group, as a search finds them or as it provisions them, by name; `first` of a pair before the other.
 *
 * @param attempt collects errors
 * @returns their names, also of those with an error; undefined if the search has failed
 */
export function hostsOf(
    group: Group,
    loaded: LoadedStack,
    inventory: Inventory | undefined,
    attempt: <T>(compute: () => T) => T | undefined,
): { readonly names: readonly string[]; readonly hosts: readonly Host[] } | undefined {
    const { loadBalancers } = group;
    const isProvisioned = "ec2" in loadBalancers;
    const found: readonly (Pick<Node, "name"> & Partial<Node>)[] | undefined = isProvisioned
        ? Object.keys(loadBalancers.ec2.hosts)
              .sort()
              .map((name) => ({ name }))
        : inventory && attempt(() => balancersIn(inventory, loadBalancers.tag, loaded));
    const isFirst = ({ name }: { readonly name: string }) => name === group.pair?.first;
    const nodes = found && [...found.filter(isFirst), ...found.filter((node) => !isFirst(node))];
    const waits = isProvisioned ? { bootSeconds } : {};
    return (
        nodes && {
            names: nodes.map(({ name }) => name),
            hosts: nodes.flatMap((node) => attempt(() => hostOf(node, group, loaded, waits)) ?? []),
        }
    );
}

/** Where load balancers are looked for, in words. EC2 is asked for servers only. */
export function declaredIn({ stack: { environment, inventory }, source }: LoadedStack): string {
    return `the environment ${environment} of ${inventory.file ?? source}`;
}

/**
 * The nodes with the tag of load balancers. They are declared, so that one whose instance is stopped is still found.
 *
 * @throws {Error} If there are none.
 */
function balancersIn(inventory: Inventory, tag: string, loaded: LoadedStack): readonly Node[] {
    const { stack, source } = loaded;
    const { environment } = stack;
    const isFound = inventory.nodes.some((node) => node.environment === environment && node.runList.includes(tag));
    // The error of a search would send people to the tags of instances, which no up looks at.
    if (stack.inventory.ec2 && !isFound) {
        const problem = "EC2 is not searched for load balancers, because an instance shows no host key";
        const remedy = "declare them in nodes or file, with ssh.hostKey, or let loadBalancers.ec2 provision them";
        throw new Error(
            `${source}: inventory: no node has the tag ${tag} in ${declaredIn(loaded)}: ${problem}; ${remedy}`,
        );
    }
    return search(inventory, { tag, environment });
}

/** The EC2 hosts of a group, if it provisions them. A check makes none, and judges no value that its config may lack. */
export function provisionedOf(
    name: string,
    { loadBalancers, pair }: Group,
    { stack: { environment, ssh } }: LoadedStack,
): Provisioned | undefined {
    if (!("ec2" in loadBalancers) || onlyDeclared() === "check") {
        return undefined;
    }
    const { ec2 } = loadBalancers;
    const { user = "root" } = ssh;
    const health = pair?.check?.port === undefined ? {} : { healthPort: pair.check.port };
    return { name: `${environment}-${name}`, args: { ...ec2, ...health, environment, ssh: { ...ec2.ssh, user } } };
}

/** Where a host is, and its key: known, or outputs of its instance, which a check does not have. */
export function placeOf(
    { name, node }: Host,
    instances: aws.Ec2Hosts | undefined,
): Pick<HostConnection, "address" | "hostKey"> {
    const unknown = unknownOutput<string>();
    const place =
        node ?? instances?.hosts[name] ?? (onlyDeclared() === "check" && { address: unknown, hostKey: unknown });
    if (!place) {
        throw new Error(`${name}: the stack neither finds nor provisions it`);
    }
    const { address, hostKey } = place;
    return { address, hostKey };
}

/**
 * A load balancer: how to connect to it, and how it differs.
 *
 * @throws {Error} If a node has no host key, or the file of the private key does not exist.
 */
function hostOf(
    { name, address, ssh }: Pick<Node, "name"> & Partial<Node>,
    { hosts = {} }: Group,
    { stack, source, files }: LoadedStack,
    waits: Pick<HostConnection, "bootSeconds">,
): Host {
    const { user, become, bastion, privateKeyFile } = stack.ssh;
    if (address !== undefined && ssh === undefined) {
        const remedy = `add the key that ssh-keyscan -t ed25519 ${address} prints, after comparing it with the host's`;
        throw new Error(`${source}: node ${name}: it is a load balancer without ssh.hostKey; ${remedy}`);
    }
    const privateKey = privateKeyFile === undefined ? undefined : files.get(privateKeyFile);
    if (privateKeyFile !== undefined && privateKey === undefined) {
        throw new Error(`${source}: ssh.privateKeyFile: ${privateKeyFile} does not exist; correct the path`);
    }
    const { hostKey, ...own } = ssh ?? {};
    const { address: onNetwork, elastic, ...differences } = hosts[name] ?? {};
    return {
        name,
        login: { user, become, bastion, ...waits, ...own },
        ...(address !== undefined && hostKey !== undefined && { node: { address, hostKey } }),
        privateKey,
        differences,
        inPair: { address: onNetwork, elastic },
    };
}

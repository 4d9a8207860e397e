import * as pulumi from "@pulumi/pulumi";
import { type Balancing, type Declared, type DeclaredHost, hostSettings } from "./balancing";
import { makesCertificates } from "./certificates";
import { ConvergedHost, leavesHost } from "./convergence/convergedHost";
import { then } from "./convergence/outputs";
import type { Roll } from "./convergence/roll";
import { differencesOf, type FleetHost } from "./fleetHost";
import { type HostBalance, type HostOutputs, outputsOf } from "./hostBalance";
import type { SharedFiles } from "./sharedFiles";

/** Types of components with several hosts. One of them becomes the other with all its hosts: they have the same children. */
export const componentTypes = {
    fleet: "haproxy-fleet:index:LoadBalancerFleet",
    pair: "haproxy-fleet:index:LoadBalancerPair",
} as const;

/** Options of a component with several hosts, which may have been of the other type. */
export function optionsOfHosts(
    opts: pulumi.ComponentResourceOptions | undefined,
    formerType: string,
): pulumi.ComponentResourceOptions {
    return pulumi.mergeOptions(opts, { ...leavesHost, aliases: [{ type: formerType }] });
}

/** A component with several hosts. */
interface OfHosts<Host extends string> {
    readonly component: pulumi.Resource;
    readonly name: string;
    readonly args: Balancing & { readonly hosts: Readonly<Record<Host, FleetHost>> };
    readonly opts?: pulumi.ComponentResourceOptions;
    /** What all hosts have alike. */
    readonly shared: SharedFiles;
    /** The order in which they change. @default - each on its own */
    readonly roll?: Roll;
}

/** Outputs of a component with several hosts. */
export interface OutputsOfHosts<Host extends string> {
    readonly hosts: Readonly<Record<Host, HostOutputs>>;
    readonly configurations: Readonly<Record<Host, pulumi.Output<string>>>;
}

/** Names of the children, in the order of the hosts. */
export function childNames(name: string, hosts: Readonly<Record<string, FleetHost>>): string[] {
    return Object.keys(hosts).map((key) => `${name}-${key}`);
}

/** The hosts of a component, as {@link declare} takes them. */
export function declaredHostsOf(name: string, hosts: Readonly<Record<string, FleetHost>>): DeclaredHost[] {
    return Object.entries(hosts).map(([key, host]) => ({
        host: `${name}-${key}`,
        key,
        differences: differencesOf(host),
        path: `hosts.${key}`,
    }));
}

/** Converges each host to what is declared for it. */
export function convergeHosts<Host extends string>(
    { component, name, args, opts, shared, roll }: OfHosts<Host>,
    { balances, slots }: Declared,
): OutputsOfHosts<Host> {
    const { hosts, ...balancing } = args;
    // Its inputs must not wait for its children: each host shows its own files then.
    shared.take(
        makesCertificates(balancing)
            ? []
            : then(balances, (all) => [...all.values()].map(({ resources }) => resources)),
    );
    const keys = Object.keys(hosts) as Host[];
    const children = childNames(name, hosts);
    const outputs = keys.map((key, n) => {
        const child = children[n] as string;
        const { connection, aliases: former = [] } = hosts[key];
        const balance = then(balances, (all) => all.get(child) as HostBalance);
        const resources = then(balance, (own) => own.resources);
        const declared = { connection, resources, slots, ...hostSettings(args) };
        const options = { parent: component, dependsOn: opts?.dependsOn, aliases: [...former] };
        try {
            const { lastRun } = new ConvergedHost(child, declared, options, { roll, shownElsewhere: shared.paths });
            return { key, ...outputsOf(connection.address, lastRun, balance) };
        } catch (error) {
            roll?.cancel(child);
            throw error;
        }
    });
    const byName = <T>(choose: (output: (typeof outputs)[number]) => T) =>
        Object.fromEntries(outputs.map((output) => [output.key, choose(output)])) as Record<Host, T>;
    return {
        hosts: byName(({ key: _, configuration: __, ...ofHost }) => ofHost),
        configurations: byName(({ configuration }) => configuration),
    };
}

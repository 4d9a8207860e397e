import type { aws, LoadBalancerFleet } from "../components";

/** What a group of load balancers has become. */
interface Made {
    readonly name: string;
    readonly fleet: LoadBalancerFleet;
    /** @default - its hosts existed before */
    readonly instances?: aws.Ec2Hosts;
}

/** Outputs of the stack. Pulumi warns of an output without a value, so what is not declared is left out. */
export function outputsOf(groups: readonly Made[]): Record<string, unknown> {
    const authorities = Object.assign({}, ...groups.map(({ fleet }) => fleet.authorities));
    const provisioned = groups.flatMap(({ name, instances }) =>
        instances
            ? [[name, { address: instances.address, names: instances.names, association: instances.association }]]
            : [],
    );
    const hosts = groups.flatMap(({ name: group, fleet }) =>
        Object.entries(fleet.hosts).map(([name, { address }]) => ({ group, name, address })),
    );
    const isShared = (name: string) => hosts.filter((host) => host.name === name).length > 1;
    return {
        // Of the load balancers, by name. Two groups may each provision one of a name.
        addresses: Object.fromEntries(
            hosts.map(({ group, name, address }) => [isShared(name) ? `${group}-${name}` : name, address]),
        ),
        // PEM of the authorities that are declared, by name, for clients that trust a private one.
        ...(Object.keys(authorities).length > 0 && { authorities }),
        // What clients reach, by group, and how it gets to a host.
        ...(provisioned.length > 0 && { services: Object.fromEntries(provisioned) }),
    };
}

import { type aws, type LoadBalancerFleet, LoadBalancerPair } from "../components";

/** What a group of load balancers has become. */
interface Made {
    readonly name: string;
    readonly balancers: LoadBalancerFleet | LoadBalancerPair;
    /** @default - its hosts existed before */
    readonly instances?: aws.Ec2Hosts;
}

/** Outputs of the stack. Pulumi warns of an output without a value, so what is not declared is left out. */
export function outputsOf(groups: readonly Made[]): Record<string, unknown> {
    const authorities = Object.assign({}, ...groups.map(({ balancers }) => balancers.authorities));
    const services = groups.flatMap((group) => {
        const service = serviceOf(group);
        return service ? [[group.name, service]] : [];
    });
    const hosts = groups.flatMap(({ name: group, balancers }) =>
        Object.entries(balancers.hosts).map(([name, { address }]) => ({ group, name, address })),
    );
    const isShared = (name: string) => hosts.filter((host) => host.name === name).length > 1;
    return {
        // Of the load balancers, by name. Two groups may each provision one of a name.
        addresses: Object.fromEntries(
            hosts.map(({ group, name, address }) => [isShared(name) ? `${group}-${name}` : name, address]),
        ),
        // PEM of the authorities that are declared, by name, for clients that trust a private one.
        ...(Object.keys(authorities).length > 0 && { authorities }),
        // What clients reach, by group.
        ...(services.length > 0 && { services: Object.fromEntries(services) }),
    };
}

/** What clients of a group reach, which is no address of a single host. */
function serviceOf({ balancers, instances }: Made): Record<string, unknown> | undefined {
    if (instances) {
        return { address: instances.address, names: instances.names };
    }
    const { addresses = [], urls } = balancers instanceof LoadBalancerPair ? balancers : {};
    return addresses.length > 0 ? { addresses, urls } : undefined;
}

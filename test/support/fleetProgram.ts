import type { SshTarget } from "../../components/convergence/ssh/ssh";
import type { LoadBalancerFleetArgs } from "../../components/loadBalancerFleet";
import { testLibrary } from "../../toolchain/package.mjs";

/** A fleet in a Pulumi program. */
export interface FleetProgram {
    /** @default "edge" */
    name?: string;
    /** How its hosts are reached, by name, and how they differ. */
    hosts: Record<string, SshTarget>;
    differences?: Record<string, object>;
    args: Omit<LoadBalancerFleetArgs, "hosts">;
    /** Text of the component's options. @default - none */
    opts?: string;
    /** Further text, which may use `fleet` and `connections`. */
    more?: string;
}

/** The text of a Pulumi program with a fleet, which exports what its hosts are, for Project.program. */
export function fleetProgram({
    name = "edge",
    hosts,
    differences,
    args,
    opts = "{}",
    more = "",
}: FleetProgram): string {
    return `
        import { LoadBalancerFleet } from ${JSON.stringify(testLibrary())};
        const connections: any = ${JSON.stringify(hosts)};
        const differences: any = ${JSON.stringify(differences ?? {})};
        const hosts = Object.fromEntries(
            Object.entries<any>(connections).map(([name, { privateKey, ...rest }]) => [
                name,
                { connection: { ...rest, privateKey: pulumi.secret(privateKey) }, ...differences[name] },
            ]),
        );
        const fleet = new LoadBalancerFleet(${JSON.stringify(name)}, { hosts, ...${JSON.stringify(args)} } as any, ${opts});
        export const status = fleet.hosts;
        ${more}`;
}

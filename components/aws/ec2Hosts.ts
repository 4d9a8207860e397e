import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../convergence/declaredHosts";
import { made, unknownOutput, valueIn } from "../convergence/outputs";
import { componentName, resourceError } from "../convergence/resourceError";
import { count } from "../convergence/text";
import { argsIssues } from "./args";
import {
    type Context,
    type HostParts,
    makeHost,
    makeNames,
    makePolicy,
    makeRole,
    makeSecurityGroup,
    makeServiceAddress,
} from "./children";
import { imageQuery } from "./images";
import { loadPackages, type Packages } from "./packages";
import { allowedIngress, ingressWarnings } from "./rules";
import type { Ec2HostsArgs } from "./types";

/** What a host in EC2 is reached by. */
export interface Ec2Host {
    /** Its own private address. */
    readonly address: pulumi.Output<string>;
    /** Its own public address: the way out, and in from outside the VPC. */
    readonly publicAddress: pulumi.Output<string>;
    /** The private address that the service address leads to while this host has it. */
    readonly serviceAddress: pulumi.Output<string>;
    /** Public host key, `ssh-ed25519 AAAA…`. */
    readonly hostKey: pulumi.Output<string>;
    /** Id of the instance. */
    readonly instanceId: pulumi.Output<string>;
    /** Id of the network interface. */
    readonly networkInterfaceId: pulumi.Output<string>;
}

/**
 * Hosts in EC2 as a load balancer needs them: host keys that are known before the first boot, a way out each, an elastic IP address that
 * can move among them, names, and a role with the rights for that move and no others. An operating system with a login, nothing more:
 * a pair converges them.
 *
 * @example
 * ```typescript
 * import { aws, LoadBalancerPair } from "haproxy-fleet";
 *
 * const edge = new aws.Ec2Hosts("edge", {
 *     environment: "prod",
 *     vpc: "vpc-0a1b2c3d4e5f60718",
 *     hosts: { lb1: { subnet: "subnet-0a1b2c3d4e5f60718" }, lb2: { subnet: "subnet-0f1e2d3c4b5a69788" } },
 *     ssh: {
 *         user: "deploy",
 *         authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Bb9oTz4ofg4D4jpHy7Wn3K0YkVUTdSDlXw0VjTTkh ops"],
 *         from: ["198.51.100.0/24"],
 *     },
 *     dns: { zone: "Z0123456789ABCDEFGHIJ", names: ["www.example.com"] },
 * });
 * const at = (host: aws.Ec2Host) => ({
 *     connection: { address: host.publicAddress, hostKey: host.hostKey, user: "deploy", become: "sudo" as const, bootSeconds: 300 },
 *     address: host.address,
 *     elastic: host,
 * });
 * const services = [{ name: "shop", port: 8080, default: true, servers: [{ name: "shop1", address: "192.0.2.21" }] }];
 * const hosts = { lb1: at(edge.hosts.lb1), lb2: at(edge.hosts.lb2) };
 * const { allocationId, region } = edge;
 * export const pair = new LoadBalancerPair("shop", { hosts, services, pair: { failback: "never", elasticIp: { allocationId, region } } });
 * ```
 */
export class Ec2Hosts<Host extends string = string> extends pulumi.ComponentResource {
    /** The hosts by name. */
    readonly hosts: Readonly<Record<Host, Ec2Host>>;
    /** The service address: an elastic IP address, which the hosts of a pair associate themselves. */
    readonly address: pulumi.Output<string>;
    /** Allocation id of the service address. */
    readonly allocationId: pulumi.Output<string>;
    /** Region of the service address. */
    readonly region: pulumi.Output<string>;
    /** The names of the service. */
    readonly names: readonly string[];

    /**
     * @param name of the component; its hosts are named `<name>-<host>`
     * @throws ResourceError with every issue of the arguments
     */
    constructor(name: string, args: Ec2HostsArgs<Host>, opts?: pulumi.ComponentResourceOptions) {
        const issues = argsIssues(args);
        const generations = issues.length > 0 ? {} : mapValues(args.hosts, ({ generation = 1 }) => generation);
        super("haproxy-fleet:index:Ec2Hosts", componentName(name), { generations }, opts);
        if (issues.length > 0) {
            throw this.failure(name, issues);
        }
        const allowed = allowedIngress(args);
        for (const warning of ingressWarnings(allowed, args)) {
            void pulumi.log.warn(`${name}: ${warning}`, this);
        }
        this.names = args.dns?.names ?? [];
        // A check asks nothing and makes nothing. Who retires hosts gets their addresses from the state, so that needs the children.
        const packages = onlyDeclared() === "check" ? undefined : this.packages(name);
        if (packages === undefined) {
            this.hosts = mapValues(args.hosts, () => unknownHost);
            [this.address, this.allocationId, this.region] = [unknown, unknown, unknown];
        } else {
            const children: pulumi.CustomResource[] = [];
            const add = <T extends pulumi.CustomResource>(child: T) => {
                children.push(child);
                return child;
            };
            const context: Context = { packages, name, parent: this, args, add };
            const { securityGroup, neededRules } = makeSecurityGroup(context, allowed);
            const { role, profile } = makeRole(context);
            const service = makeServiceAddress(context);
            const image = imageId(context);
            const parts = new Map<string, HostParts>();
            for (const host of Object.keys(args.hosts) as Host[]) {
                const before = [...parts.values()].at(-1)?.instance;
                const shared = { securityGroup, neededRules, profile, image, before };
                parts.set(host, makeHost(context, host, args.hosts[host], shared));
            }
            makePolicy(context, role, service, [...parts.values()], children);
            if (args.dns !== undefined) {
                makeNames(context, args.dns, service);
            }
            void this.assertMade(name, children);
            void warnOfOneZone(context);

            this.hosts = mapValues(args.hosts, (_, host) => outputsOf(parts.get(host) as HostParts));
            this.address = made(service.publicIp);
            this.allocationId = made(service.allocationId);
            this.region = made(service.region);
        }
        const { hosts, address, allocationId, region, names } = this;
        this.registerOutputs({ hosts, address, allocationId, region, names });
    }

    private packages(name: string): Packages {
        const loaded = loadPackages();
        if ("problem" in loaded) {
            throw resourceError(`${name}: ${loaded.problem}`, this);
        }
        return loaded;
    }

    /**
     * Fails the program if a child could not be made. Otherwise an engine that continues on errors would delete the former generation of
     * a host although the new one does not exist (measured with 3.259).
     */
    private async assertMade(name: string, children: readonly pulumi.CustomResource[]): Promise<void> {
        if (pulumi.runtime.isDryRun()) return;
        const known = await Promise.all(children.map(({ id }) => valueIn(id)));
        const missing = children.filter((_, n) => known[n]?.value === undefined).map(nameOf);
        if (missing.length > 0) {
            throw resourceError(
                `${name}: ${missing.join(", ")} could not be made or changed, so that nothing is deleted; ` +
                    "correct what is reported above, and run pulumi up again",
                this,
            );
        }
    }

    private failure(name: string, issues: readonly string[]): Error {
        const title = `${name}: ${count(issues.length, "error")} in what is declared`;
        return resourceError([title, ...issues].join("\n  "), this);
    }
}

const unknown = unknownOutput<string>();
const unknownHost: Ec2Host = {
    address: unknown,
    publicAddress: unknown,
    serviceAddress: unknown,
    hostKey: unknown,
    instanceId: unknown,
    networkInterfaceId: unknown,
};

/** The SDK has a resource's name, but leaves it out of its types. */
const nameOf = (resource: pulumi.Resource) => (resource as unknown as { readonly __name: string }).__name;

function outputsOf({ key, networkInterface, address, instance }: HostParts): Ec2Host {
    const addresses = pulumi.all([made(networkInterface.privateIp), made(networkInterface.privateIps)]);
    return {
        // Known while rules, records and roles change, and never before the instance runs.
        address: made(instance.privateIp),
        publicAddress: pulumi.all([made(address.publicIp), instance.id]).apply(([ip]) => ip),
        serviceAddress: addresses.apply(([own, all]) => all.find((ip) => ip !== own) as string),
        hostKey: made(key.publicKeyOpenssh).apply((line) => line.trim()),
        instanceId: instance.id,
        networkInterfaceId: networkInterface.id,
    };
}

/** The id of the newest image. Only a new host gets it. */
function imageId({ packages, name, parent, args: { image = "ubuntu-24.04" } }: Context): pulumi.Output<string> {
    const found = packages.getAmi(imageQuery(image), { parent }).catch((error: Error) => {
        const subject = typeof image === "string" ? image : `${image.name} of ${image.owner}`;
        const words = error.message.replace(/\s+/g, " ").trim();
        // The SDK and the provider put the name of the function before the reason, which is a list of one.
        const problem = words.replace(/^.*(returned an error|failed|error occurred): (\* )?/, "");
        throw resourceError(
            `${name}: image ${subject}: ${problem}; correct its name, owner, architecture or region, or allow ec2:DescribeImages`,
            parent,
        );
    });
    return made(pulumi.output(found).apply(({ id }) => id));
}

/** Warns if all hosts are in one zone. Says nothing of subnets that are not known yet, or cannot be read. */
async function warnOfOneZone({ packages, name, parent, args }: Context): Promise<void> {
    const subnets = pulumi.output(Object.values(args.hosts).map(({ subnet }) => subnet));
    const known = await valueIn(subnets).catch(() => undefined);
    if (known === undefined || known.value.length < 2) return;
    const found = await Promise.all(known.value.map((id) => packages.getSubnet({ id }, { parent }))).catch(() => []);
    const zones = new Set(found.map(({ availabilityZone }) => availabilityZone));
    const [zone] = zones;
    if (zones.size === 1 && zone !== undefined) {
        const text = `all hosts are in the zone ${zone}, and fail together with it; use subnets in two zones`;
        void pulumi.log.warn(`${name}: ${text}`, parent);
    }
}

function mapValues<K extends string, T, R>(values: Readonly<Record<K, T>>, compute: (value: T, key: K) => R) {
    const entries = (Object.entries(values) as [K, T][]).map(([key, value]) => [key, compute(value, key)]);
    return Object.fromEntries(entries) as Record<K, R>;
}

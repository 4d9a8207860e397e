import type * as pulumi from "@pulumi/pulumi";
import { type aws, type PairHost, type PairSettings, slot } from "../components";
import type { Ec2HostsSettings } from "../components/aws/types";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import { unknownOutput } from "../components/convergence/outputs";
import { type HaproxyConfig, isError } from "../components/haproxy";
import { needIssues, pairIssues } from "../components/keepalived";
import type { Host, hostsOf } from "./hosts";
import type { Group, GroupPair, NamedSecret } from "./schema";

/** What the hosts of a pair share, and whether the stack provisions them. */
export interface DeclaredPair {
    readonly settings: GroupPair;
    readonly isProvisioned: boolean;
}

/**
 * What is wrong with the pair of a group, if it is one: a path and a message each.
 *
 * @param found its load balancers; undefined if the search has failed
 * @param place where they were looked for, in words
 * @param config of HAProxy, as it is compiled
 * @param unsearched names of services whose search has failed
 */
export function pairErrors(
    { pair, hosts = {}, loadBalancers, haproxy }: Group,
    found: ReturnType<typeof hostsOf>,
    place: string,
    config: HaproxyConfig,
    unsearched: readonly string[],
): string[] {
    if (pair === undefined) {
        return Object.entries(hosts).flatMap(([host, declared]) =>
            (["address", "elastic"] as const)
                .filter((key) => declared[key] !== undefined)
                .map((key) => `hosts.${host}.${key}: the load balancers are no pair; declare pair, or remove it`),
        );
    }
    const isProvisioned = "ec2" in loadBalancers;
    const own = [
        ...("ec2" in loadBalancers ? provisionedErrors(pair, hosts, loadBalancers.ec2) : foundErrors(pair)),
        ...firstErrors(pair, found?.names),
        ...rollErrors(haproxy),
    ];
    if (own.length > 0 || found === undefined || found.hosts.length < found.names.length) {
        return own;
    }
    const members = found.hosts.map(({ name, node, inPair: { address, elastic } }, n) => ({
        name,
        address: address ?? node?.address ?? slot(`address${n}`),
        elastic: isProvisioned
            ? { networkInterfaceId: slot(`interface${n}`), serviceAddress: slot(`service${n}`) }
            : elastic,
    }));
    const { password, elasticIp, first: _, ...settings } = pair;
    const address = isProvisioned
        ? { allocationId: slot("allocation"), region: slot("region"), ...elasticIp }
        : elasticIp;
    const plain = {
        ...settings,
        ...(password && { password: slot("password") }),
        ...(address && { elasticIp: address as PairSettings["elasticIp"] }),
    };
    return [...pairIssues(plain, members), ...needIssues(plain, config, unsearched)]
        .filter(isError)
        .map(({ path, message }) => {
            // How many hosts there are is decided by what finds them, not by `hosts` of a stack.
            if (path === "hosts") {
                return "tag" in loadBalancers
                    ? `loadBalancers.tag: ${loadBalancers.tag} in ${place}: ${message}`
                    : `loadBalancers.ec2.hosts: ${message}`;
            }
            return `${path.startsWith("hosts.") ? path : `pair.${path}`}: ${message}`;
        });
}

/** What the pair of hosts that the stack provisions may not say. */
function provisionedErrors(
    { addresses, elasticIp = {} }: GroupPair,
    hosts: NonNullable<Group["hosts"]>,
    { healthPort }: Ec2HostsSettings,
): string[] {
    const known = "the stack provisions the hosts, so that it is known; remove it";
    return [
        ...(healthPort === undefined
            ? []
            : ["loadBalancers.ec2.healthPort: the security group opens the port of pair.check.port; remove it"]),
        ...(addresses
            ? ["pair.addresses: a VPC has no virtual addresses; remove it, so that the pair has the elastic IP address"]
            : []),
        ...(["allocationId", "region"] as const)
            .filter((key) => elasticIp[key] !== undefined)
            .map((key) => `pair.elasticIp.${key}: ${known}`),
        ...Object.entries(hosts).flatMap(([host, declared]) =>
            (["address", "elastic"] as const)
                .filter((key) => declared[key] !== undefined)
                .map((key) => `hosts.${host}.${key}: ${known}`),
        ),
    ];
}

/** What the pair of hosts that exist must say. */
function foundErrors({ elasticIp }: GroupPair): string[] {
    const examples = { allocationId: "eipalloc-0123456789abcdef0", region: "eu-central-1" };
    return (["allocationId", "region"] as const)
        .filter((key) => elasticIp !== undefined && elasticIp[key] === undefined)
        .map((key) => `pair.elasticIp.${key}: missing; set it, as in ${examples[key]}`);
}

/** The host that is preferred must be one of them. If fewer than two are found, it may be the one that is missing. */
function firstErrors({ first }: GroupPair, names: readonly string[] = []): string[] {
    return first === undefined || names.length < 2 || names.includes(first)
        ? []
        : [`pair.first: no load balancer has the name ${JSON.stringify(first)}; use ${names.join(" or ")}`];
}

function rollErrors({ roll }: NonNullable<Group["haproxy"]> = {}): string[] {
    return roll === undefined ? [] : ["haproxy.roll: a pair always changes one host after the other; remove it"];
}

/** What a pair of a group shares, as its component gets it. */
export function pairOf(
    { settings: { elasticIp, password, first: _, ...settings }, isProvisioned }: DeclaredPair,
    instances: aws.Ec2Hosts | undefined,
    secret: (named: NamedSecret) => pulumi.Output<string>,
): PairSettings<pulumi.Input<string>, pulumi.Input<string>> {
    const unknown = unknownOutput<string>();
    const { allocationId, region } = instances ?? { allocationId: unknown, region: unknown };
    const address = isProvisioned ? { allocationId, region, ...elasticIp } : (elasticIp as PairSettings["elasticIp"]);
    return {
        ...settings,
        ...(password && { password: secret(password) }),
        ...(address && { elasticIp: address }),
    };
}

/** A host's place in its pair. */
export function placeInPair(
    { name, inPair, node }: Host,
    instances: aws.Ec2Hosts | undefined,
): Pick<PairHost, "address" | "elastic"> {
    if (node !== undefined) {
        return inPair;
    }
    const unknown = unknownOutput<string>();
    const isChecked = onlyDeclared() === "check";
    const { networkInterfaceId, serviceAddress } =
        instances?.hosts[name] ?? (isChecked ? { networkInterfaceId: unknown, serviceAddress: unknown } : {});
    return networkInterfaceId === undefined || serviceAddress === undefined
        ? {}
        : { elastic: { networkInterfaceId, serviceAddress } };
}

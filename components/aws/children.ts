import type { Eip } from "@pulumi/aws/ec2/eip";
import type { Instance } from "@pulumi/aws/ec2/instance";
import type { NetworkInterface } from "@pulumi/aws/ec2/networkInterface";
import type { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import type { InstanceProfile } from "@pulumi/aws/iam/instanceProfile";
import type { Role } from "@pulumi/aws/iam/role";
import * as pulumi from "@pulumi/pulumi";
import type { PrivateKey } from "@pulumi/tls/privateKey";
import { made } from "../convergence/outputs";
import { userData } from "../hostPreparation";
import { pairDefaults } from "../keepalived/index";
import type { Packages } from "./packages";
import { assumeRolePolicy, hostPolicy } from "./policies";
import { type Ingress, SSH } from "./rules";
import type { Ec2Dns, Ec2HostArgs, Ec2HostsArgs } from "./types";

/** What all children need. */
export interface Context {
    readonly packages: Packages;
    /** Name of the component. */
    readonly name: string;
    readonly parent: pulumi.Resource;
    readonly args: Ec2HostsArgs;
    /** Takes note of a child, so that its failure is seen. */
    readonly add: <T extends pulumi.CustomResource>(child: T) => T;
}

/** The tags of a child, of which `Name` is shown in AWS's console. */
const tagsOf = ({ args: { tags, environment } }: Context, name: string) => ({ ...tags, environment, Name: name });

/** The security group. Its rules are resources of their own, so that one changes without the others. */
export function makeSecurityGroup(
    context: Context,
    allowed: readonly Ingress[],
): Pick<Shared, "securityGroup" | "neededRules"> {
    const { packages, name, parent, args, add } = context;
    const securityGroup = add(
        new packages.SecurityGroup(
            `${name}-hosts`,
            // AWS replaces the group if the description changes.
            { vpcId: args.vpc, description: "HAProxy hosts", tags: tagsOf(context, name) },
            { parent },
        ),
    );
    const securityGroupId = securityGroup.id;
    const ingress = allowed.map(({ name: suffix, description, port, network }) =>
        add(
            new packages.SecurityGroupIngressRule(
                `${name}-${suffix}`,
                {
                    securityGroupId,
                    description,
                    ipProtocol: "tcp",
                    fromPort: port,
                    toPort: port,
                    ...(network === undefined
                        ? { referencedSecurityGroupId: args.ssh.securityGroup }
                        : networkOf(network)),
                },
                { parent },
            ),
        ),
    );
    // What hosts of a pair ask each other: VRRP for the role, which has no ports (with any, the provider would see a difference each time),
    // and HAProxy's health page.
    const { healthPort = pairDefaults.port } = args;
    for (const [suffix, description, protocol] of [
        ["vrrp", "VRRP", { ipProtocol: "112" }],
        ["health", "Health page", { ipProtocol: "tcp", fromPort: healthPort, toPort: healthPort }],
    ] as const) {
        add(
            new packages.SecurityGroupIngressRule(
                `${name}-${suffix}`,
                { securityGroupId, description, ...protocol, referencedSecurityGroupId: securityGroupId },
                { parent },
            ),
        );
    }
    const egress = [
        ["ipv4", "0.0.0.0/0"],
        ["ipv6", "::/0"],
    ].map(([suffix, network = ""]) =>
        add(
            new packages.SecurityGroupEgressRule(
                `${name}-out-${suffix}`,
                { securityGroupId, description: "All", ipProtocol: "-1", ...networkOf(network) },
                { parent },
            ),
        ),
    );
    return { securityGroup, neededRules: [...ingress.filter((_, n) => allowed[n]?.port === SSH), ...egress] };
}

const networkOf = (network: string) => (network.includes(":") ? { cidrIpv6: network } : { cidrIpv4: network });

/** The service address. Nothing here associates it, so that no up takes it from the host that has it. */
export function makeServiceAddress(context: Context): Eip {
    const { packages, name, parent, add, args } = context;
    const options = { parent, ...protection(args) };
    return add(new packages.Eip(`${name}-service-address`, { domain: "vpc", tags: tagsOf(context, name) }, options));
}

const protection = ({ protect = true }: Ec2HostsArgs) => (protect ? { protect } : {});

/** The records of the service. */
export function makeNames(context: Context, { zone, names, ttl = 300 }: Ec2Dns, address: Eip): void {
    const { packages, name, parent, add, args } = context;
    for (const record of names) {
        const child = add(
            new packages.Record(
                `${name}-name-${record}`,
                { zoneId: zone, name: record, type: "A", ttl, records: [address.publicIp] },
                { parent, ...protection(args) },
            ),
        );
        // The provider adds the zone's name to one that is not in it. With mocks there is none.
        child.fqdn.apply((fqdn: string | undefined) => {
            if (fqdn !== undefined && fqdn.replace(/^\\052/, "*") !== record) {
                const problem = `dns.names: ${record} is not in the zone, so that the record is ${fqdn}`;
                void pulumi.log.warn(`${name}: ${problem}; correct dns.zone, or the name`, child);
            }
        });
    }
}

/** A role without rights, and what gives it to instances. */
export function makeRole(context: Context): { readonly role: Role; readonly profile: InstanceProfile } {
    const { packages, name, parent, add } = context;
    const tags = tagsOf(context, name);
    const role = add(new packages.Role(`${name}-role`, { assumeRolePolicy, tags }, { parent }));
    const profile = add(new packages.InstanceProfile(`${name}-profile`, { role: role.name, tags }, { parent }));
    return { role, profile };
}

/**
 * The rights of the role.
 *
 * @param serving All that a service needs. The policy depends on it and is protected with the address: an engine that cannot delete a
 * resource keeps what it depends on. So a destroy, or a program without the component, ends no host, even without a preview.
 */
export function makePolicy(
    { packages, name, parent, add, args }: Context,
    role: Role,
    address: Eip,
    hosts: readonly HostParts[],
    serving: readonly pulumi.Resource[],
) {
    const interfaces = hosts.map((host) => made(host.networkInterface.arn));
    const policy = pulumi.all([made(address.arn), interfaces]).apply(([arn, arns]) => hostPolicy(arn, arns));
    const options = { parent, dependsOn: [...serving], ...protection(args) };
    add(new packages.RolePolicy(`${name}-role-policy`, { role: role.name, policy }, options));
}

/** The resources of one host. */
export interface HostParts {
    readonly key: PrivateKey;
    readonly networkInterface: NetworkInterface;
    readonly address: Eip;
    readonly instance: Instance;
}

/** What a host needs of what is shared. */
export interface Shared {
    readonly securityGroup: SecurityGroup;
    /** Rules that logins and the installation of packages need. */
    readonly neededRules: readonly pulumi.Resource[];
    readonly profile: InstanceProfile;
    readonly image: pulumi.Input<string>;
    /** The host before it: hosts stop and start one after the other. */
    readonly before?: Instance;
}

/** A host. Another generation has other names, so that it exists beside the one before it until that is deleted. */
export function makeHost(context: Context, host: string, own: Ec2HostArgs, shared: Shared): HostParts {
    const { packages, name, parent, args, add } = context;
    const { generation = 1, subnet, instanceType = args.instanceType ?? "c7i.large" } = own;
    const child = (kind: string) => `${name}-${host}-${kind}${generation === 1 ? "" : `-${generation}`}`;
    const tags = tagsOf(context, `${name}-${host}`);

    const key = add(new packages.PrivateKey(child("host-key"), { algorithm: "ED25519" }, { parent }));
    const networkInterface = add(
        new packages.NetworkInterface(
            child("interface"),
            {
                subnetId: subnet,
                securityGroups: [shared.securityGroup.id],
                // The primary address, and one that the service address leads to.
                privateIpsCount: 1,
                description: `${name}-${host}`,
                tags,
            },
            // Another subnet would replace it, and with it the instance, without a new generation.
            { parent, ignoreChanges: ["subnetId"] },
        ),
    );
    const address = add(new packages.Eip(child("own-address"), { domain: "vpc", tags }, { parent }));
    const association = add(
        new packages.EipAssociation(
            child("own-address-association"),
            {
                allocationId: address.allocationId,
                networkInterfaceId: networkInterface.id,
                privateIpAddress: networkInterface.privateIp,
            },
            { parent },
        ),
    );
    const { user, authorizedKeys } = args.ssh;
    const instance = add(
        new packages.Instance(
            child("instance"),
            {
                ami: shared.image,
                instanceType,
                iamInstanceProfile: shared.profile.name,
                primaryNetworkInterface: { networkInterfaceId: networkInterface.id },
                metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
                rootBlockDevice: { volumeType: "gp3", volumeSize: args.diskGiB ?? 20, encrypted: true },
                userData: userData({ user, authorizedKeys, hostKey: made(key.privateKeyOpenssh) }),
                tags: { ...tags, ...runListTag(args) },
            },
            {
                parent,
                // A newer image would replace the host, and other user data stop and start it, without any use to it.
                ignoreChanges: ["ami", "userData"],
                additionalSecretOutputs: ["userData"],
                // First boot needs the way out, and every converge the way in. Both outlast the instance.
                dependsOn: [association, ...shared.neededRules, ...(shared.before ? [shared.before] : [])],
            },
        ),
    );
    return { key, networkInterface, address, instance };
}

function runListTag({ runList = ["haproxy::lb"] }: Ec2HostsArgs): Record<string, string> {
    return runList.length === 0 ? {} : { run_list: runList.join(",") };
}

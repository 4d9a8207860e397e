// What the stacks staging and prod have of AWS, written out.
import { interfaceId } from "./awsMocks";
import { type Registration, unsecret } from "./mocks";
import type { StackOnAws } from "./stackRun";

/** A resource without options that it has not set. */
export interface Child {
    readonly type: string;
    readonly parent: string;
    readonly inputs: unknown;
    readonly dependencies?: readonly string[];
    readonly protect?: boolean;
    readonly ignoreChanges?: readonly string[];
    readonly secretOutputs?: readonly string[];
}

/** What differs between the stacks. */
interface Stack {
    readonly names: readonly string[];
    readonly instanceType: string;
    readonly protect: boolean;
    /** The rule for SSH: end of its name, and its source. */
    readonly ssh: readonly [string, object];
}

const expected: Readonly<Record<StackOnAws, Stack>> = {
    staging: {
        names: ["staging.example.com", "docs.staging.example.com"],
        instanceType: "t3.small",
        protect: false,
        ssh: ["ssh-10.0.0.0/16", { cidrIpv4: "10.0.0.0/16", description: "SSH" }],
    },
    prod: {
        names: ["www.example.com", "docs.example.com"],
        instanceType: "c7i.large",
        protect: true,
        ssh: [
            "ssh-security-group",
            { referencedSecurityGroupId: "sg-0a1b2c3d4e5f60718", description: "SSH from the bastion" },
        ],
    },
};

const UNKNOWN = "(unknown)";

/** Everything of AWS and TLS that a stack has. */
export function childrenOf(environment: StackOnAws, isPreview: boolean): Record<string, Child> {
    const { names, instanceType, protect, ssh } = expected[environment];
    const [sshRule, sshSource] = ssh;
    const edge = `${environment}-edge`;
    const parent = edge;
    /** What is known after an up only. */
    const later = (text: string) => (isPreview ? UNKNOWN : text);
    const tags = (name: string) => ({ Name: name, environment });
    const group = later(`${edge}-hosts-id`);
    const rule = (inputs: object): Child => ({
        type: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        parent,
        inputs: { securityGroupId: group, ...inputs },
        dependencies: [`${edge}-hosts`],
    });
    const tcp = (port: number) => ({ ipProtocol: "tcp", fromPort: port, toPort: port });
    const clients = [80, 443].flatMap((port) => [
        [`${edge}-clients-${port}-0.0.0.0/0`, rule({ ...tcp(port), cidrIpv4: "0.0.0.0/0", description: "Clients" })],
        [`${edge}-clients-${port}-::/0`, rule({ ...tcp(port), cidrIpv6: "::/0", description: "Clients" })],
    ]);
    const out = (network: object): Child => ({
        ...rule({ ipProtocol: "-1", description: "All", ...network }),
        type: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    });
    const records = names.map((name): [string, Child] => [
        `${edge}-name-${name}`,
        {
            type: "aws:route53/record:Record",
            parent,
            inputs: { zoneId: "Z0123456789ABCDEFGHIJ", name, type: "A", ttl: 300, records: [later("203.0.113.10")] },
            dependencies: [`${edge}-service-address`],
            ...(protect && { protect }),
        },
    ]);
    const host = (n: number): Record<string, Child> => {
        const name = `${edge}-lb${n}`;
        return {
            [`${name}-host-key`]: {
                type: "tls:index/privateKey:PrivateKey",
                parent,
                inputs: { algorithm: "ED25519" },
                secretOutputs: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
            },
            [`${name}-interface`]: {
                type: "aws:ec2/networkInterface:NetworkInterface",
                parent,
                inputs: {
                    subnetId: `subnet-0a1b2c3d4e5f6071${n === 1 ? "a" : "b"}`,
                    securityGroups: [group],
                    privateIpsCount: 1,
                    description: name,
                    tags: tags(name),
                },
                dependencies: [`${edge}-hosts`],
                ignoreChanges: ["subnetId"],
            },
            [`${name}-own-address`]: {
                type: "aws:ec2/eip:Eip",
                parent,
                inputs: { domain: "vpc", tags: tags(name) },
            },
            [`${name}-own-address-association`]: {
                type: "aws:ec2/eipAssociation:EipAssociation",
                parent,
                inputs: {
                    allocationId: later(`eipalloc-${name}-own-address`),
                    networkInterfaceId: later(interfaceId(`${name}-interface`)),
                    privateIpAddress: later(`10.0.${n}.11`),
                },
                dependencies: [`${name}-interface`, `${name}-own-address`],
            },
            [`${name}-instance`]: {
                type: "aws:ec2/instance:Instance",
                parent,
                inputs: {
                    ami: "ami-0a1b2c3d4e5f60718",
                    instanceType,
                    iamInstanceProfile: later(`${edge}-profile-1a2b3c4`),
                    primaryNetworkInterface: { networkInterfaceId: later(interfaceId(`${name}-interface`)) },
                    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
                    rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: true },
                    tags: { ...tags(name), run_list: "haproxy::lb" },
                    userData: isPreview ? UNKNOWN : "(user data)",
                },
                // The way in and the way out, and the host before it.
                dependencies: [
                    ...(n === 2 ? [`${edge}-lb1-instance`] : []),
                    `${name}-host-key`,
                    `${name}-interface`,
                    `${name}-own-address-association`,
                    `${edge}-out-ipv4`,
                    `${edge}-out-ipv6`,
                    `${edge}-profile`,
                    `${edge}-${sshRule}`,
                ].sort(),
                ignoreChanges: ["ami", "userData"],
                secretOutputs: ["userData"],
            },
        };
    };
    const statement = (Sid: string, Action: string, rest: object) => ({ Sid, Effect: "Allow", Action, ...rest });
    const arn = (resource: string) => `arn:aws:ec2:eu-central-1:123456789012:${resource}`;
    const policy = {
        Version: "2012-10-17",
        Statement: [
            statement("SeeAddresses", "ec2:DescribeAddresses", {
                Resource: "*",
                Condition: { StringEquals: { "ec2:Region": "eu-central-1" } },
            }),
            statement("MoveServiceAddress", "ec2:AssociateAddress", {
                Resource: [
                    arn(`elastic-ip/${edge}-service-address`),
                    ...[1, 2].map((n) => arn(`network-interface/${edge}-lb${n}-interface`)),
                ],
            }),
        ],
    };
    const assumeRolePolicy = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
    };
    const serving: Record<string, Child> = {
        [`${edge}-hosts`]: {
            type: "aws:ec2/securityGroup:SecurityGroup",
            parent,
            inputs: { vpcId: "vpc-0a1b2c3d4e5f60718", description: "HAProxy hosts", tags: tags(edge) },
        },
        ...Object.fromEntries(clients),
        [`${edge}-${sshRule}`]: rule({ ...tcp(22), ...sshSource }),
        [`${edge}-vrrp`]: rule({ ipProtocol: "112", referencedSecurityGroupId: group, description: "VRRP" }),
        [`${edge}-health`]: rule({ ...tcp(8407), referencedSecurityGroupId: group, description: "Health page" }),
        [`${edge}-out-ipv4`]: out({ cidrIpv4: "0.0.0.0/0" }),
        [`${edge}-out-ipv6`]: out({ cidrIpv6: "::/0" }),
        [`${edge}-role`]: {
            type: "aws:iam/role:Role",
            parent,
            inputs: { assumeRolePolicy: JSON.stringify(assumeRolePolicy), tags: tags(edge) },
        },
        [`${edge}-profile`]: {
            type: "aws:iam/instanceProfile:InstanceProfile",
            parent,
            inputs: { role: later(`${edge}-role-1a2b3c4`), tags: tags(edge) },
            dependencies: [`${edge}-role`],
        },
    };
    return {
        [`${edge}-role-policy`]: {
            type: "aws:iam/rolePolicy:RolePolicy",
            parent,
            inputs: { role: later(`${edge}-role-1a2b3c4`), policy: later(JSON.stringify(policy)) },
            // What serves is not deleted before it, so not at all while it is protected.
            dependencies: [`${edge}-service-address`, ...Object.keys({ ...serving, ...host(1), ...host(2) })].sort(),
            ...(protect && { protect }),
        },
        [`${edge}-service-address`]: {
            type: "aws:ec2/eip:Eip",
            parent,
            inputs: { domain: "vpc", tags: tags(edge) },
            ...(protect && { protect }),
        },
        ...Object.fromEntries(records),
        ...serving,
        ...host(1),
        ...host(2),
    };
}

/** A registration as it is expected: long texts by what they are, unknown values by a word. */
export function childOf({ type, inputs, options }: Registration): Child {
    const set = Object.entries(options).filter(([, value]) => value !== false && String(value) !== "");
    const plain = known(unsecret(inputs)) as Record<string, unknown>;
    const text = plain.userData;
    if (typeof text === "string" && text.startsWith("#cloud-config\n")) plain.userData = "(user data)";
    return { type, inputs: plain, ...(Object.fromEntries(set) as Omit<Child, "type" | "inputs">) };
}

function known(value: unknown): unknown {
    if (value === null || typeof value !== "object") return value;
    if ("__pulumiUnknown" in value) return UNKNOWN;
    if (Array.isArray(value)) return value.map(known);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, known(part)]));
}

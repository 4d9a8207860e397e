// The resource types of the stand-in for the aws plugin: what each makes, what replaces it, what changes it in place, and what it sees of
// changes that others make.
import assert from "node:assert/strict";
import type { Aws } from "../../lab/aws/aws";
import { type Properties, unknown } from "../../toolchain/offline/provider/values";

/** What the types of a test make, by type, and what was there before. */
export interface World {
    readonly vpc: string;
    readonly subnets: readonly [string, string];
    readonly zone: string;
    readonly made: Record<string, Properties>;
}

/** Properties; expressions are for texts that AWS chooses. */
export type Expected = Readonly<Record<string, unknown>>;

export interface AwsTypeCase {
    readonly type: string;
    inputs(world: World): Properties;
    /** Some of the outputs. */
    readonly made: (world: World) => Expected;
    /** Inputs each of which replaces the resource if it changes to this. */
    readonly replaced: Properties;
    /** Changes in place, one after the other, and the calls that they take but those that read. @default - there is none */
    readonly changed?: readonly (readonly [change: Properties, calls: readonly string[]])[];
    /** A change outside of Pulumi, and what then differs. @default - none is possible */
    readonly drift?: readonly [outside: (aws: Aws, state: Properties) => Promise<unknown>, differs: readonly string[]];
    /** Lets the resource vanish. */
    vanish(aws: Aws, state: Properties): Promise<unknown>;
    /** Inputs that are refused, and why. */
    readonly refused: readonly (readonly [Properties, RegExp])[];
}

const id = (state: Properties | undefined) => String(state?.id);
const ec2 = (aws: Aws, action: string, parameters: Record<string, string | number>) =>
    aws.query("ec2", action, parameters);
const trust = (service: string) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
});
const policy = (action: string) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
});
const tags = { Name: "edge-lb1", note: "" };
const account = "123456789012";

const rule = (direction: "Ingress" | "Egress"): AwsTypeCase => ({
    type: `vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`,
    inputs: ({ made }) => ({
        securityGroupId: id(made.SecurityGroup),
        ipProtocol: "tcp",
        fromPort: 80,
        toPort: 80,
        cidrIpv4: "0.0.0.0/0",
        description: "clients",
    }),
    made: () => ({
        arn: /:security-group-rule\/sgr-/,
        securityGroupRuleId: /^sgr-/,
        cidrIpv4: "0.0.0.0/0",
        toPort: 80,
    }),
    replaced: { securityGroupId: unknown, cidrIpv4: null, prefixListId: "pl-1" },
    changed: [
        [{ fromPort: 443, toPort: 443 }, ["ModifySecurityGroupRules"]],
        [{ cidrIpv4: "192.0.2.0/24", description: "office" }, ["ModifySecurityGroupRules"]],
        [{ tags }, ["CreateTags"]],
    ],
    drift: [
        (aws, state) =>
            ec2(aws, "ModifySecurityGroupRules", {
                GroupId: String(state.securityGroupId),
                "SecurityGroupRule.1.SecurityGroupRuleId": id(state),
                "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4": "198.51.100.0/24",
                "SecurityGroupRule.1.SecurityGroupRule.IpProtocol": "tcp",
                "SecurityGroupRule.1.SecurityGroupRule.FromPort": 443,
                "SecurityGroupRule.1.SecurityGroupRule.ToPort": 443,
                "SecurityGroupRule.1.SecurityGroupRule.Description": "office",
            }),
        ["cidrIpv4"],
    ],
    vanish: (aws, state) =>
        ec2(aws, `RevokeSecurityGroup${direction}`, {
            GroupId: String(state.securityGroupId),
            "SecurityGroupRuleId.1": id(state),
        }),
    refused: [
        [{ cidrIpv6: "::/0" }, /2 attributes specified when one \(and only one\) of/],
        [{ fromPort: -2 }, /expected at least -1/],
    ],
});

/** In an order in which each finds what it needs. */
export const awsTypes: readonly AwsTypeCase[] = [
    {
        type: "ec2/securityGroup:SecurityGroup",
        inputs: ({ vpc }) => ({ name: "edge", vpcId: vpc, description: "HAProxy hosts", tags }),
        made: () => ({ arn: /^arn:aws:ec2:eu-central-1:123456789012:security-group\/sg-/, egress: [], ingress: [] }),
        replaced: { name: "other", description: "other", vpcId: "vpc-1", region: "eu-west-1" },
        changed: [[{ tags: { Name: "edge" } }, ["DeleteTags", "CreateTags"]]],
        drift: [
            (aws, state) =>
                ec2(aws, "CreateTags", { "ResourceId.1": id(state), "Tag.1.Key": "Name", "Tag.1.Value": "lost" }),
            ["tags.Name", "tagsAll.Name"],
        ],
        vanish: (aws, state) => ec2(aws, "DeleteSecurityGroup", { GroupId: id(state) }),
        refused: [[{ ingress: [] }, /'ingress': this stand-in does not have it/]],
    },
    rule("Ingress"),
    rule("Egress"),
    {
        type: "iam/role:Role",
        inputs: () => ({ name: "edge-role", assumeRolePolicy: trust("ec2.amazonaws.com"), tags }),
        made: () => ({
            id: "edge-role",
            arn: `arn:aws:iam::${account}:role/edge-role`,
            maxSessionDuration: 3600,
            path: "/",
        }),
        replaced: { name: "other", path: "/hosts/" },
        changed: [
            [{ assumeRolePolicy: trust("ssm.amazonaws.com") }, ["UpdateAssumeRolePolicy"]],
            [{ description: "hosts", maxSessionDuration: 7200 }, ["UpdateRole"]],
            [{ tags: { Name: "edge" } }, ["UntagRole", "TagRole"]],
        ],
        drift: [
            (aws, state) =>
                aws.query("iam", "UpdateRole", { RoleName: id(state), Description: "lost", MaxSessionDuration: 7200 }),
            ["description"],
        ],
        vanish: (aws, state) => aws.query("iam", "DeleteRole", { RoleName: id(state) }),
        refused: [[{ assumeRolePolicy: null }, /missing required property 'assumeRolePolicy'/]],
    },
    {
        type: "iam/rolePolicy:RolePolicy",
        inputs: ({ made }) => ({ name: "move", role: id(made.Role), policy: policy("ec2:AssociateAddress") }),
        made: () => ({ id: "edge-role:move", policy: JSON.stringify(sorted(policy("ec2:AssociateAddress"))) }),
        replaced: { name: "other", role: "other" },
        changed: [[{ policy: policy("ec2:DescribeAddresses") }, ["PutRolePolicy"]]],
        drift: [
            (aws, state) =>
                aws.query("iam", "PutRolePolicy", {
                    RoleName: String(state.role),
                    PolicyName: String(state.name),
                    PolicyDocument: JSON.stringify(policy("ec2:*")),
                }),
            ["policy"],
        ],
        vanish: (aws, state) =>
            aws.query("iam", "DeleteRolePolicy", { RoleName: String(state.role), PolicyName: String(state.name) }),
        refused: [[{ role: null }, /missing required property 'role'/]],
    },
    {
        type: "iam/instanceProfile:InstanceProfile",
        inputs: ({ made }) => ({ name: "edge-profile", role: String(made.Role?.name), tags }),
        made: () => ({ arn: `arn:aws:iam::${account}:instance-profile/edge-profile`, role: "edge-role" }),
        replaced: { name: "other", path: "/hosts/" },
        changed: [
            [{ role: null }, ["RemoveRoleFromInstanceProfile"]],
            [{ role: "edge-role" }, ["AddRoleToInstanceProfile"]],
        ],
        drift: [
            (aws, state) =>
                aws.query("iam", "RemoveRoleFromInstanceProfile", {
                    InstanceProfileName: id(state),
                    RoleName: String(state.role),
                }),
            ["role"],
        ],
        vanish: async (aws, state) => {
            const profile = { InstanceProfileName: id(state) };
            await aws.query("iam", "RemoveRoleFromInstanceProfile", { ...profile, RoleName: String(state.role) });
            await aws.query("iam", "DeleteInstanceProfile", profile);
        },
        refused: [[{ roles: [] }, /'roles': this stand-in does not have it/]],
    },
    {
        type: "ec2/networkInterface:NetworkInterface",
        inputs: ({ subnets, made }) => ({
            subnetId: subnets[0],
            securityGroups: [id(made.SecurityGroup)],
            privateIpsCount: 1,
            description: "edge-lb1",
            tags,
        }),
        made: () => ({
            arn: /:network-interface\/eni-/,
            attachments: [],
            privateIp: /^10\.0\./,
            sourceDestCheck: true,
        }),
        replaced: { subnetId: "subnet-1", privateIps: ["10.0.99.99"] },
        changed: [
            [{ privateIpsCount: 2 }, ["AssignPrivateIpAddresses"]],
            [{ privateIpsCount: 1 }, ["UnassignPrivateIpAddresses"]],
            [{ description: "lb1" }, ["ModifyNetworkInterfaceAttribute"]],
            [{ sourceDestCheck: false }, ["ModifyNetworkInterfaceAttribute"]],
        ],
        drift: [
            (aws, state) =>
                ec2(aws, "ModifyNetworkInterfaceAttribute", {
                    NetworkInterfaceId: id(state),
                    "SourceDestCheck.Value": "true",
                }),
            ["sourceDestCheck"],
        ],
        vanish: (aws, state) => ec2(aws, "DeleteNetworkInterface", { NetworkInterfaceId: id(state) }),
        refused: [[{ privateIpsCount: 1.5 }, /expected a whole number/]],
    },
    {
        type: "ec2/eip:Eip",
        inputs: () => ({ domain: "vpc", tags }),
        made: () => ({ allocationId: /^eipalloc-/, publicIp: /^203\.0\.113\./, associationId: "", instance: "" }),
        replaced: { domain: "standard", address: "203.0.113.99" },
        changed: [[{ tags: { ...tags, Name: "edge" } }, ["CreateTags"]]],
        drift: [
            (aws, state) => ec2(aws, "DeleteTags", { "ResourceId.1": id(state), "Tag.1.Key": "Name" }),
            ["tags.Name", "tagsAll.Name"],
        ],
        vanish: (aws, state) => ec2(aws, "ReleaseAddress", { AllocationId: id(state) }),
        refused: [[{ domain: "classic" }, /expected one of vpc, standard/]],
    },
    {
        type: "ec2/eipAssociation:EipAssociation",
        inputs: ({ made }) => ({
            allocationId: id(made.Eip),
            networkInterfaceId: id(made.NetworkInterface),
            privateIpAddress: String(made.NetworkInterface?.privateIp),
        }),
        made: ({ made }) => ({ id: /^eipassoc-/, publicIp: made.Eip?.publicIp, instanceId: "" }),
        replaced: { allocationId: "eipalloc-1", networkInterfaceId: "eni-1", privateIpAddress: "10.0.99.99" },
        vanish: (aws, state) => ec2(aws, "DisassociateAddress", { AssociationId: id(state) }),
        refused: [[{ publicIp: 1 }, /expected a string/]],
    },
    {
        type: "ec2/instance:Instance",
        inputs: ({ made }) => ({
            ami: "ami-00000000000086064",
            instanceType: "c7i.large",
            iamInstanceProfile: "edge-profile",
            primaryNetworkInterface: { networkInterfaceId: id(made.NetworkInterface) },
            metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
            rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: true },
            userData: "#cloud-config\n# Grüße\n",
            tags,
        }),
        made: ({ made }) => ({
            arn: /:instance\/i-/,
            instanceState: "running",
            privateIp: made.NetworkInterface?.privateIp,
            publicIp: made.Eip?.publicIp,
            subnetId: made.NetworkInterface?.subnetId,
            vpcSecurityGroupIds: [made.SecurityGroup?.id],
            userData: "#cloud-config\n# Grüße\n",
        }),
        replaced: {
            ami: "ami-1",
            primaryNetworkInterface: { networkInterfaceId: "eni-1" },
            rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: false },
            keyName: "other",
            subnetId: "subnet-1",
        },
        changed: [
            [{ instanceType: "c7i.xlarge" }, ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]],
            [{ userData: "#cloud-config\n" }, ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]],
            [
                { metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 2 } },
                ["ModifyInstanceMetadataOptions"],
            ],
            [{ rootBlockDevice: { volumeType: "gp3", volumeSize: 30, encrypted: true } }, ["ModifyVolume"]],
            [{ disableApiTermination: true }, ["ModifyInstanceAttribute"]],
            [{ disableApiTermination: false }, ["ModifyInstanceAttribute"]],
            [{ tags: { Name: "edge-lb1" } }, ["DeleteTags"]],
        ],
        drift: [
            async (aws, state) => {
                await ec2(aws, "StopInstances", { "InstanceId.1": id(state) });
                const change = { InstanceId: id(state), "InstanceType.Value": "t3.micro" };
                await ec2(aws, "ModifyInstanceAttribute", change);
                await ec2(aws, "StartInstances", { "InstanceId.1": id(state) });
            },
            ["instanceType"],
        ],
        vanish: (aws, state) => ec2(aws, "TerminateInstances", { "InstanceId.1": id(state) }),
        refused: [
            [{ metadataOptions: { httpTokens: "never" } }, /expected one of optional, required/],
            [{ rootBlockDevice: { size: 1 } }, /'size': this stand-in does not have it/],
        ],
    },
    {
        type: "route53/record:Record",
        inputs: ({ zone, made }) => ({
            zoneId: zone,
            name: "www.example.com",
            type: "A",
            ttl: 300,
            records: [String(made.Eip?.publicIp)],
        }),
        made: ({ zone }) => ({ id: `${zone}_www.example.com_A`, fqdn: "www.example.com", allowOverwrite: false }),
        replaced: { name: "staging.example.com", zoneId: "Z1" },
        changed: [
            [{ ttl: 60 }, ["ChangeResourceRecordSets"]],
            [{ records: ["192.0.2.1", "192.0.2.2"] }, ["ChangeResourceRecordSets"]],
        ],
        drift: [(aws, state) => changeRecord(aws, state, "UPSERT", "198.51.100.7"), ["records[0]", "records[1]"]],
        async vanish(aws, state) {
            // A list begins with the next record if there is none of a name.
            await changeRecord(aws, { ...state, name: "zz.example.com" }, "UPSERT", "192.0.2.9");
            await changeRecord(aws, state, "DELETE", ...(state.records as string[]));
        },
        refused: [
            [{ records: null }, /one of `aliases,records` must be specified/],
            [{ ttl: null }, /all of `records,ttl` must be specified/],
        ],
    },
];

async function changeRecord({ url }: Aws, state: Properties, action: "UPSERT" | "DELETE", ...values: string[]) {
    const records = values.map((value) => `<ResourceRecord><Value>${value}</Value></ResourceRecord>`).join("");
    const set =
        `<Name>${state.name}</Name><Type>A</Type><TTL>${state.ttl}</TTL>` +
        `<ResourceRecords>${records}</ResourceRecords>`;
    const change = `<Change><Action>${action}</Action><ResourceRecordSet>${set}</ResourceRecordSet></Change>`;
    const answer = await fetch(`${url}/2013-04-01/hostedzone/${state.zoneId}/rrset/`, {
        method: "POST",
        headers: {
            authorization:
                "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=none",
        },
        body: `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>${change}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
    });
    assert.ok(answer.ok, await answer.text());
}

function sorted(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)]);
    return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

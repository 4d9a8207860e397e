// What a program registers, as a configuration of Terraform: the way back from what the bridge makes of Terraform's AWS provider.
import assert from "node:assert/strict";
import { type Recording, type Registration, unsecret } from "./mocks";

interface Type {
    readonly terraform: string;
    /** What is known after an apply only, besides `id`. */
    readonly outputs?: readonly string[];
    /** The last part of its ARN, before the id. */
    readonly arn?: string;
}

/** The types that stacks use. */
const types: Readonly<Record<string, Type>> = {
    "aws:ec2/eip:Eip": { terraform: "aws_eip", outputs: ["allocationId", "publicIp"], arn: "elastic-ip" },
    "aws:ec2/eipAssociation:EipAssociation": { terraform: "aws_eip_association" },
    "aws:ec2/instance:Instance": { terraform: "aws_instance", arn: "instance" },
    "aws:ec2/networkInterface:NetworkInterface": {
        terraform: "aws_network_interface",
        outputs: ["privateIp"],
        arn: "network-interface",
    },
    "aws:ec2/securityGroup:SecurityGroup": { terraform: "aws_security_group" },
    "aws:iam/instanceProfile:InstanceProfile": { terraform: "aws_iam_instance_profile", outputs: ["name"] },
    "aws:iam/role:Role": { terraform: "aws_iam_role", outputs: ["name"] },
    "aws:iam/rolePolicy:RolePolicy": { terraform: "aws_iam_role_policy" },
    "aws:route53/record:Record": { terraform: "aws_route53_record" },
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": { terraform: "aws_vpc_security_group_egress_rule" },
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": { terraform: "aws_vpc_security_group_ingress_rule" },
};

/** Where the provider that judges differs from the one that runs, with why. Each takes inputs as the stacks give them. */
const differences: Readonly<Record<string, (inputs: Inputs) => Inputs>> = {
    // 6.0 replaced the list `network_interface` of an instance by one `primary_network_interface`, whose device is always the first.
    "aws:ec2/instance:Instance": ({ primaryNetworkInterface, ...inputs }) => ({
        ...inputs,
        networkInterface: { ...(primaryNetworkInterface as object), deviceIndex: 0 },
    }),
};

type Inputs = Record<string, unknown>;

/** A value of another resource, in what a program registers. */
const reference = (name: string, output: string) => `⟦${name}|${output}⟧`;

/** The id of a resource, for mocks; {@link terraformJson} takes it for a reference. */
export const idReference = (type: string, name: string) => (types[type] ? reference(name, "id") : `${name}-id`);

/** What AWS adds to a resource, for mocks, in the same way. */
export function outputReferences(type: string, name: string): Inputs {
    const { outputs = [], arn } = types[type] ?? {};
    return {
        ...Object.fromEntries(outputs.map((output) => [output, reference(name, output)])),
        ...(arn ? { arn: `arn:aws:ec2:eu-central-1:123456789012:${arn}/${reference(name, "id")}` } : {}),
    };
}

/** The id of an image that a program has looked up, in the same way. */
export const imageReference = (owner: string) => reference(`image of ${owner}`, "id");

/**
 * The configuration of all resources of AWS that a program has registered.
 *
 * @param images arguments of the look-ups of images, by the owner in their references
 * @throws if there is a type that is not among those above
 */
export function terraformJson(recording: Recording, images: Readonly<Record<string, Inputs>>) {
    const ours = recording.registrations.filter(({ type }) => type.startsWith("aws:"));
    const addresses = new Map(
        Object.keys(images).map((owner) => [`image of ${owner}`, `data.aws_ami.${label(owner)}`]),
    );
    for (const { type, name } of ours) addresses.set(name, `${typeOf(type).terraform}.${label(name)}`);
    assert.equal(new Set(addresses.values()).size, ours.length + Object.keys(images).length, "two have one name");
    const resource: Record<string, Record<string, Inputs>> = {};
    for (const registration of ours) {
        const { terraform } = typeOf(registration.type);
        resource[terraform] = {
            ...resource[terraform],
            [label(registration.name)]: escaped(inputsOf(registration), addresses) as Inputs,
        };
    }
    const data = Object.entries(images).map(([owner, inputs]) => [label(owner), snake(inputs)]);
    return { resource, data: { aws_ami: Object.fromEntries(data) } };
}

function typeOf(type: string): Type {
    return types[type] ?? assert.fail(`${type}: add Terraform's name of it to test/support/terraformJson.ts`);
}

/** A name that Terraform allows. */
const label = (name: string) => name.replace(/^\d|[^\w-]/g, "_");

function inputsOf({ type, inputs, options }: Registration): Inputs {
    const difference = differences[type] ?? ((same: Inputs) => same);
    const ignored = options.ignoreChanges.map((path) => snakeName(path));
    return {
        ...snake(difference(unsecret(inputs) as Inputs)),
        ...(ignored.length ? { lifecycle: { ignore_changes: ignored } } : {}),
    };
}

/** Maps whose keys are the user's. */
const MAPS = ["tags"];

const snakeName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Terraform has blocks where Pulumi has objects and lists of them. The names of lists are in the plural in Pulumi only. */
function snake(inputs: Inputs): Inputs {
    return Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => {
            const name = snakeName(key);
            if (MAPS.includes(key) || value === null || typeof value !== "object") return [name, value];
            if (!Array.isArray(value)) return [name, [snake(value as Inputs)]];
            const blocks = value.length > 0 && value.every((one) => typeof one === "object");
            return blocks ? [name.replace(/s$/, ""), value.map(snake)] : [name, value];
        }),
    );
}

/** A value whose texts Terraform takes as they are, but for references. */
function escaped(value: unknown, addresses: ReadonlyMap<string, string>): unknown {
    if (typeof value === "string") {
        const literal = value.replace(/[$%]\{/g, (start) => `${start[0]}${start}`);
        return literal.replace(/⟦([^|⟧]*)\|(\w+)⟧/g, (_, name, output) => {
            const address = addresses.get(name) ?? assert.fail(`there is no ${name}`);
            return `\${${address}.${snakeName(output)}}`;
        });
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((one) => escaped(one, addresses));
    return Object.fromEntries(
        Object.entries(value).map(([key, one]) => [escaped(key, addresses), escaped(one, addresses)]),
    );
}

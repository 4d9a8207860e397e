import type { MockOptions } from "./mocks";
import { newKeyPair } from "./sshKeys";

/** App servers of the stacks prod and staging, by the entry of their run list. */
const appServers: Readonly<Record<string, readonly string[]>> = {
    "ecom-platform::app": ["10.0.1.21", "10.0.2.21"],
    "ecom-docs::app": ["10.0.1.41", "10.0.2.41"],
};

/** What AWS would answer to the stacks prod and staging, for Pulumi's mocks. */
export const awsMocks: Required<Pick<MockOptions, "call" | "outputs">> = {
    call(token, inputs) {
        const name = token.split(":").at(-1);
        if (name === "getInstances") {
            const { filters } = inputs as { filters: { name: string; values: string[] }[] };
            const [entry = ""] = filters.find((filter) => filter.name === "tag:run_list")?.values ?? [];
            const privateIps = appServers[entry] ?? [];
            return {
                id: "eu-central-1",
                ids: privateIps.map((ip) => `i-${ip}`),
                privateIps,
                publicIps: [],
                region: "eu-central-1",
            };
        }
        if (name === "getAmi") return { id: "ami-0a1b2c3d4e5f60718" };
        if (name === "getSubnet") return { availabilityZone: String(inputs.id).endsWith("a") ? "a" : "b" };
        throw new Error(`unexpected call of ${token}`);
    },
    outputs(type, name) {
        const n = /lb(\d)/.exec(name)?.[1] ?? "0";
        const outputs: Readonly<Record<string, Record<string, unknown>>> = {
            "tls:index/privateKey:PrivateKey": keyOf(name),
            "aws:ec2/networkInterface:NetworkInterface": {
                privateIp: `10.0.${n}.11`,
                privateIps: [`10.0.${n}.11`, `10.0.${n}.12`],
                arn: `arn:aws:ec2:eu-central-1:123456789012:network-interface/${name}`,
            },
            "aws:ec2/instance:Instance": { privateIp: `10.0.${n}.11` },
            "aws:ec2/eip:Eip": {
                publicIp: `203.0.113.1${n}`,
                allocationId: `eipalloc-${name}`,
                arn: `arn:aws:ec2:eu-central-1:123456789012:elastic-ip/${name}`,
                region: "eu-central-1",
            },
            "aws:iam/role:Role": { name: `${name}-1a2b3c4` },
            "aws:iam/instanceProfile:InstanceProfile": { name: `${name}-1a2b3c4` },
        };
        return outputs[type] ?? {};
    },
};

/** The same with ids in the form that AWS gives them, which a pair judges. */
export const stackMocks: Required<Pick<MockOptions, "call" | "outputs" | "id">> = {
    ...awsMocks,
    id: (type, name) => (type === "aws:ec2/networkInterface:NetworkInterface" ? interfaceId(name) : `${name}-id`),
    outputs: (type, name) => ({
        ...awsMocks.outputs(type, name),
        ...(name.endsWith("-service-address") && { allocationId: "eipalloc-0a1b2c3d" }),
    }),
};

/** The id of an interface. */
export function interfaceId(name: string): string {
    return `eni-${Buffer.from(name, "utf8").toString("hex")}`;
}

const keys = new Map<string, Record<string, unknown>>();

/** The same key each time, as a state has it. */
function keyOf(name: string): Record<string, unknown> {
    const made = newKeyPair();
    const key = keys.get(name) ?? { privateKeyOpenssh: made.private, publicKeyOpenssh: `${made.public}\n` };
    keys.set(name, key);
    return key;
}

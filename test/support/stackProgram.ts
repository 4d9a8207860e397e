// A stack of this checkout, run as the engine does but for the engine: Pulumi's mocks answer as AWS would.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { repo } from "../../toolchain/environment.mjs";
import { makeCertificate } from "./certificates";
import { type MockOptions, mockEngine, type Recording, settled } from "./mocks";
import { hostKey } from "./probeReplies";
import { newKeyPair } from "./sshKeys";

/** Public key of the login. */
export const authorizedKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Bb9oTz4ofg4D4jpHy7Wn3K0YkVUTdSDlXw0VjTTkh ops";

const shared = {
    vpc: "vpc-0a1b2c3d4e5f60718",
    subnetA: "subnet-0a1b2c3d4e5f60718",
    subnetB: "subnet-0f1e2d3c4b5a69788",
    zone: "Z0123456789ABCDEFGHIJ",
    sshPublicKeys: JSON.stringify([authorizedKey]),
    sshNetworks: JSON.stringify(["10.0.0.0/16"]),
    papertrailHost: "logs.example.com",
    papertrailPort: "12345",
    maxconn: "20000",
};

/** What the config of each stack on AWS has, without the project's name. */
export const configs: Readonly<Record<StackName, Readonly<Record<string, string>>>> = {
    staging: shared,
    prod: {
        ...shared,
        bastion: JSON.stringify({ address: "198.51.100.7", hostKey }),
        bastionSecurityGroup: "sg-0a1b2c3d4e5f60718",
    },
};
export type StackName = "staging" | "prod";

/** The secrets among it. */
export const secrets: Readonly<Record<StackName, Readonly<Record<string, string>>>> = {
    staging: { sshPrivateKey: "planted login key", datadogApiKey: "0123456789abcdef0123456789abcdef" },
    prod: {
        sshPrivateKey: "planted login key",
        datadogApiKey: "0123456789abcdef0123456789abcdef",
        alertCommand: "logger planted",
    },
};

/** Private addresses of the instances that a search finds, by the entry of their tag. */
export const appServers: Readonly<Record<string, readonly string[]>> = {
    "ecom-platform::app": ["10.0.1.31", "10.0.1.32"],
    "ecom-docs::app": ["10.0.1.41", "10.0.1.42"],
};

/** The host keys that the tls provider mints, all the same one. */
export const minted = newKeyPair();
const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10);
const certificate = makeCertificate("www.example.com", {
    names: ["www.example.com", "docs.example.com"],
    from: day(-1),
    to: day(90),
});

/** A call of a provider's function. */
export interface Call {
    readonly token: string;
    readonly inputs: Readonly<Record<string, unknown>>;
}

/** What a stack has registered, called and returned. */
export interface StackRun extends Recording {
    readonly calls: readonly Call[];
    readonly outputs: Readonly<Record<string, unknown>>;
}

export interface StackOptions extends Pick<MockOptions, "preview" | "id" | "outputs"> {
    /** Answers a call of a provider's function in place of AWS; undefined leaves it to it. */
    readonly call?: (token: string, inputs: Record<string, unknown>) => Record<string, unknown> | undefined;
    /** Changes of the config; undefined leaves a key as the CLI gives it if nobody has set it. */
    readonly change?: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs the program of a stack.
 *
 * @throws what the program throws
 */
export async function runStack(stack: StackName, { change, call, ...options }: StackOptions = {}): Promise<StackRun> {
    const values = Object.entries({ ...configs[stack], ...secrets[stack], ...change });
    const set = values.filter((entry): entry is [string, string] => entry[1] !== undefined);
    const full = Object.entries({ ...unset(), ...Object.fromEntries(set) });
    const { pem, key } = await certificate;
    const calls: Call[] = [];
    const recording = await mockEngine({
        stack,
        outputs,
        ...options,
        call(token, inputs) {
            calls.push({ token, inputs });
            return call?.(token, inputs) ?? answer(token, inputs, pem + key);
        },
        config: Object.fromEntries(full.map(([name, value]) => [`haproxy-fleet:${name}`, value])),
        secretConfig: Object.keys(secrets[stack]).map((name) => `haproxy-fleet:${name}`),
    });
    const program = require.resolve("../../index");
    delete require.cache[program];
    const returned = await (require(program) as () => Promise<Record<string, unknown>>)();
    await settled();
    return { ...recording, calls, outputs: returned };
}

/** What the CLI gives for keys that nobody has set. */
function unset(): Record<string, string> {
    const project = parse(readFileSync(join(repo, "Pulumi.yaml"), "utf8")) as {
        config: Record<string, { default: unknown }>;
    };
    const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
    return Object.fromEntries(Object.entries(project.config).map(([key, { default: value }]) => [key, text(value)]));
}

/** What AWS adds to a resource, for two hosts. */
export function outputs(type: string, name: string): Record<string, unknown> {
    const host = /-lb([12])-/.exec(name)?.[1] ?? "0";
    const arn = (resource: string) => ({ arn: `arn:aws:ec2:eu-central-1:123456789012:${resource}/${name}-id` });
    const region = "eu-central-1";
    switch (type) {
        case "aws:ec2/eip:Eip":
            return { publicIp: `203.0.113.${host}`, allocationId: `${name}-id`, region, ...arn("elastic-ip") };
        case "aws:ec2/networkInterface:NetworkInterface": {
            const privateIps = [`10.0.${host}.10`, `10.0.${host}.20`];
            return { privateIp: privateIps[0], privateIps, ...arn("network-interface") };
        }
        case "aws:ec2/instance:Instance":
            return { privateIp: `10.0.${host}.10` };
        case "aws:iam/role:Role":
        case "aws:iam/instanceProfile:InstanceProfile":
            return { name: `${name}-1a2b3c4` };
        case "tls:index/privateKey:PrivateKey":
            return { privateKeyOpenssh: `${minted.private}\n`, publicKeyOpenssh: `${minted.public}\n` };
        default:
            return {};
    }
}

/** What AWS answers. */
function answer(token: string, inputs: Record<string, unknown>, secretString: string): Record<string, unknown> {
    switch (token) {
        case "aws:ec2/getInstances:getInstances": {
            const [{ values: [entry = ""] = [] } = {}] = inputs.filters as { values: string[] }[];
            const privateIps = appServers[entry] ?? [];
            const ids = privateIps.map((ip) => `i-${ip}`);
            return { id: "eu-central-1", region: "eu-central-1", ids, privateIps, publicIps: [] };
        }
        case "aws:ec2/getAmi:getAmi":
            return { id: "ami-0a1b2c3d4e5f60718" };
        case "aws:ec2/getSubnet:getSubnet":
            return {
                id: inputs.id,
                availabilityZone: inputs.id === shared.subnetA ? "eu-central-1a" : "eu-central-1b",
            };
        case "aws:secretsmanager/getSecretVersion:getSecretVersion":
            return { id: inputs.secretId, secretString };
        default:
            throw new Error(`unexpected call of ${token}`);
    }
}

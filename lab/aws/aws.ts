// AWS for tests and the demo: moto, corrected where it is known not to answer as AWS does.
import type { RequestListener } from "node:http";
import type { Host } from "../host";
import { readRequest } from "./calls";
import { corrections } from "./corrections";
import type { Fault } from "./faults";
import { LabInstances, type LabInstancesArgs } from "./labInstances";
import { startMoto } from "./moto";
import { pages } from "./pages";
import { type Calls, CorrectingProxy } from "./proxy";
import type { InstanceRole } from "./role";
import { splitList, textOf, textsOf } from "./xml";

export type { Call } from "./calls";
export { type Fault, faults } from "./faults";
export type { Calls } from "./proxy";

export interface AwsOptions {
    /** Region of `env` and of the calls of tests. @default "eu-central-1" */
    region?: string;
    /** Hosts of a lab on which instances with a network interface run. @default - none: instances are rows of a table */
    instances?: LabInstancesArgs;
    /** The role of hosts that call AWS themselves. @default - none */
    role?: InstanceRole;
}

/** Where a call of a test is made. moto has every account and region at once. */
export interface Where {
    /** @default - that of the options */
    region?: string;
    /** Twelve digits. @default "123456789012" */
    account?: string;
}

/** Instances for searches. */
export interface InstancesArgs {
    tags: Readonly<Record<string, string>>;
    /** @default 1 */
    count?: number;
    /** @default - one of the default VPC */
    subnet?: string;
    /** Private address of the only instance. @default - random ones of the subnet */
    address?: string;
    /** @default "t3.micro" */
    type?: string;
    /** @default "running" */
    state?: "running" | "stopped";
}

/**
 * Starts the double.
 *
 * @returns why there is none, in words, if it cannot be installed here
 */
export async function startAws(options: AwsOptions = {}): Promise<Aws | string> {
    const moto = await startMoto();
    if (typeof moto === "string") return moto;
    const hosts = options.instances && new LabInstances(options.instances);
    const layers = [
        ...(options.role ? [options.role.layer] : []),
        pages(),
        ...(hosts ? [hosts.layer] : []),
        ...corrections(),
    ];
    return new Aws(await CorrectingProxy.start(moto.url, layers), moto.stop, options, hosts);
}

/** The double of AWS, on loopback. */
export class Aws {
    /** Such as `http://127.0.0.1:4711`. */
    readonly url: string;
    /** The environment of programs that use it. Their credentials may do everything. */
    readonly env: Readonly<Record<string, string>>;
    /** What programs have called. The calls of the methods here are not among them. */
    readonly calls: Calls;
    private readonly region: string;

    constructor(
        private readonly proxy: CorrectingProxy,
        private readonly stopMoto: () => void,
        private readonly options: AwsOptions,
        private readonly hosts: LabInstances | undefined,
    ) {
        const { region = "eu-central-1" } = options;
        this.region = region;
        this.url = proxy.url;
        this.calls = proxy.calls;
        this.env = {
            AWS_ENDPOINT_URL: proxy.url,
            AWS_REGION: region,
            AWS_ACCESS_KEY_ID: "AKIDTEST",
            AWS_SECRET_ACCESS_KEY: "test",
        };
    }

    /**
     * Lets calls of programs fail.
     *
     * @param action such as `DescribeInstances`, `ec2.DescribeInstances`, `ec2.*`, or `*` for all
     * @returns what ends the fault
     */
    fail(action: string, fault: Fault): () => void {
        return this.proxy.faults.add(action, fault);
    }

    /** What answers programs, for a server that hosts of a lab reach. */
    get handler(): RequestListener {
        return this.proxy.handler;
    }

    /** The lab's host of an instance or network interface. @throws if it has none */
    hostOf(id: string): Host {
        if (!this.hosts) throw new Error(`${id}: the double has no hosts; start it with instances`);
        return this.hosts.hostOf(id);
    }

    /** Waits until the instances on hosts have run their user data. @throws if one could not */
    async booted(): Promise<void> {
        await this.hosts?.booted();
    }

    async stop(): Promise<void> {
        await this.hosts?.booted().catch(() => undefined);
        await this.proxy.stop();
        this.stopMoto();
    }

    /**
     * Calls a service whose calls are forms.
     *
     * @param parameters as on the wire, such as `Filter.1.Name`
     * @returns the answer, in XML
     * @throws if it is refused
     */
    query(
        service: "ec2" | "iam" | "sts",
        action: string,
        parameters: Readonly<Record<string, string | number>> = {},
        where?: Where,
    ): Promise<string> {
        const Version = { ec2: "2016-11-15", iam: "2010-05-08", sts: "2011-06-15" }[service];
        const form = new URLSearchParams({ Action: action, Version });
        for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
        const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
        return this.call(service, "POST", "/", headers, form.toString(), where);
    }

    /** Calls an action of Secrets Manager. */
    async secretsManager(action: string, input: object, where?: Where): Promise<Record<string, unknown>> {
        const headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": `secretsmanager.${action}`,
        };
        return JSON.parse(await this.call("secretsmanager", "POST", "/", headers, JSON.stringify(input), where));
    }

    private get cidr(): string {
        return this.options.instances ? `${this.options.instances.lab.address(0)}/24` : "10.0.0.0/16";
    }

    /** A VPC with two subnets, in the zones a and b. With a lab, it has the lab's network; hosts may be of either half. */
    async network({ cidr = this.cidr, ...where }: Where & { cidr?: string } = {}): Promise<{
        vpc: string;
        subnets: [string, string];
    }> {
        const vpc = textOf(await this.query("ec2", "CreateVpc", { CidrBlock: cidr }, where), "vpcId") ?? "";
        const [address = "", bits = ""] = cidr.split("/");
        const octets = address.split(".").map(Number);
        const half = Number(bits) + 1;
        const index = Math.floor((half - 1) / 8);
        const upper = octets.map((octet, at) => (at === index ? octet + 2 ** (8 - (half - 8 * index)) : octet));
        const subnet = async (zone: string, CidrBlock: string) => {
            const AvailabilityZone = `${where.region ?? this.region}${zone}`;
            const made = await this.query("ec2", "CreateSubnet", { VpcId: vpc, CidrBlock, AvailabilityZone }, where);
            return textOf(made, "subnetId") ?? "";
        };
        return {
            vpc,
            subnets: [await subnet("a", `${address}/${half}`), await subnet("b", `${upper.join(".")}/${half}`)],
        };
    }

    /** Makes a public zone. @returns its id */
    async hostedZone(name: string, where?: Where): Promise<string> {
        const xml = `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${name}</Name><CallerReference>${name}</CallerReference></CreateHostedZoneRequest>`;
        const made = await this.call(
            "route53",
            "POST",
            "/2013-04-01/hostedzone",
            { "content-type": "text/xml" },
            xml,
            where,
        );
        return /<Id>\/hostedzone\/([^<]+)</.exec(made)?.[1] ?? "";
    }

    /** The records of a zone but those that AWS makes itself. */
    async records(
        zone: string,
        where?: Where,
    ): Promise<{ name: string; type: string; ttl: number; values: string[] }[]> {
        const xml = await this.call("route53", "GET", `/2013-04-01/hostedzone/${zone}/rrset`, {}, "", where);
        const sets = xml.match(/<ResourceRecordSet>.*?<\/ResourceRecordSet>/gs) ?? [];
        return sets
            .map((set) => ({
                name: textOf(set, "Name") ?? "",
                type: textOf(set, "Type") ?? "",
                ttl: Number(textOf(set, "TTL")),
                values: textsOf(set, "Value"),
            }))
            .filter(({ type }) => !["NS", "SOA"].includes(type));
    }

    /** Makes a secret, or a new version of it. */
    async secret(name: string, value: string, where?: Where): Promise<void> {
        const change = { SecretId: name, SecretString: value };
        await this.secretsManager("PutSecretValue", change, where).catch(() =>
            this.secretsManager("CreateSecret", { Name: name, SecretString: value }, where),
        );
    }

    /** Makes instances that a search can find. @returns their ids */
    async instances(args: InstancesArgs, where?: Where): Promise<string[]> {
        const { tags, count = 1, subnet, address, type = "t3.micro", state = "running" } = args;
        const made = await this.query(
            "ec2",
            "RunInstances",
            {
                ImageId: "ami-00000000000086064",
                InstanceType: type,
                MinCount: count,
                MaxCount: count,
                ...(subnet ? { SubnetId: subnet } : {}),
                ...(address ? { PrivateIpAddress: address } : {}),
                ...(Object.keys(tags).length ? { "TagSpecification.1.ResourceType": "instance" } : {}),
                ...tagParameters("TagSpecification.1.Tag", Object.entries(tags)),
            },
            where,
        );
        const ids = (splitList(made, "instancesSet")?.items ?? []).map((item) => textOf(item, "instanceId") ?? "");
        if (state === "stopped") await this.query("ec2", "StopInstances", list("InstanceId", ids), where);
        return ids;
    }

    /** Changes tags. `undefined` removes one. */
    async tag(id: string, tags: Readonly<Record<string, string | undefined>>, where?: Where): Promise<void> {
        const set = Object.entries(tags).filter((entry): entry is [string, string] => entry[1] !== undefined);
        const lost = Object.keys(tags).filter((key) => tags[key] === undefined);
        const id1 = { "ResourceId.1": id };
        if (set.length) await this.query("ec2", "CreateTags", { ...id1, ...tagParameters("Tag", set) }, where);
        const keys = Object.fromEntries(lost.map((key, index) => [`Tag.${index + 1}.Key`, key]));
        if (lost.length) await this.query("ec2", "DeleteTags", { ...id1, ...keys }, where);
    }

    private async call(
        service: string,
        method: string,
        path: string,
        headers: Record<string, string>,
        body: string,
        { region = this.region, account }: Where = {},
    ): Promise<string> {
        const scope = `AKIDTEST/20260101/${service === "route53" || service === "iam" ? "us-east-1" : region}/${service}/aws4_request`;
        const request = readRequest(
            method,
            path,
            {
                ...headers,
                host: new URL(this.url).host,
                authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
                ...(account ? { "x-moto-account-id": account } : {}),
            },
            body,
        );
        const answer = await this.proxy.answer(request);
        if (answer.status >= 300) throw new Error(`${service} ${request.action}: ${answer.status} ${answer.body}`);
        return answer.body;
    }
}

const list = (name: string, values: readonly string[]) =>
    Object.fromEntries(values.map((value, index) => [`${name}.${index + 1}`, value]));

const tagParameters = (prefix: string, tags: readonly [string, string][]) =>
    Object.fromEntries(
        tags.flatMap(([key, value], index) => [
            [`${prefix}.${index + 1}.Key`, key],
            [`${prefix}.${index + 1}.Value`, value],
        ]),
    );

// Two hosts of a lab with an elastic IP address of the double of AWS, and what is seen of them from outside.
import { createServer } from "node:http";
import { hostPolicy } from "../../components/aws/policies";
import type { Resource } from "../../components/convergence/kinds/index";
import { type Pair, resolvePair } from "../../components/keepalived/index";
import { elasticUnits } from "../../components/recipes/keepalived/elastic";
import { keepalived } from "../../components/recipes/keepalived/index";
import { type Aws, startAws } from "../../lab/aws/aws";
import { InstanceRole } from "../../lab/aws/role";
import { textOf } from "../../lab/aws/xml";
import type { Host } from "../../lab/host";
import type { Lab } from "../../lab/lab";
import { Convergence } from "./converge";
import { sshTargetOf } from "./sshTarget";
import { until } from "./traffic";

export const MOVER = "/usr/local/libexec/haproxy-fleet/move-address";
const REGION = "eu-central-1";
/** Where hosts find EC2: an address for documentation, which the lab leads to the double. */
export const EC2 = "198.51.100.2";

/** One of the hosts. */
export interface Member {
    readonly host: Host;
    readonly networkInterface: string;
    readonly serviceAddress: string;
}

export class ElasticPair {
    private constructor(
        readonly lab: Lab,
        readonly aws: Aws,
        readonly role: InstanceRole,
        /** The policy that Ec2Hosts gives to the role. */
        readonly policy: string,
        readonly allocation: string,
        /** The first is preferred. */
        readonly members: readonly [Member, Member],
    ) {}

    /** @returns why there is none, in words */
    static async create(lab: Lab, names: readonly [string, string]): Promise<ElasticPair | string> {
        const role = new InstanceRole("edge-role", "");
        const aws = await startAws({ region: REGION, role });
        if (typeof aws === "string") return aws;
        await lab.answerFor("169.254.169.254", 80, createServer(role.metadata));
        const { vpc } = await aws.network({ cidr: `${lab.address(0)}/24` });
        const made = await aws.query("ec2", "DescribeSubnets", { "Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc });
        const SubnetId = textOf(made, "subnetId") ?? "";
        const member = async (name: string, octet: number): Promise<Member> => {
            const host = lab.host(name);
            const serviceAddress = lab.address(octet);
            const answer = await aws.query("ec2", "CreateNetworkInterface", {
                SubnetId,
                "PrivateIpAddresses.1.PrivateIpAddress": host.address,
                "PrivateIpAddresses.1.Primary": "true",
                "PrivateIpAddresses.2.PrivateIpAddress": serviceAddress,
                "PrivateIpAddresses.2.Primary": "false",
            });
            return { host, serviceAddress, networkInterface: textOf(answer, "networkInterfaceId") ?? "" };
        };
        const members = [await member(names[0], 101), await member(names[1], 102)] as const;
        const allocation = textOf(await aws.query("ec2", "AllocateAddress", { Domain: "vpc" }), "allocationId") ?? "";
        await lab.answerFor(EC2, 80, createServer(aws.handler));
        const arn = (kind: string, id: string) => `arn:aws:ec2:${REGION}:123456789012:${kind}/${id}`;
        const interfaces = members.map(({ networkInterface }) => arn("network-interface", networkInterface));
        const policy = hostPolicy(arn("elastic-ip", allocation), interfaces);
        role.policy = policy;
        return new ElasticPair(lab, aws, role, policy, allocation, members);
    }

    peerOf(member: Member): Member {
        return this.members[0] === member ? this.members[1] : this.members[0];
    }

    get pair(): Pair {
        const hosts = this.members.map(({ host, networkInterface: networkInterfaceId, serviceAddress }) => ({
            name: host.name,
            address: host.address,
            elastic: { networkInterfaceId, serviceAddress },
        }));
        const elasticIp = { allocationId: this.allocation, region: REGION, endpoint: `http://${EC2}` };
        return resolvePair("edge", { failback: "never", elasticIp }, hosts);
    }

    /** The run list of a host, but for HAProxy. */
    resources({ host }: Member): Resource[] {
        return keepalived(this.pair, host.name);
    }

    convergence(member: Member): Convergence {
        return new Convergence(sshTargetOf(this.lab, member.host), this.resources(member));
    }

    /** Installs HAProxy's configuration, and converges. */
    async install(member: Member): Promise<void> {
        await member.host.writeFile("/etc/haproxy/haproxy.cfg", haproxy(member.host.name));
        await member.host.exec("mkdir -p /usr/local/libexec; systemctl restart haproxy");
        const { code, stderr } = await this.convergence(member).up();
        if (code !== 0) throw new Error(stderr);
    }

    /** Where the address leads; `undefined` if nowhere. */
    async owner(): Promise<Member | undefined> {
        const found = await this.aws.query("ec2", "DescribeAddresses", { "AllocationId.1": this.allocation });
        return this.members.find(
            ({ networkInterface, serviceAddress }) =>
                networkInterface === textOf(found, "networkInterfaceId") &&
                serviceAddress === textOf(found, "privateIpAddress"),
        );
    }

    /** Moves the address as somebody else would. */
    async lead({ networkInterface, serviceAddress }: Member): Promise<void> {
        await this.aws.query("ec2", "AssociateAddress", {
            AllocationId: this.allocation,
            NetworkInterfaceId: networkInterface,
            PrivateIpAddress: serviceAddress,
            AllowReassociation: "true",
        });
    }

    /** The role, as `pair state` prints it. */
    async state({ host }: Member): Promise<string> {
        return (await host.exec("/usr/local/libexec/haproxy-fleet/pair state", { check: false })).stdout.trim();
    }

    /** Waits until a host is MASTER with the address, and the other one BACKUP. */
    async settled(master: Member): Promise<void> {
        await until(
            `${master.host.name} is MASTER and has the address`,
            async () =>
                (await this.owner()) === master &&
                (await this.state(master)) === "MASTER\tall" &&
                (await this.state(this.peerOf(master))) === "BACKUP\tnone",
        );
    }

    /** What the mover of a host has said since a time in seconds, without the newest `before` lines. */
    async said({ host }: Member, since: number): Promise<string[]> {
        const { stdout } = await host.exec(
            `journalctl --sync; journalctl -q -o cat --since=@${since} -t haproxy-fleet-address`,
        );
        return stdout.split("\n").filter((line) => line !== "");
    }

    /** Runs the mover as keepalived's notify lets it run. @returns whether it has succeeded */
    async move({ host }: Member): Promise<boolean> {
        return (await host.exec(`systemctl start ${elasticUnits.move}`, { check: false })).code === 0;
    }

    stop(): Promise<void> {
        return this.aws.stop();
    }
}

const haproxy = (name: string) => `global
    maxconn 1000
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend in
    bind *:80
    http-request return status 200 content-type text/plain string ${name}
frontend health
    bind *:8407
    monitor-uri /
`;

// Everything that Ec2Hosts registers, in previews and in ups.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Ec2Hosts, type Ec2HostsArgs } from "../../../components/aws/index";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { knownValue } from "../../../components/convergence/outputs";
import { awsMocks } from "../../support/awsMocks";
import {
    assertSecret,
    failuresOf,
    type MockOptions,
    mockEngine,
    promiseOf,
    type Recording,
    type RegistrationOptions,
    registered,
    restoreLog,
    settled,
    unsecret,
} from "../../support/mocks";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Bb9oTz4ofg4D4jpHy7Wn3K0YkVUTdSDlXw0VjTTkh ops";
const declared: Ec2HostsArgs<"lb1" | "lb2"> = {
    environment: "prod",
    vpc: "vpc-1",
    hosts: { lb1: { subnet: "subnet-a" }, lb2: { subnet: "subnet-b" } },
    ssh: { user: "deploy", authorizedKeys: [key], from: ["198.51.100.7"], securityGroup: "sg-bastion" },
    dns: { zone: "Z1", names: ["www.example.com", "*.example.com"] },
};

const INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule";
const INSTANCE = "aws:ec2/instance:Instance";
const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
const EIP = "aws:ec2/eip:Eip";
const EIP_ASSOCIATION = "aws:ec2/eipAssociation:EipAssociation";
const RECORD = "aws:route53/record:Record";
const COMPONENT = "haproxy-fleet:index:Ec2Hosts";

const shared = [
    ["aws:ec2/securityGroup:SecurityGroup", "edge-hosts"],
    [INGRESS, "edge-ssh-198.51.100.7/32"],
    [INGRESS, "edge-ssh-security-group"],
    [INGRESS, "edge-clients-80-0.0.0.0/0"],
    [INGRESS, "edge-clients-80-::/0"],
    [INGRESS, "edge-clients-443-0.0.0.0/0"],
    [INGRESS, "edge-clients-443-::/0"],
    [INGRESS, "edge-vrrp"],
    [INGRESS, "edge-health"],
    [EGRESS, "edge-out-ipv4"],
    [EGRESS, "edge-out-ipv6"],
    ["aws:iam/role:Role", "edge-role"],
    ["aws:iam/rolePolicy:RolePolicy", "edge-role-policy"],
    ["aws:iam/instanceProfile:InstanceProfile", "edge-profile"],
    [EIP, "edge-service-address"],
    [RECORD, "edge-name-www.example.com"],
    [RECORD, "edge-name-*.example.com"],
] as const;
const ofHost = (host: string, generation = "") =>
    [
        ["tls:index/privateKey:PrivateKey", `edge-${host}-host-key${generation}`],
        [INTERFACE, `edge-${host}-interface${generation}`],
        [EIP, `edge-${host}-own-address${generation}`],
        [EIP_ASSOCIATION, `edge-${host}-own-address-association${generation}`],
        [INSTANCE, `edge-${host}-instance${generation}`],
    ] as const;
/** The component with these children. */
const family = (children: readonly (readonly [string, string])[]) =>
    [[COMPONENT, "edge", ""], ...children.map(([type, name]) => [type, name, "edge"])].sort();
/** Everything that is registered: type, name and parent. */
const registeredFamily = ({ registrations }: Recording) =>
    registrations.map(({ type, name, options }) => [type, name, options.parent]).sort();

describe("Ec2Hosts", () => {
    after(restoreLog);

    async function hostsWith(args: Partial<Ec2HostsArgs<"lb1" | "lb2">> = {}, mocks: MockOptions = {}) {
        const recording = await mockEngine({ ...awsMocks, ...mocks });
        const hosts = new Ec2Hosts("edge", { ...declared, ...args });
        await settled();
        const inputs = (type: string, name: string) => registered(recording, type, name).inputs;
        const options = new Map(recording.registrations.map(({ name, options }) => [name, options]));
        return { recording, options, hosts, inputs };
    }

    for (const preview of [true, false]) {
        it(`has exactly these children, in ${preview ? "a preview" : "an up"}`, async () => {
            const { recording } = await hostsWith({}, { preview });
            assert.deepEqual(registeredFamily(recording), family([...shared, ...ofHost("lb1"), ...ofHost("lb2")]));
            assert.deepEqual(recording.messages, []);
        });
    }

    it("gives them exactly these inputs", async () => {
        const { inputs } = await hostsWith({
            tags: { team: "web" },
            hosts: { ...declared.hosts, lb2: { subnet: pulumi.output("subnet-b"), instanceType: "c7i.xlarge" } },
            diskGiB: 40,
        });
        const tags = (Name: string) => ({ team: "web", environment: "prod", Name });
        const group = { securityGroupId: "edge-hosts-id" };
        const tcp = (port: number) => ({ ...group, ipProtocol: "tcp", fromPort: port, toPort: port });
        const host = (n: 1 | 2, subnetId: string, instanceType: string) => {
            const name = `edge-lb${n}`;
            return {
                [`${name}-host-key`]: { algorithm: "ED25519" },
                [`${name}-interface`]: {
                    subnetId,
                    securityGroups: ["edge-hosts-id"],
                    privateIpsCount: 1,
                    description: name,
                    tags: tags(name),
                },
                [`${name}-own-address`]: { domain: "vpc", tags: tags(name) },
                [`${name}-own-address-association`]: {
                    allocationId: `eipalloc-${name}-own-address`,
                    networkInterfaceId: `${name}-interface-id`,
                    privateIpAddress: `10.0.${n}.11`,
                },
                [`${name}-instance`]: {
                    ami: "ami-0a1b2c3d4e5f60718",
                    instanceType,
                    iamInstanceProfile: "edge-profile-1a2b3c4",
                    primaryNetworkInterface: { networkInterfaceId: `${name}-interface-id` },
                    metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
                    rootBlockDevice: { volumeType: "gp3", volumeSize: 40, encrypted: true },
                    tags: { ...tags(name), run_list: "haproxy::lb" },
                },
            };
        };
        const record = { zoneId: "Z1", type: "A", ttl: 300, records: ["203.0.113.10"] };
        const expected: Record<string, object> = {
            "edge-hosts": { vpcId: "vpc-1", description: "HAProxy hosts", tags: tags("edge") },
            "edge-ssh-198.51.100.7/32": { ...tcp(22), cidrIpv4: "198.51.100.7/32", description: "SSH" },
            "edge-ssh-security-group": {
                ...tcp(22),
                referencedSecurityGroupId: "sg-bastion",
                description: "SSH from the bastion",
            },
            "edge-clients-80-0.0.0.0/0": { ...tcp(80), cidrIpv4: "0.0.0.0/0", description: "Clients" },
            "edge-clients-80-::/0": { ...tcp(80), cidrIpv6: "::/0", description: "Clients" },
            "edge-clients-443-0.0.0.0/0": { ...tcp(443), cidrIpv4: "0.0.0.0/0", description: "Clients" },
            "edge-clients-443-::/0": { ...tcp(443), cidrIpv6: "::/0", description: "Clients" },
            "edge-vrrp": {
                ...group,
                ipProtocol: "112",
                referencedSecurityGroupId: "edge-hosts-id",
                description: "VRRP",
            },
            "edge-health": { ...tcp(8407), referencedSecurityGroupId: "edge-hosts-id", description: "Health page" },
            "edge-out-ipv4": { ...group, ipProtocol: "-1", cidrIpv4: "0.0.0.0/0", description: "All" },
            "edge-out-ipv6": { ...group, ipProtocol: "-1", cidrIpv6: "::/0", description: "All" },
            "edge-role": {
                assumeRolePolicy: JSON.stringify({
                    Version: "2012-10-17",
                    Statement: [
                        { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
                    ],
                }),
                tags: tags("edge"),
            },
            "edge-profile": { role: "edge-role-1a2b3c4", tags: tags("edge") },
            "edge-service-address": { domain: "vpc", tags: tags("edge") },
            "edge-name-www.example.com": { ...record, name: "www.example.com" },
            "edge-name-*.example.com": { ...record, name: "*.example.com" },
            ...host(1, "subnet-a", "c7i.large"),
            ...host(2, "subnet-b", "c7i.xlarge"),
        };
        for (const [type, name] of [...shared, ...ofHost("lb1"), ...ofHost("lb2")]) {
            const { userData: _, policy: __, ...plain } = inputs(type, name);
            assert.deepEqual(plain, name === "edge-role-policy" ? { role: "edge-role-1a2b3c4" } : expected[name], name);
        }
        assert.deepEqual(inputs(COMPONENT, "edge"), { generations: { lb1: 1, lb2: 1 } });
    });

    it("lets the role move the service address among the hosts' interfaces", async () => {
        const { inputs } = await hostsWith();
        const { policy } = inputs("aws:iam/rolePolicy:RolePolicy", "edge-role-policy");
        const arn = "arn:aws:ec2:eu-central-1:123456789012";
        const { Statement: statements } = JSON.parse(policy as string);
        assert.deepEqual(statements[1].Resource, [
            `${arn}:elastic-ip/edge-service-address`,
            `${arn}:network-interface/edge-lb1-interface`,
            `${arn}:network-interface/edge-lb2-interface`,
        ]);
    });

    it("gives each host user data with its own key, as a secret", async () => {
        for (const preview of [true, false]) {
            const { inputs, recording } = await hostsWith({}, { preview, existing: true });
            const texts = ["lb1", "lb2"].map((host) => {
                const { userData } = inputs(INSTANCE, `edge-${host}-instance`);
                assertSecret(userData);
                return unsecret(userData) as string;
            });
            const keys = ["lb1", "lb2"].map((host) => {
                const { privateKeyOpenssh } = awsMocks.outputs(
                    "tls:index/privateKey:PrivateKey",
                    `edge-${host}-host-key`,
                );
                return (privateKeyOpenssh as string).split("\n")[3] as string;
            });
            const has = texts.map((text) => keys.map((line) => text.includes(line)));
            assert.deepEqual(has, [
                [true, false],
                [false, true],
            ]);
            assert.ok(texts.every((text) => text.includes(key) && text.includes("deploy")));
            // Nothing else has it.
            const others = recording.registrations.filter(({ type }) => type !== INSTANCE);
            assert.ok(others.length > 20 && !keys.some((line) => JSON.stringify(others).includes(line)));
        }
    });

    it("orders them: rules and the way out before an instance, and one instance after the other", async () => {
        const { options } = await hostsWith();
        const own = (host: string) => [
            `edge-${host}-host-key`,
            `edge-${host}-interface`,
            `edge-${host}-own-address-association`,
        ];
        const before = [
            "edge-out-ipv4",
            "edge-out-ipv6",
            "edge-profile",
            "edge-ssh-198.51.100.7/32",
            "edge-ssh-security-group",
        ];
        const { dependencies: first } = options.get("edge-lb1-instance") ?? {};
        const { dependencies: second } = options.get("edge-lb2-instance") ?? {};
        assert.deepEqual(first, [...own("lb1"), ...before].sort());
        assert.deepEqual(second, ["edge-lb1-instance", ...own("lb2"), ...before].sort());
        assert.deepEqual(options.get("edge-lb2-own-address-association")?.dependencies, [
            "edge-lb2-interface",
            "edge-lb2-own-address",
        ]);
    });

    it("protects the service address and the names, and leaves alone what would stop or replace a host", async () => {
        const { options } = await hostsWith();
        const named = (having: (options: RegistrationOptions) => boolean) =>
            [...options].filter(([, one]) => having(one)).map(([name]) => name);
        assert.deepEqual(named(({ protect }) => protect).sort(), [
            "edge-name-*.example.com",
            "edge-name-www.example.com",
            // Hosts are kept with it.
            "edge-role-policy",
            "edge-service-address",
        ]);
        assert.deepEqual(
            Object.fromEntries(
                named(({ ignoreChanges }) => ignoreChanges.length > 0).map((name) => [
                    name,
                    options.get(name)?.ignoreChanges,
                ]),
            ),
            {
                "edge-lb1-interface": ["subnetId"],
                "edge-lb2-interface": ["subnetId"],
                "edge-lb1-instance": ["ami", "userData"],
                "edge-lb2-instance": ["ami", "userData"],
            },
        );
        assert.deepEqual(options.get("edge-lb1-instance")?.secretOutputs, ["userData"]);

        const open = await hostsWith({ protect: false });
        assert.ok(open.options.size > 20 && ![...open.options.values()].some(({ protect }) => protect));
    });

    it("makes a host of another generation beside the one before it", async () => {
        const { inputs, options, recording } = await hostsWith({
            hosts: { ...declared.hosts, lb1: { subnet: "c", generation: 2 } },
        });
        assert.deepEqual(registeredFamily(recording), family([...shared, ...ofHost("lb1", "-2"), ...ofHost("lb2")]));
        assert.deepEqual(inputs(COMPONENT, "edge"), { generations: { lb1: 2, lb2: 1 } });
        assert.equal((inputs(INSTANCE, "edge-lb1-instance-2").tags as { Name: string }).Name, "edge-lb1");
        assert.ok(options.get("edge-lb2-instance")?.dependencies.includes("edge-lb1-instance-2"));
    });

    it("makes nothing for what is not declared", async () => {
        const { inputs, recording } = await hostsWith({
            ssh: { user: "deploy", authorizedKeys: [key], securityGroup: pulumi.output("sg-bastion") },
            dns: undefined,
            ports: [8443],
            healthPort: 9000,
            clients: ["192.0.2.5/24", "2001:DB8::/32"],
            runList: [],
        });
        const absent = /^edge-(ssh|clients|name)/;
        const ways: [string, string][] = [
            [INGRESS, "edge-ssh-security-group"],
            [INGRESS, "edge-clients-8443-192.0.2.0/24"],
            [INGRESS, "edge-clients-8443-2001:db8::/32"],
        ];
        const rest = shared.filter(([, name]) => !absent.test(name));
        assert.deepEqual(registeredFamily(recording), family([...rest, ...ways, ...ofHost("lb1"), ...ofHost("lb2")]));
        assert.deepEqual(inputs(INSTANCE, "edge-lb1-instance").tags, { environment: "prod", Name: "edge-lb1" });
        const { fromPort, toPort } = inputs(INGRESS, "edge-health");
        assert.deepEqual([fromPort, toPort], [9000, 9000]);
    });

    it("has one rule for a port and a network, since AWS refuses two", async () => {
        const { options } = await hostsWith({
            ports: [22],
            clients: ["198.51.100.7", "192.0.2.0/24"],
            dns: undefined,
        });
        assert.deepEqual([...options.keys()].filter((name) => /^edge-(ssh|clients)/.test(name)).sort(), [
            "edge-clients-22-192.0.2.0/24",
            "edge-ssh-198.51.100.7/32",
            "edge-ssh-security-group",
        ]);
    });

    it("has outputs to converge the hosts by", async () => {
        const { hosts } = await hostsWith();
        const { lb2 } = hosts.hosts;
        const { publicKeyOpenssh } = awsMocks.outputs("tls:index/privateKey:PrivateKey", "edge-lb2-host-key");
        const values = Object.fromEntries(
            await Promise.all(Object.entries(lb2).map(async ([name, output]) => [name, await promiseOf(output)])),
        );
        assert.deepEqual(values, {
            address: "10.0.2.11",
            publicAddress: "203.0.113.12",
            serviceAddress: "10.0.2.12",
            hostKey: (publicKeyOpenssh as string).trim(),
            instanceId: "edge-lb2-instance-id",
            networkInterfaceId: "edge-lb2-interface-id",
        });
        assert.equal(await promiseOf(hosts.address), "203.0.113.10");
        assert.equal(await promiseOf(hosts.allocationId), "eipalloc-edge-service-address");
        assert.deepEqual(hosts.names, ["www.example.com", "*.example.com"]);
        assert.equal(await promiseOf(hosts.region), "eu-central-1");
    });

    it("knows none of them in the preview that would make it", async () => {
        // Mocks know ids even in previews.
        const { hosts } = await hostsWith({}, { preview: true });
        const { address, publicAddress, serviceAddress, hostKey } = hosts.hosts.lb1;
        const outputs = [
            address,
            publicAddress,
            serviceAddress,
            hostKey,
            hosts.address,
            hosts.allocationId,
            hosts.region,
        ];
        assert.deepEqual(
            await Promise.all(outputs.map(knownValue)),
            outputs.map(() => undefined),
        );
    });

    it("asks nothing and makes nothing for a check, and knows the addresses for retire", async () => {
        for (const [purpose, known] of [
            ["check", undefined],
            ["retire", "10.0.1.11"],
        ] as const) {
            const recording = await mockEngine({
                outputs: awsMocks.outputs,
                call: purpose === "retire" ? awsMocks.call : undefined,
            });
            onlyDeclare(purpose);
            const { hosts } = new Ec2Hosts("edge", declared);
            await settled();
            assert.equal(recording.registrations.length, purpose === "check" ? 1 : 28);
            assert.equal(await knownValue(hosts.lb1.address), known);
        }
    });

    it("fails the program in an up if something could not be made, so that the engine deletes nothing", async () => {
        await mockEngine(awsMocks);
        const monitor = pulumi.runtime.getMonitor() as unknown as {
            registerResource(
                request: { getName(): string },
                callback: (error: unknown, answer: Answer) => void,
            ): unknown;
        };
        interface Answer {
            setResult(result: number): void;
            setId(id: string): void;
            getObject(): unknown;
            setObject(object: unknown): void;
        }
        const register = monitor.registerResource.bind(monitor);
        // What an engine answers that continues on errors.
        monitor.registerResource = (request, callback) =>
            register(request, (error, answer) => {
                if (request.getName() === "edge-lb1-instance-2") {
                    answer.setResult(1);
                    answer.setId("");
                }
                callback(error, answer);
            });
        const hosts = { ...declared.hosts, lb1: { subnet: "subnet-a", generation: 2 } };
        const failures = await failuresOf(() => void new Ec2Hosts("edge", { ...declared, hosts }));
        assert.deepEqual(failures, [
            "edge: edge-lb1-instance-2 could not be made or changed, so that nothing is deleted; " +
                "correct what is reported above, and run pulumi up again",
        ]);
    });
});

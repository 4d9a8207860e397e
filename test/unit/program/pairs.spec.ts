import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet, LoadBalancerPair, type search } from "../../../components";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { makeBalancers } from "../../../program/balancers";
import { compose } from "../../../program/compose";
import type { LoadedStack } from "../../../program/load";
import { outputsOf } from "../../../program/outputs";
import { parseStack, type Stack } from "../../../program/schema";
import { configSecrets } from "../../../program/stackConfig";
import { standalone } from "../../../program/standalone";
import { mockEngine, promiseOf, registered, settled } from "../../support/mocks";
import { HOST, hostKey, PAIR, withProbeReplies } from "../../support/probeReplies";

const KEEPALIVED = "/etc/keepalived/keepalived.conf";
const balancer = (name: string, address: string): search.Node => ({
    name,
    address,
    environment: "test",
    runList: ["haproxy::lb"],
    ssh: { hostKey },
});
const nodes = [balancer("lb2", "192.0.2.12"), balancer("lb1", "192.0.2.11")];
const pair = { failback: "never", addresses: ["192.0.2.100/24"] } as const;
const stack = {
    environment: "test",
    inventory: { nodes },
    loadBalancers: { tag: "haproxy::lb" },
    ssh: {},
    services: [{ name: "shop", default: true, port: 8080, servers: [{ name: "shop1", address: "192.0.2.21" }] }],
} as Stack;
const ec2 = {
    vpc: "vpc-0a1b2c3d",
    hosts: { lb1: { subnet: "subnet-0a1b2c3d" }, lb2: { subnet: "subnet-0a1b2c3e" } },
    ssh: { authorizedKeys: ["192.0.2.1"], from: ["10.0.0.0/8"] },
};
const elasticIp = { allocationId: "eipalloc-0a1b", region: "eu-central-1" };
const elastic = (n: number) => ({ networkInterfaceId: `eni-0${n}`, serviceAddress: `192.0.2.5${n}` });

/** @param changes undefined leaves a field out */
function loaded(changes: object): LoadedStack {
    const fields = Object.entries({ ...stack, ...changes }).filter(([, value]) => value !== undefined);
    const data = parseStack(Object.fromEntries(fields), "stacks/test.ts");
    return { stack: data, name: "test", source: "stacks/test.ts", files: new Map(), configKeys: [] };
}

describe("a pair in a stack", () => {
    withProbeReplies();

    /** What the stack registers in an up. */
    async function made(changes: object, config: Record<string, string> = {}, purpose?: "check") {
        const keys = Object.entries(config).map(([key, value]) => [`haproxy-fleet:${key}`, value] as const);
        const recording = await mockEngine({
            config: Object.fromEntries(keys),
            secretConfig: keys.map(([key]) => key),
        });
        if (purpose) onlyDeclare(purpose);
        const of = new pulumi.Config("haproxy-fleet");
        const secrets = configSecrets(of);
        const { fleets, secrets: named } = compose(standalone(loaded(changes)), secrets.has);
        const groups = fleets.map((fleet) => makeBalancers(fleet, { config: of, secrets, settings: {}, slots: {} }));
        await settled();
        return { ...recording, groups, named, outputs: outputsOf(groups) };
    }
    const errorsOf = (changes: object) => {
        try {
            compose(loaded(changes), () => true);
        } catch (error) {
            return (error as Error).message.split("\n").map((line) => line.replace(/^stacks\/test\.ts: /, ""));
        }
        return [];
    };

    it("has the nodes by their names, with their addresses as their own, and a secret of the config", async () => {
        const password = { secret: "vrrp" };
        const { groups, named, outputs, ...recording } = await made(
            { pair: { ...pair, password } },
            { vrrp: "pl4nted" },
        );
        assert.ok(groups[0]?.balancers instanceof LoadBalancerPair);
        assert.deepEqual(Object.keys(groups[0].balancers.hosts), ["lb1", "lb2"]);
        assert.deepEqual(named, ["vrrp"]);
        const { [KEEPALIVED]: text = "" } = registered(recording, HOST, "edge-lb1").inputs.files as Record<
            string,
            string
        >;
        assert.match(text, /unicast_src_ip 192\.0\.2\.11\n[\s\S]*192\.0\.2\.12\n/);
        assert.match(text, /auth_pass ‹pair\.password›\n/);
        const { services } = outputs as { services: { edge: { addresses: unknown; urls: pulumi.Output<string[]> } } };
        assert.deepEqual(services.edge.addresses, ["192.0.2.100"]);
        assert.deepEqual(await promiseOf(services.edge.urls), ["http://192.0.2.100"]);
    });

    it("has other addresses of its nodes on its network, and where an elastic IP address leads", async () => {
        const hosts = {
            lb1: { address: "10.0.0.1", elastic: elastic(1), maxconn: 500 },
            lb2: { address: "10.0.0.2", elastic: elastic(2) },
        };
        const recording = await made({ hosts, pair: { failback: "never", elasticIp } });
        const { files } = registered(recording, HOST, "edge-lb2").inputs as { files: Record<string, string> };
        assert.match(files[KEEPALIVED] ?? "", /unicast_src_ip 10\.0\.0\.2\n[\s\S]*10\.0\.0\.1\n/);
        assert.match(files["/etc/keepalived/pair.conf"] ?? "", /^allocation=eipalloc-0a1b$/m);
        assert.match(files["/etc/keepalived/pair.conf"] ?? "", /^service_address=192\.0\.2\.52$/m);
        assert.equal(recording.outputs.services, undefined);
    });

    it("prefers the host that it names first", async () => {
        const recording = await made({ pair: { ...pair, first: "lb2" } });
        const priority = (host: string) => {
            const { files } = registered(recording, HOST, host).inputs as { files: Record<string, string> };
            return /priority (\d+)/.exec(files[KEEPALIVED] ?? "")?.[1];
        };
        assert.deepEqual(["edge-lb1", "edge-lb2"].map(priority), ["100", "101"]);
    });

    it("prefers the first host by name if it names none, whether it finds or provisions them", () => {
        const { lb1, lb2 } = ec2.hosts;
        const provisioned = { loadBalancers: { ec2: { ...ec2, hosts: { lb2, lb1 } } } };
        const orderOf = (changes: object) => {
            const [{ hosts = [] } = {}] = compose(loaded(changes), () => true).fleets;
            return hosts.map(({ name }) => name);
        };
        assert.deepEqual(orderOf({ pair }), ["lb1", "lb2"]);
        assert.deepEqual(orderOf({ ...provisioned, pair: { failback: "never" } }), ["lb1", "lb2"]);
        assert.deepEqual(orderOf({ ...provisioned, pair: { failback: "never", first: "lb2" } }), ["lb2", "lb1"]);
    });

    it("opens the port of its health page in the security group of hosts that it provisions", () => {
        const opened = (check: object) => {
            const { fleets } = compose(
                loaded({ loadBalancers: { ec2 }, pair: { failback: "never", check } }),
                () => true,
            );
            return fleets[0]?.provisioned?.args.healthPort;
        };
        assert.equal(opened({ port: 9000 }), 9000);
        assert.equal(opened({}), undefined);
    });

    it("may be one group of several", async () => {
        const { inventory: _, environment: __, ssh: ___, ...group } = stack;
        const others = [balancer("lb3", "192.0.2.13"), { ...balancer("lb4", "192.0.2.14"), runList: ["internal::lb"] }];
        const groups = {
            edge: { ...group, pair },
            internal: { ...group, loadBalancers: { tag: "internal::lb" } },
        };
        const names = { loadBalancers: undefined, services: undefined };
        const found = await made({ ...names, inventory: { nodes: [...nodes, others[1]] }, groups });
        assert.deepEqual(
            found.groups.map(({ balancers }) => balancers.constructor),
            [LoadBalancerPair, LoadBalancerFleet],
        );
        assert.deepEqual(errorsOf({ ...names, inventory: { nodes: [...nodes, ...others] }, groups }), [
            "groups.edge.loadBalancers.tag: haproxy::lb in the environment test of stacks/test.ts: pair: it has 3 hosts, lb1, lb2 and lb3; declare exactly two",
        ]);
    });

    it("is declared in a check, although hosts that it provisions do not exist", async () => {
        const changes = { loadBalancers: { ec2 }, pair: { failback: "never" } };
        const recording = await made(changes, {}, "check");
        assert.equal(registered(recording, PAIR, "edge").name, "edge");
        assert.deepEqual(
            recording.messages.map(({ text }) => text),
            [],
        );
    });

    it("is declared in a check with two placeholders, if the lab was not started", async () => {
        const changes = { inventory: { file: ".lab/local/inventory.json" }, pair: { ...pair, standby: "lb1" } };
        const recording = await made(changes, {}, "check");
        const names = recording.registrations.filter(({ type }) => type === HOST).map(({ name }) => name);
        assert.deepEqual(names, ["edge-placeholder", "edge-placeholder2"]);
    });

    for (const [title, changes, errors] of [
        [
            "what only a pair has, without one",
            { hosts: { lb1: { address: "10.0.0.1", elastic: elastic(1) } } },
            ["address", "elastic"].map(
                (key) => `hosts.lb1.${key}: the load balancers are no pair; declare pair, or remove it`,
            ),
        ],
        [
            "one node, and names it and the place to declare the other one",
            { inventory: { nodes: nodes.slice(1) }, pair: { ...pair, first: "lb2" } },
            [
                "loadBalancers.tag: haproxy::lb in the environment test of stacks/test.ts: pair: it has 1 host, lb1; " +
                    "declare the other one, too, even while it is down, or the one that replaces it",
            ],
        ],
        [
            "one host that it provisions",
            { loadBalancers: { ec2: { ...ec2, hosts: { lb1: ec2.hosts.lb1 } } }, pair: { failback: "never" } },
            [
                "loadBalancers.ec2.hosts: pair: it has 1 host, lb1; " +
                    "declare the other one, too, even while it is down, or the one that replaces it",
            ],
        ],
        [
            "addresses in a VPC",
            { loadBalancers: { ec2 }, pair },
            ["pair.addresses: a VPC has no virtual addresses; remove it, so that the pair has the elastic IP address"],
        ],
        [
            "what hosts that it provisions bring themselves",
            {
                loadBalancers: { ec2 },
                hosts: { lb2: { elastic: elastic(2) } },
                pair: { failback: "never", elasticIp: { region: "eu-central-1" } },
            },
            ["pair.elasticIp.region", "hosts.lb2.elastic"].map(
                (path) => `${path}: the stack provisions the hosts, so that it is known; remove it`,
            ),
        ],
        [
            "a port of the health page beside that of the pair",
            { loadBalancers: { ec2: { ...ec2, healthPort: 9000 } }, pair: { failback: "never" } },
            ["loadBalancers.ec2.healthPort: the security group opens the port of pair.check.port; remove it"],
        ],
        [
            "a first host that it does not have",
            { pair: { ...pair, first: "lb3" } },
            ['pair.first: no load balancer has the name "lb3"; use lb1 or lb2'],
        ],
        [
            "numbers as names of its hosts, which JavaScript would sort",
            { inventory: { nodes: [balancer("1", "192.0.2.11"), nodes[0]] }, pair: { ...pair, first: "lb2" } },
            [
                "loadBalancers.tag: haproxy::lb in the environment test of stacks/test.ts: host 1: its name is a number, and JavaScript sorts such names before all others, so that which host is the first " +
                    "could not be declared; give it a name with a letter, such as lb1",
            ],
        ],
        [
            "an elastic IP address without its id",
            { pair: { failback: "never", elasticIp: { region: "eu-central-1" } } },
            ["pair.elasticIp.allocationId: missing; set it, as in eipalloc-0123456789abcdef0"],
        ],
        [
            "another order of its hosts",
            { haproxy: { roll: "allAtOnce" }, pair },
            ["haproxy.roll: a pair always changes one host after the other; remove it"],
        ],
        [
            "a host to stand by that it does not have",
            { pair: { ...pair, standby: "lb3" } },
            ['pair.standby: standby: the pair has no host "lb3"; its hosts are lb1 and lb2'],
        ],
        [
            "a check that needs a service without servers",
            {
                services: [
                    {
                        name: "moved",
                        default: true,
                        port: 8080,
                        servers: [],
                        redirects: [{ to: { host: "www.example.com" } }],
                    },
                ],
                pair: { ...pair, check: { needs: ["moved"] } },
            },
            [
                'pair.check.needs[0]: check.needs: "moved" has no servers, so that neither host would ever serve; remove it, or give it a server',
            ],
        ],
        [
            "a name in place of a host's own address",
            { inventory: { nodes: [nodes[0], balancer("lb1", "lb1.example.com")] }, pair },
            [
                'hosts.lb1.address: host lb1: its address "lb1.example.com" is not an IPv4 address; VRRP needs one that the other host reaches',
            ],
        ],
    ] as [string, object, string[]][])
        it(`refuses ${title}`, () => assert.deepEqual(errorsOf(changes), errors));

    it("says nothing of a check that needs a service whose search has failed, but why it has", () => {
        const services = [{ name: "shop", default: true, port: 8080 }];
        const [error = "", ...others] = errorsOf({ services, pair: { ...pair, check: { needs: ["shop"] } } });
        assert.match(error, /^services\[0\]: no node has the tag shop::app /);
        assert.deepEqual(others, []);
    });
});

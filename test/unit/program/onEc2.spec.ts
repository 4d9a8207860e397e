import assert from "node:assert/strict";
import type * as pulumi from "@pulumi/pulumi";
import type { LoadBalancerFleet, search } from "../../../components";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { compose } from "../../../program/compose";
import { inventoryOf } from "../../../program/inventory";
import type { LoadedStack } from "../../../program/load";
import { outputsOf } from "../../../program/outputs";
import type { Group, Stack } from "../../../program/schema";
import { standalone } from "../../../program/standalone";
import { mockEngine } from "../../support/mocks";
import { hostKey } from "../../support/probeReplies";

const group: Group = {
    loadBalancers: {
        ec2: {
            vpc: "vpc-0a1b2c3d",
            hosts: { lb1: { subnet: "subnet-0a1b2c3d" }, lb2: { subnet: "subnet-0a1b2c3e" } },
            ssh: { authorizedKeys: ["192.0.2.1"], from: ["10.0.0.0/8"] },
        },
    },
    services: [{ name: "shop", hosts: ["shop.test"], port: 8080 }],
};
const shared = { environment: "prod", ssh: { user: "deploy", become: "sudo" } } as const;

const loaded = (stack: LoadedStack["stack"]): LoadedStack => ({
    stack,
    name: "prod",
    source: "stacks/prod.ts",
    files: new Map(),
    configKeys: [],
});
const node = (name: string, address: string, environment: string, ...runList: string[]): search.Node => ({
    name,
    address,
    environment,
    runList,
});

describe("a stack on EC2", () => {
    it("loses no instance to a declared node with its address: of another environment, or without its tags", () => {
        const nodes = [
            node("staging1", "10.0.1.21", "staging", "shop::app"),
            { ...node("both", "10.0.1.22", "prod", "haproxy::lb"), ssh: { hostKey } },
        ];
        const stack: Stack = { ...shared, ...group, inventory: { nodes, ec2: {} } };
        const found = [
            { ...node("ip-10-0-1-21", "10.0.1.21", "prod", "shop::app"), port: 8081 },
            { ...node("ip-10-0-1-22", "10.0.1.22", "prod", "shop::app"), port: 8082 },
        ];
        const inventory = inventoryOf(loaded(stack), { inventory: { nodes: found, source: "EC2" } });
        assert.deepEqual(inventory.nodes, [
            nodes[0],
            { ...nodes[1], runList: ["haproxy::lb", "shop::app"], port: 8082 },
            found[0],
        ]);
    });

    it("may have groups whose hosts have equal names", async () => {
        const stack = { ...shared, inventory: { nodes: [node("a", "10.0.1.21", "prod", "shop::app")] } };
        const groups = { edge: group, internal: { ...group, hosts: { lb1: { maxconn: 500 } } } };
        await mockEngine({});
        onlyDeclare("check");
        const { fleets } = compose(standalone(loaded({ ...stack, groups })), () => true);
        assert.deepEqual(
            fleets.map(({ name, hosts }) => [name, ...hosts.map((host) => [host.name, host.differences])]),
            [
                ["edge", ["lb1", {}], ["lb2", {}]],
                ["internal", ["lb1", { maxconn: 500 }], ["lb2", {}]],
            ],
        );

        const fleet = (name: string, ...hosts: string[]) => {
            const made = hosts.map((host) => [
                host,
                { address: `${name}/${host}` as unknown as pulumi.Output<string> },
            ]);
            return { name, balancers: { hosts: Object.fromEntries(made) } as LoadBalancerFleet };
        };
        const { addresses } = outputsOf([fleet("edge", "lb1", "lb2"), fleet("internal", "lb1")]);
        assert.deepEqual(addresses, { "edge-lb1": "edge/lb1", lb2: "edge/lb2", "internal-lb1": "internal/lb1" });
    });
});

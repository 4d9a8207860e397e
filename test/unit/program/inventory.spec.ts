// The nodes of a stack that searches EC2, alone or beside nodes that it declares.
import assert from "node:assert/strict";
import { type Node, search } from "../../../components/search";
import { compose } from "../../../program/compose";
import { inventoryOf, searchEc2 } from "../../../program/inventory";
import type { LoadedStack } from "../../../program/load";
import type { Stack } from "../../../program/schema";
import { provider, row } from "../../support/ec2Provider";
import { restoreLog } from "../../support/mocks";
import { hostKey } from "../../support/probeReplies";

const lb1: Node = {
    name: "lb1",
    address: "10.0.0.9",
    environment: "prod",
    runList: ["haproxy::lb"],
    ssh: { hostKey },
};

const services: Stack["services"] = [{ name: "shop", port: 80, default: true }];

function loaded(
    inventory: Stack["inventory"],
    services: Stack["services"] = [{ name: "shop", port: 80 }],
): LoadedStack {
    const stack: Stack = { environment: "prod", inventory, loadBalancers: { tag: "haproxy::lb" }, ssh: {}, services };
    return { stack, name: "mine", source: "stacks/mine.ts", files: new Map(), configKeys: [] };
}

describe("inventory of a stack with EC2", () => {
    after(restoreLog);

    const found = async (stack: LoadedStack) => inventoryOf(stack, await searchEc2(stack));

    it("has the declared nodes and the instances; a declared node stands for the instance with its address", async () => {
        const { calls } = await provider({ rows: [row("i-1", "10.0.0.1"), row("i-9", "10.0.0.9")] });
        const inventory = await found(loaded({ nodes: [lb1], ec2: {} }));
        assert.deepEqual(
            inventory.nodes.map(({ name }) => name),
            ["lb1", "ip-10-0-0-1"],
        );
        assert.equal(
            inventory.source,
            "stacks/mine.ts and EC2 in eu-central-1 (running instances, by their tag run_list)",
        );
        assert.equal(calls.length, 1);
    });

    it("keeps a load balancer whose instance is stopped", async () => {
        const instance = row("i-9", "10.0.0.9", "haproxy::lb");
        for (const state of ["running", "stopped"]) {
            await provider({ rows: [row("i-1", "10.0.0.1"), { ...instance, state }] });
            const stack = loaded({ nodes: [lb1], ec2: {} }, services);
            const { fleets } = compose(stack, () => true, await searchEc2(stack));
            assert.deepEqual(
                fleets[0]?.hosts.map(({ name }) => name),
                ["lb1"],
            );
        }
    });

    it("says that load balancers are not searched in EC2, instead of sending people to tags", async () => {
        await provider({ rows: [row("i-1", "10.0.0.1"), row("i-9", "10.0.0.9", "haproxy::lb")] });
        for (const [inventory, place] of [
            [{ ec2: {} }, "stacks/mine.ts"],
            [{ file: "nodes.json", ec2: {} }, "nodes.json"],
        ] as const) {
            const stack = { ...loaded(inventory, services), files: new Map([["nodes.json", '{"nodes": []}']]) };
            const ec2 = await searchEc2(stack);
            assert.throws(() => compose(stack, () => true, ec2), {
                message:
                    `stacks/mine.ts: inventory: no node has the tag haproxy::lb in the environment prod of ${place}: ` +
                    "EC2 is not searched for load balancers, because an instance shows no host key; " +
                    "declare them in nodes or file, with ssh.hostKey, or let loadBalancers.ec2 provision them",
            });
        }
    });

    it("refuses an instance with the name of a declared node", async () => {
        await provider({ rows: [row("i-1", "10.0.0.1", "shop::app", { Name: "lb1" })] });
        const inventory = await found(loaded({ nodes: [lb1], ec2: { read: { name: "Name" } } }));
        assert.throws(() => search(inventory, { environment: "prod", service: "shop" }), /duplicate name "lb1"/);
    });

    it("asks for the tag of each service, and for nothing if all services name their servers", async () => {
        const { calls } = await provider({ rows: [row("i-1", "10.0.0.1", "docs::web")] });
        const servers = [{ name: "shop1", address: "192.0.2.21" }];
        const services = [
            { name: "shop", port: 80, servers },
            { name: "docs", tag: "docs::web", port: 80 },
        ];
        const { nodes } = await found(loaded({ ec2: {} }, services));
        assert.deepEqual(
            nodes.map(({ runList }) => runList),
            [["docs::web"]],
        );
        assert.equal(calls.length, 1);
        assert.equal(await searchEc2(loaded({ ec2: {} }, services.slice(0, 1))), undefined);
        assert.equal(calls.length, 1);
    });

    it("is an error with the source of each line if EC2 fails, never only the declared nodes", async () => {
        await provider({
            answer: () => {
                throw new Error("dial tcp: connection refused");
            },
        });
        const stack = loaded({ nodes: [lb1], ec2: {} });
        const ec2 = await searchEc2(stack);
        assert.throws(() => inventoryOf(stack, ec2), {
            message:
                /^stacks\/mine\.ts: inventory\.ec2: EC2 in an unknown region, account unknown: getInstances for shop::app: dial tcp/,
        });
    });
});

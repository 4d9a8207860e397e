import assert from "node:assert/strict";
import { ec2Inventory } from "../../../components/search/ec2";
import { serversFor } from "../../../components/search/inventory";
import { asked, failureOf, GET_INSTANCE, GET_RESOURCES, provider, row } from "../../support/ec2Provider";
import { restoreLog } from "../../support/mocks";

describe("a search in EC2 that reads tags", () => {
    after(restoreLog);

    const read = { name: "Name", port: "port", weight: "weight", facility: "zone" };
    const tags = (n: number) => ({ Name: `shop${n}`, port: `${8000 + n}`, weight: "50", zone: "a" });

    it("takes name, port, weight and facility from them, with one call per instance for its address", async () => {
        const { calls } = await provider({
            rows: [
                row("i-1", "10.0.0.9", "shop::app", tags(1)),
                row("i-2", "10.0.0.8", "shop::app docs::app", tags(2)),
            ],
        });
        const inventory = await ec2Inventory({ ...asked, read });
        assert.deepEqual(inventory.nodes, [
            {
                name: "shop1",
                address: "10.0.0.9",
                port: 8001,
                weight: 50,
                facility: "a",
                environment: "prod",
                runList: ["shop::app"],
            },
            {
                name: "shop2",
                address: "10.0.0.8",
                port: 8002,
                weight: 50,
                facility: "a",
                environment: "prod",
                runList: ["docs::app", "shop::app"],
            },
        ]);
        assert.deepEqual(
            calls.map(({ token }) => token),
            ["getInstances", "getInstances", "getResources", "getInstance", "getInstance"],
        );
        assert.deepEqual(calls[2]?.inputs, {
            resourceTypeFilters: ["ec2:instance"],
            tagFilters: [{ key: "environment", values: ["prod"] }, { key: "run_list" }],
        });
        assert.deepEqual(serversFor(inventory, { environment: "prod", service: "docs", port: 1 }), [
            { name: "shop2", address: "10.0.0.8", port: 8002, weight: 50 },
        ]);
    });

    it("makes at most 8 calls at once, for at most 200 instances", async () => {
        const many = (count: number) =>
            Array.from({ length: count }, (_, n) =>
                row(`i-${n}`, `10.0.${n >> 8}.${n & 255}`, "shop::app", { port: "80" }),
            );
        const tags = ["shop::app"];
        const seen = await provider({ rows: many(200) });
        assert.equal((await ec2Inventory({ ...asked, tags, read: { port: "port" } })).nodes.length, 200);
        assert.deepEqual([seen.most, seen.calls.length], [8, 202]);
        const refused = await provider({ rows: many(201) });
        assert.match(
            (await failureOf({ read: { port: "port" } })).join("\n"),
            /^ec2Inventory: read: reading tags takes several calls for each of 201 instances, and is limited to 200; /,
        );
        assert.equal(refused.calls.length, 2);
    });

    it("refuses missing and bad values, all at once, before it asks for an address", async () => {
        const { calls } = await provider({
            rows: [
                row("i-1", "10.0.0.1", "shop::app", { ...tags(1), port: "8080 ", weight: "257" }),
                row("i-2", "10.0.0.2", "shop::app", { Name: "Shop 2", port: "8e3", zone: "a" }),
                row("i-3", "10.0.0.3", "shop::app", { ...tags(3), port: "0" }),
            ],
        });
        const port = "expected a whole number from 1 to 65535; correct the tag, or leave out read.port";
        assert.deepEqual(await failureOf({ read }), [
            `instance i-1: its tag port has "8080 ", ${port}`,
            'instance i-1: its tag weight has "257", expected a whole number from 0 to 256; correct the tag, or leave out read.weight',
            'instance i-2: its tag Name has "Shop 2", expected 1 to 63 lower-case letters, digits, - and .; correct the tag, or leave out read.name',
            `instance i-2: its tag port has "8e3", ${port}`,
            "instance i-2: no tag weight, expected a whole number from 0 to 256; add the tag, or leave out read.weight",
            `instance i-3: its tag port has "0", ${port}`,
        ]);
        assert.equal(calls.filter(({ token }) => token === "getInstance").length, 0);
    });

    it("refuses an instance of which AWS lists no tags yet, two of one name, and a lost address", async () => {
        await provider({ answer: (token) => (token === GET_RESOURCES ? { id: "aws" } : undefined) });
        assert.equal(
            (await failureOf({ read }))[0],
            "instance i-1: AWS lists no tags of it yet; if it has been started just now, run again in a minute",
        );
        await provider({
            rows: [row("i-1", "10.0.0.1", "shop::app", tags(1)), row("i-2", "10.0.0.2", "shop::app", tags(1))],
        });
        assert.deepEqual(await failureOf({ read }), [
            "name shop1: i-1, i-2 have it; give each instance a name of its own, or leave out read.name",
        ]);
        await provider({
            rows: [row("i-1", "10.0.0.1", "shop::app", tags(1))],
            answer: (token) => (token === GET_INSTANCE ? { id: "i-1", privateIp: "" } : undefined),
        });
        assert.deepEqual(await failureOf({ read }), [
            "instance i-1: it has lost its address since it was found; run again",
        ]);
    });
});

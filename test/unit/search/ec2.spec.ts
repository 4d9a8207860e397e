import assert from "node:assert/strict";
import Module from "node:module";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { type Ec2InventoryArgs, ec2Inventory } from "../../../components/search/ec2";
import { search, serversFor } from "../../../components/search/inventory";
import { asked, failureOf, provider, row, rows } from "../../support/ec2Provider";
import { restoreLog } from "../../support/mocks";

describe("a search in EC2", () => {
    after(restoreLog);

    it("asks once per tag for running instances of the environment, and makes one node of an instance with two tags", async () => {
        const { calls } = await provider();
        const inventory = await ec2Inventory(asked);
        assert.deepEqual(inventory, {
            nodes: [
                {
                    name: "ip-10-0-0-11",
                    address: "10.0.0.11",
                    environment: "prod",
                    runList: ["docs::app", "shop::app"],
                },
                { name: "ip-10-0-0-12", address: "10.0.0.12", environment: "prod", runList: ["shop::app"] },
                { name: "ip-10-0-0-9", address: "10.0.0.9", environment: "prod", runList: ["docs::app"] },
            ],
            source: "EC2 in eu-central-1 (running instances, by their tag run_list)",
        });
        const X = "docs::app";
        assert.deepEqual(calls[1], {
            token: "getInstances",
            inputs: {
                instanceStateNames: ["running"],
                filters: [
                    {
                        name: "tag:run_list",
                        values: [
                            X,
                            `*,${X}`,
                            `* ${X}`,
                            `${X},*`,
                            `*,${X},*`,
                            `* ${X},*`,
                            `${X} *`,
                            `*,${X} *`,
                            `* ${X} *`,
                        ],
                    },
                    { name: "tag:environment", values: ["prod"] },
                ],
            },
        });
        assert.deepEqual(
            calls.map(({ token }) => token),
            ["getInstances", "getInstances"],
        );
        const query = { environment: "prod", service: "shop", port: 8080 };
        assert.deepEqual(serversFor(inventory, query)[0], { name: "ip-10-0-0-11", address: "10.0.0.11", port: 8080 });
    });

    it("asks in a preview too, and once for a tag that is given twice", async () => {
        const { calls } = await provider({ preview: true });
        assert.equal((await ec2Inventory({ ...asked, tags: ["shop::app", "shop::app"] })).nodes.length, 2);
        assert.equal(calls.length, 1);
    });

    it("has the same result in whatever order AWS answers", async () => {
        await provider();
        const expected = await ec2Inventory(asked);
        await fc.assert(
            fc.asyncProperty(
                fc.shuffledSubarray(rows, { minLength: rows.length }),
                fc.shuffledSubarray([...asked.tags], { minLength: 2 }),
                async (shuffled, tags) => {
                    await provider({ rows: shuffled });
                    assert.deepEqual(await ec2Inventory({ ...asked, tags }), expected);
                },
            ),
            { numRuns: 20 },
        );
    });

    it("looks at another tag, and takes public addresses", async () => {
        const tags = { services: "shop::app", environment: "prod" };
        await provider({ rows: [{ id: "i-1", ip: "10.0.0.1", publicIp: "203.0.113.7", tags }] });
        const { nodes } = await ec2Inventory({ ...asked, tag: "services", address: "public" });
        assert.deepEqual([nodes[0]?.name, nodes[0]?.address], ["ip-203-0-113-7", "203.0.113.7"]);
    });

    it("refuses instances without an address by their count, since AWS does not say which they are", async () => {
        await provider({ rows: [...rows, { id: "i-7", tags: { run_list: "docs::app", environment: "prod" } }] });
        assert.deepEqual(await failureOf({ address: "public" }), [
            "EC2 in eu-central-1: 0 of 2 running instances with shop::app have a public address; give one to each, or search by private addresses",
            "EC2 in eu-central-1: 0 of 3 running instances with docs::app have a public address; give one to each, or search by private addresses",
        ]);
        assert.deepEqual(await failureOf(), [
            "EC2 in eu-central-1: 2 of 3 running instances with docs::app have a private address; " +
                "give an IPv4 address to each, which a subnet with IPv6 only does not",
        ]);
    });

    it("refuses two instances of one address, although their tags may differ", async () => {
        for (const runList of ["shop::app", "docs::app"]) {
            await provider({ rows: [row("i-1", "10.0.0.1"), row("i-2", "10.0.0.1", runList)] });
            assert.deepEqual(await failureOf(), [
                "EC2 in eu-central-1: 2 instances have only 1 different private addresses; " +
                    "if they are in several VPCs, tell them apart by the tag environment",
            ]);
        }
    });

    it("names account, region and tag in the error of a search for what has no instance", async () => {
        const { calls } = await provider();
        const inventory = await ec2Inventory({ ...asked, tags: ["shop::app", "none::app"] });
        assert.throws(() => search(inventory, { environment: "prod", service: "none" }), {
            message:
                "no node has the tag none::app in the environment prod of EC2 in eu-central-1, account 123456789012 " +
                "(running instances, by their tag run_list), which has environments prod, and in prod the tags shop::app; " +
                "add the tag to the run list of a node, or correct the search",
        });
        assert.deepEqual(
            calls
                .map(({ token }) => token)
                .slice(2)
                .sort(),
            ["getCallerIdentity", "getRegion"],
        );
    });

    it("asks nothing in a check, which gets a placeholder per tag and facility", async () => {
        const { calls, recording } = await provider();
        onlyDeclare("check");
        const facilities = { near: {}, far: { role: "arn:aws:iam::222222222222:role/search" } };
        const inventory = await ec2Inventory({ ...asked, facilities });
        assert.deepEqual(inventory.nodes[3], {
            name: "placeholder-4",
            address: "198.18.0.3",
            environment: "prod",
            runList: ["docs::app"],
            facility: "far",
        });
        const query = { environment: "prod", service: "shop", port: 80, backupFacility: "far" };
        assert.deepEqual(
            serversFor(inventory, query).map(({ backup }) => backup),
            [undefined, true],
        );
        assert.deepEqual([calls, recording.registrations], [[], []]);
        assert.deepEqual(recording.messages, [
            {
                severity: "warn",
                text: "AWS is not asked here, so each tag has a placeholder in place of its EC2 instances",
            },
        ]);
        // Facilities that only tags have are unknown, so that any name may be right.
        const tagged = await ec2Inventory({ ...asked, read: { facility: "zone" } });
        assert.equal(serversFor(tagged, query).length, 1);
    });

    it("needs no AWS package in a check, and else says which one is not installed", async () => {
        type Search = (name: string, ...rest: unknown[]) => unknown;
        const loader = Module as unknown as { _load: Search; _resolveFilename: Search };
        const load = loader._load;
        const nowhere = { id: "none", filename: "/none.js", paths: [] };
        loader._load = (name, ...rest) =>
            name.startsWith("@pulumi/aws") ? loader._resolveFilename(name, nowhere) : load.call(loader, name, ...rest);
        try {
            await provider();
            assert.deepEqual(await failureOf(), [
                "ec2Inventory: it needs the package @pulumi/aws, which is not installed; run npm install @pulumi/aws",
            ]);
            onlyDeclare("retire");
            assert.equal((await ec2Inventory(asked)).nodes.length, 2);
        } finally {
            loader._load = load;
        }
    });

    it("judges the form of what is asked", async () => {
        const cases: [object, RegExp][] = [
            [{ tags: [] }, /^ec2Inventory: tags: expected at least one tag, got an empty list$/],
            [{ tags: ["shop"] }, /^ec2Inventory: tags\[0\]: expected "<service>::<recipe>" in lower case/],
            [{ adress: "public" }, /unknown key "adress"; did you mean address\?$/],
            [{ facilities: {} }, /^ec2Inventory: facilities: expected at least one facility/],
            [
                { facilities: { a: { account: 222222222222 } } },
                /facilities\.a\.account: expected the number of an account, 12 digits as text/,
            ],
            [{ facilities: { A: {} } }, /^ec2Inventory: facilities\.A: expected 1 to 63 lower-case letters/],
            [{ read: {} }, /^ec2Inventory: read: expected at least one key of a tag/],
            [{ read: { port: 80 } }, /^ec2Inventory: read\.port: expected text/],
            [{ environment: pulumi.output("prod") }, /^ec2Inventory: environment: an Output; /],
        ];
        for (const [args, words] of cases)
            await assert.rejects(ec2Inventory({ ...asked, ...args } as Ec2InventoryArgs), ({ message }: Error) => {
                assert.match(message, words);
                return true;
            });
    });
});

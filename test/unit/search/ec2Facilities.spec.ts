import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ec2Inventory } from "../../../components/search/ec2";
import { serversFor } from "../../../components/search/inventory";
import { asked, failureOf, type Inputs, provider, row } from "../../support/ec2Provider";
import { registered, restoreLog, unsecret } from "../../support/mocks";

describe("a search in EC2 of several facilities", () => {
    after(restoreLog);

    const regions = {
        near: { region: "eu-central-1" },
        far: { region: "us-east-1" },
    };

    it("gives nodes their facility, and asks each region with the provider of the program", async () => {
        const { calls, recording } = await provider({
            rows: [row("i-1", "10.0.0.1"), { ...row("i-2", "10.1.0.1"), region: "us-east-1" }],
        });
        const inventory = await ec2Inventory({ ...asked, tags: ["shop::app"], facilities: regions });
        assert.deepEqual(
            inventory.nodes.map(({ address, facility }) => [address, facility]),
            [
                ["10.0.0.1", "near"],
                ["10.1.0.1", "far"],
            ],
        );
        assert.equal(
            inventory.source,
            "EC2 of the facility near in eu-central-1 and EC2 of the facility far in us-east-1 (running instances, by their tag run_list)",
        );
        assert.deepEqual(
            calls.map(({ inputs }) => inputs.region),
            ["eu-central-1", "us-east-1"],
        );
        assert.deepEqual(recording.registrations, []);
        const query = { environment: "prod", service: "shop", port: 80, backupFacility: "far" };
        assert.deepEqual(
            serversFor(inventory, query).map(({ backup }) => backup),
            [undefined, true],
        );
    });

    it("tells those of one region apart by the tag facility", async () => {
        await provider({
            rows: [
                row("i-1", "10.0.0.1", "shop::app", { facility: "a" }),
                row("i-2", "10.0.0.2", "shop::app", { facility: "b" }),
            ],
        });
        const { nodes } = await ec2Inventory({
            ...asked,
            facilities: { a: { tagged: true }, b: { tagged: true } },
        });
        assert.deepEqual(
            nodes.map(({ name, facility }) => [name, facility]),
            [
                ["ip-10-0-0-1", "a"],
                ["ip-10-0-0-2", "b"],
            ],
        );
    });

    it("refuses an instance that is in two of them, because it may be a backup in one", async () => {
        const many = Array.from({ length: 12 }, (_, n) => row(`i-${n + 10}`, `10.0.0.${n + 1}`));
        await provider({ rows: many });
        assert.deepEqual(await failureOf({ facilities: { a: {}, b: {}, c: { region: "us-east-1" } } }), [
            "facilities a and b: both have i-10, i-11, i-12, i-13, i-14, i-15, i-16, i-17, i-18, i-19 and 2 more; " +
                "give them different regions or accounts, or `tagged` and the instances the tag facility",
        ]);
    });

    it("refuses an address that is in two of them", async () => {
        await provider({ rows: [row("i-1", "10.0.0.1"), { ...row("i-2", "10.0.0.1"), region: "us-east-1" }] });
        assert.deepEqual(await failureOf({ facilities: regions }), [
            "address 10.0.0.1: an instance of far, an instance of near have it; " +
                "HAProxy can reach only one of them, so search networks that do not overlap",
        ]);
    });

    it("gives a provider of its own to one with a role, a profile or an account, one for all searches", async () => {
        const { calls, recording } = await provider({ rows: [], config: { "aws:region": "eu-west-1" } });
        const facilities = {
            other: { role: "arn:aws:iam::222222222222:role/search", account: "222222222222" },
            third: { profile: "third", region: "eu-north-1" },
            own: {},
        };
        const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
        for (const tags of [["shop::app"], ["docs::app"]])
            await ec2Inventory({ ...asked, tags, facilities }, { parent });
        const made = recording.registrations.filter(({ type }) => type.startsWith("pulumi:providers:"));
        assert.deepEqual(made.map(({ name }) => name).sort(), ["ec2-other", "ec2-third"]);
        const { inputs } = registered(recording, "pulumi:providers:aws", "ec2-other");
        const { region, assumeRoles, allowedAccountIds, profile } = unsecret(inputs) as Inputs;
        assert.deepEqual(
            [region, assumeRoles, allowedAccountIds, profile],
            ["eu-west-1", '[{"roleArn":"arn:aws:iam::222222222222:role/search"}]', '["222222222222"]', undefined],
        );
        const third = unsecret(registered(recording, "pulumi:providers:aws", "ec2-third").inputs) as Inputs;
        assert.deepEqual(
            [third.region, third.profile, third.assumeRoles, third.allowedAccountIds],
            ["eu-north-1", "third", undefined, undefined],
        );
        const by = calls.filter(({ token }) => token === "getInstances").map((call) => call.provider);
        const names = by.map((urn) => urn?.match(/::(ec2-\w+)::/)?.[1] ?? "the program's");
        assert.deepEqual([...new Set(names)].sort(), ["ec2-other", "ec2-third", "the program's"]);
        assert.equal(names.length, 6);
    });
});

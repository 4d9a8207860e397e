import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withConfig } from "../../../program/configValues";
import { configOf } from "../../support/stackConfig";

describe("values of the config in a stack's data", () => {
    const directory = mkdtempSync(join(tmpdir(), "settings-"));
    const at = { source: "stacks/mine.ts", stack: "mine", directory };
    before(() =>
        writeFileSync(
            join(directory, "Pulumi.yaml"),
            `config:
    vpc: { type: string, description: ID of the VPC., default: "" }
    digits: { type: string, default: "" }
    maxconn: { type: integer, default: 0 }
    quiet: { type: boolean, default: false }
    networks: { type: array, items: { type: string }, default: [] }
    mirror: { type: object, description: Of the packages, default: {} }
`,
        ),
    );
    after(() => rmSync(directory, { recursive: true }));

    it("are of the type that Pulumi.yaml declares, at any depth, and the data stays as it was", () => {
        const data = {
            a: { config: "vpc" },
            b: [{ c: { config: "maxconn" } }, { config: "networks" }],
            d: { config: "digits" },
            e: { config: "quiet" },
            f: { config: "mirror", optional: true },
            g: { secret: "key" },
            h: { config: "shop", more: 1 },
        };
        const before = structuredClone(data);
        const values = { vpc: "vpc-1", maxconn: "50000", networks: '["10.0.0.0/8"]', digits: "012", quiet: "false" };
        const { data: filled, keys } = withConfig(data, configOf({ ...values, mirror: '{"url":"x"}' }), at);
        const { f: _, ...others } = data;
        assert.deepEqual(filled, {
            ...others,
            a: "vpc-1",
            b: [{ c: 50_000 }, ["10.0.0.0/8"]],
            d: "012",
            e: false,
            f: { url: "x" },
        });
        assert.deepEqual(keys, ["vpc", "maxconn", "networks", "digits", "quiet", "mirror"]);
        assert.deepEqual(data, before);
    });

    it("stay texts if they are of another type, so that the form of the stack refuses them by name", () => {
        const { data: filled } = withConfig({ a: { config: "maxconn" } }, configOf({ maxconn: "lots" }), at);
        assert.deepEqual(filled, { a: "lots" });
    });

    it("are left out if they are optional and have an empty default", () => {
        const data = { a: { config: "mirror", optional: true }, b: [{ config: "vpc", optional: true }] };
        const { data: filled } = withConfig(data, configOf({ mirror: "{}", vpc: "" }), at);
        assert.deepEqual(filled, { b: [undefined] });
    });

    it("are all named that are missing or not declared, with the command that sets each, and so are secrets", () => {
        const data = {
            vpc: { config: "vpc" },
            hosts: [{ size: { config: "maxconn" } }, { from: { config: "networks" } }],
            mirror: { config: "mirror" },
            typo: { config: "vcp" },
            again: { config: "vpc" },
            agent: { key: { secret: "api-key" } },
            users: [{ passwordSecret: "ops" }, { passwordSecret: "known" }],
        };
        const empty = { vpc: "", maxconn: "0", networks: "[]", mirror: "{}" };
        assert.throws(() => withConfig(data, configOf(empty, ["known"]), at), {
            message: [
                "stacks/mine.ts: vpc: config key vpc (ID of the VPC): not set; npm run pulumi -- config set vpc VALUE --stack mine",
                "stacks/mine.ts: hosts[0].size: config key maxconn: not set; npm run pulumi -- config set maxconn VALUE --stack mine",
                "stacks/mine.ts: hosts[1].from: config key networks: not set; npm run pulumi -- config set --path 'networks[0]' VALUE --stack mine",
                "stacks/mine.ts: mirror: config key mirror (Of the packages): not set; npm run pulumi -- config set --path mirror.FIELD VALUE --stack mine",
                "stacks/mine.ts: typo: config key vcp: Pulumi.yaml does not declare it; declare it there, with a type, or use one of vpc, digits, maxconn, quiet, networks, mirror",
                "stacks/mine.ts: secret api-key: it is not in the config of the stack; set it with npm run pulumi -- config set --secret api-key --stack mine",
                "stacks/mine.ts: secret ops: it is not in the config of the stack; set it with npm run pulumi -- config set --secret ops --stack mine",
            ].join("\n"),
        });
    });

    it("have placeholders of their types where no host is reached", () => {
        const names = ["vpc", "maxconn", "networks", "mirror"];
        const data = Object.fromEntries(names.map((config) => [config, { config }]));
        const { data: filled } = withConfig(data, { ...configOf({}), placeholders: true }, at);
        assert.deepEqual(filled, { vpc: "placeholder", maxconn: 1, networks: ["192.0.2.1"] });
    });

    it("are text in data that no stack has read", () => {
        const { data, keys } = withConfig({ service: { name: "config", config: 3 } }, configOf({}), {
            ...at,
            directory: "/nowhere",
        });
        assert.deepEqual([data, keys], [{ service: { name: "config", config: 3 } }, []]);
    });
});

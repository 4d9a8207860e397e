import assert from "node:assert/strict";
import { parseStack } from "../../../program/schema";
import local from "../../../stacks/local";
import { exampleStack } from "../../support/stackConfig";

describe("parseStack", () => {
    for (const name of ["local", "staging", "prod"]) {
        it(`accepts the stack ${name}, with the config that it needs`, () => {
            assert.equal(exampleStack(name).stack.environment, name);
        });
    }

    it("fails with every issue of form at once: path, what is expected and the value", () => {
        const broken = {
            ...local,
            inventory: { nodes: [{ name: "lb1", address: "10.0.0.1/24", environment: "local", runList: [] }] },
            haproxy: { version: 2.6, maxconn: 0, maxcon: 1, allowWarnings: [""], oldWorkers: 0, ignoreIssues: "x" },
            services: [
                { name: "shop", hosts: ["https://shop.example.com"], port: 99_999 },
                { name: "docs", port: 80, check: { uri: "/", inetr: "2s" } },
            ],
            ssh: { become: "su" },
        };
        assert.throws(
            () => parseStack(broken, "stacks/local.ts"),
            ({ message }: Error) => {
                const paths = message
                    .split("\n")
                    .map((line) => /^stacks\/local\.ts: (.*?): (.*)$/.exec(line)?.slice(1));
                assert.deepEqual(paths, [
                    ["inventory.nodes[0].address", 'expected an IP address or a host name, got "10.0.0.1/24"'],
                    ["ssh.become", 'expected "sudo", got "su"'],
                    ["haproxy.version", 'expected a release in quotes, like "2.6", got 2.6'],
                    ["haproxy.maxconn", "expected a whole number from 1 to 2147483647, got 0"],
                    ["haproxy.ignoreIssues", 'expected a list of texts, got "x"'],
                    ["haproxy.allowWarnings[0]", 'expected text that is not empty, got ""'],
                    ["haproxy.oldWorkers", "expected a whole number from 1 to 1000000, got 0"],
                    ["haproxy", 'unknown key "maxcon"; did you mean maxconn?'],
                    [
                        "services[0].hosts[0]",
                        'expected a host name without scheme, port, path or wildcard, got "https://shop.example.com"',
                    ],
                    ["services[0].port", "expected a whole number from 1 to 65535, got 99999"],
                    ["services[1].check", 'unknown key "inetr"; did you mean inter?'],
                ]);
                return true;
            },
        );
    });

    it("fails unless the inventory is a file, nodes or EC2, and not both file and nodes", () => {
        const of = (inventory: object) => () => parseStack({ ...local, inventory }, "x");
        assert.throws(of({}), /^Error: x: inventory: expected file, nodes or ec2, got an object/);
        assert.throws(of({ file: "a.json", nodes: [] }), /^Error: x: inventory: expected either file or nodes/);
        for (const beside of [{}, { file: "a.json" }, { nodes: [] }]) of({ ec2: {}, ...beside })();
    });

    it("fails on data that is not a stack", () => {
        for (const data of [undefined, null, [], "text"]) {
            assert.throws(() => parseStack(data, "x"), /^Error: x: expected an object, got /);
        }
    });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { render } from "../../../components/haproxy/render/index";
import { fromServices } from "../../../components/haproxy/services/compile";
import { type Node, parseInventory, search, serversFor } from "../../../components/search/inventory";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";

function node(name: string, address: string, ...runList: string[]): Node {
    return { name, address, environment: "prod", runList };
}

const nodes = [
    node("web2", "192.0.2.2", "shop::app"),
    node("web10", "192.0.2.10", "shop::app", "docs::app"),
    node("web1", "192.0.2.1", "shop::app"),
    { ...node("web3", "192.0.2.3", "shop::app"), environment: "staging" },
    node("db1", "192.0.2.4", "shop::database"),
];
const inventory = { nodes, source: "nodes.json" };

describe("search", () => {
    it("finds the app servers of a service in one environment, sorted by name", () => {
        const found = search(inventory, { service: "shop", environment: "prod" });
        assert.deepEqual(
            found.map(({ name }) => name),
            ["web1", "web10", "web2"],
        );
    });

    it("finds by a whole tag", () => {
        assert.deepEqual(search(inventory, { tag: "shop::database", environment: "prod" }), [nodes[4]]);
    });

    it("does not change the inventory", () => {
        const before = structuredClone(nodes);
        search(inventory, { service: "shop", environment: "prod" });
        assert.deepEqual(nodes, before);
    });

    it("fails on an empty result, and names the search and the tags that exist", () => {
        assert.throws(() => search(inventory, { service: "shpo", environment: "prod" }), {
            message:
                "no node has the tag shpo::app in the environment prod of nodes.json, which has environments prod, staging, " +
                "and in prod the tags docs::app, shop::app, shop::database; add the tag to the run list of a node, or correct the search",
        });
        assert.throws(
            () => search(inventory, { service: "shop", environment: "dev" }),
            /no node has the tag shop::app in the environment dev .* in dev the tags \(none\)/,
        );
    });
});

describe("search and serversFor", () => {
    it("fail on an inventory or a query of a wrong form", () => {
        const queries = [
            null,
            5,
            {},
            { environment: "prod" },
            { environment: 5, tag: "a" },
            { environment: "prod", tag: null },
        ];
        for (const query of queries as never[]) {
            assert.throws(() => search(inventory, query), /^Error: query.*: expected /);
            assert.throws(() => serversFor(inventory, query), /^Error: query.*: expected /);
        }
        for (const other of [null, [], { nodes }, { nodes: [null], source: "x" }] as never[]) {
            assert.throws(() => search(other, { tag: "a", environment: "prod" }), /^Error: inventory.*: expected /);
        }
    });
});

describe("serversFor", () => {
    it("returns servers with the given port", () => {
        assert.deepEqual(serversFor(inventory, { service: "docs", environment: "prod", port: 8080 }), [
            { name: "web10", address: "192.0.2.10", port: 8080 },
        ]);
    });

    it("takes the port and the weight of a node before those of the query", () => {
        const text = JSON.stringify({
            nodes: [{ ...nodes[0], port: 8081, weight: 0 }, nodes[2]],
        });
        assert.deepEqual(serversFor(parseInventory(text, "n"), { service: "shop", environment: "prod", port: 8080 }), [
            { name: "web1", address: "192.0.2.1", port: 8080 },
            { name: "web2", address: "192.0.2.2", port: 8081, weight: 0 },
        ]);
        for (const wrong of [{ port: 0 }, { port: "80" }, { weight: 257 }, { weight: 1.5 }])
            assert.throws(
                () => parseInventory(JSON.stringify({ nodes: [{ ...nodes[0], ...wrong }] }), "n"),
                /^Error: n: nodes\[0\]\.(port|weight): expected a whole number from/,
            );
    });

    it("leads to the same file whatever the order of the nodes", () => {
        const services = [{ name: "shop", hosts: ["shop.example.com"], port: 80 }];
        const file = (shuffled: readonly Node[]) => {
            const inventoryOfAll = { nodes: shuffled, source: "x" };
            const servers = ({ name, port }: { name: string; port: number }) =>
                serversFor(inventoryOfAll, { service: name, environment: "prod", port });
            return render(fromServices({ version: "2.6" }, services, servers), { digest: "x" }).text;
        };
        const expected = file(nodes);
        fc.assert(
            fc.property(fc.shuffledSubarray(nodes, { minLength: nodes.length }), (shuffled) => {
                assert.equal(file(shuffled), expected);
            }),
        );
    });
});

describe("parseInventory", () => {
    it("reads nodes with and without a login", () => {
        const lb = { ...node("lb1", "10.99.3.11", "haproxy::lb"), ssh: { user: "root", hostKey } };
        const data = { nodes: [lb, node("app1", "app1.example.test", "shop::app")] };
        assert.deepEqual(parseInventory(JSON.stringify(data), "nodes.json"), { ...data, source: "nodes.json" });
    });

    it("fails on text that is not JSON, naming the file", () => {
        assert.throws(() => parseInventory("{nodes", "nodes.json"), /^Error: nodes.json: not JSON: /);
    });

    it("fails with every issue of form at once: path, what is expected and the value", () => {
        const data = {
            nodes: [
                { ...node("LB1", "10.0.0.1:22", "lb"), ssh: { hostKey: "ssh-rsa AAAA", port: 0 } },
                { ...node("app1", "http://x/"), enviroment: "prod" },
                node("app1", "192.0.2.1"),
                { name: "app2" },
            ],
        };
        assert.throws(
            () => parseInventory(JSON.stringify(data), "nodes.json"),
            ({ message }: Error) => {
                assert.deepEqual(message.split("\n"), [
                    'nodes.json: nodes[0].name: expected 1 to 63 lower-case letters, digits, - and ., got "LB1"',
                    'nodes.json: nodes[0].address: expected an IP address or a host name, got "10.0.0.1:22"',
                    'nodes.json: nodes[0].runList[0]: expected "<service>::<recipe>" in lower case, like "ecom-platform::app", got "lb"',
                    'nodes.json: nodes[0].ssh.hostKey: expected a public host key, "ssh-ed25519 AAAA…" or "ecdsa-sha2-nistp256 AAAA…" (print it with ssh-keyscan), got "ssh-rsa AAAA"',
                    "nodes.json: nodes[0].ssh.port: expected a whole number from 1 to 65535, got 0",
                    'nodes.json: nodes[1].address: expected an IP address or a host name, got "http://x/"',
                    'nodes.json: nodes[1]: unknown key "enviroment"; did you mean environment?',
                    "nodes.json: nodes[3].address: expected an IP address or a host name, got nothing",
                    "nodes.json: nodes[3].environment: expected 1 to 63 lower-case letters, digits, - and ., got nothing",
                    "nodes.json: nodes[3].runList: expected a list, got nothing",
                    'nodes.json: nodes[2].name: duplicate name "app1"; nodes[1] in prod has it',
                ]);
                return true;
            },
        );
    });

    it("fails on two nodes of one name or address in an environment, not across environments", () => {
        const twice = [node("a", "192.0.2.1"), node("a", "192.0.2.2"), node("b", "192.0.2.1")];
        assert.throws(
            () => parseInventory(JSON.stringify({ nodes: twice }), "n"),
            ({ message }: Error) => {
                assert.equal(
                    message,
                    'n: nodes[1].name: duplicate name "a"; nodes[0] in prod has it\n' +
                        'n: nodes[2].address: duplicate address "192.0.2.1"; nodes[0] in prod has it',
                );
                return true;
            },
        );
        const apart = [node("a", "192.0.2.1"), { ...node("a", "192.0.2.1"), environment: "staging" }];
        assert.equal(parseInventory(JSON.stringify({ nodes: apart }), "n").nodes.length, 2);
    });
});

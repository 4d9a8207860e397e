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
const inventory = { nodes, place: "nodes.json" };

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

    it("leaves the inventory as it was", () => {
        const before = structuredClone(nodes);
        search(inventory, { service: "shop", environment: "prod" });
        assert.deepEqual(nodes, before);
    });

    it("fails on an empty result, naming the search and what there is", () => {
        assert.throws(() => search(inventory, { service: "shpo", environment: "prod" }), {
            message:
                "no node for tag shpo::app in environment prod of nodes.json: it has environments prod, staging; " +
                "prod has tags docs::app, shop::app, shop::database; add the tag to a node's runList or correct the search",
        });
        assert.throws(
            () => search(inventory, { service: "shop", environment: "dev" }),
            /no node for tag shop::app in environment dev .* dev has tags \(none\)/,
        );
    });
});

describe("serversFor", () => {
    it("gives servers with the port asked for", () => {
        assert.deepEqual(serversFor(inventory, { service: "docs", environment: "prod", port: 8080 }), [
            { name: "web10", address: "192.0.2.10", port: 8080 },
        ]);
    });

    it("makes the same file whatever the order of the nodes", () => {
        const services = [{ name: "shop", hosts: ["shop.example.com"], port: 80 }];
        const file = (shuffled: readonly Node[]) => {
            const place = { nodes: shuffled, place: "x" };
            const servers = ({ name, port }: { name: string; port: number }) =>
                serversFor(place, { service: name, environment: "prod", port });
            return render(fromServices({ version: "2.6" }, services, servers), { digest: "x" });
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
        assert.deepEqual(parseInventory(JSON.stringify(data), "nodes.json"), { ...data, place: "nodes.json" });
    });

    it("fails on text that is not JSON, naming the file", () => {
        assert.throws(() => parseInventory("{nodes", "nodes.json"), /^Error: nodes.json: not JSON: /);
    });

    it("fails with every fault at once: value, place and what is allowed", () => {
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
                    'nodes.json: nodes[0].name: expected 1 to 63 lower case letters, digits, - and ., got "LB1"',
                    'nodes.json: nodes[0].address: expected an IP address or a host name, got "10.0.0.1:22"',
                    'nodes.json: nodes[0].runList[0]: expected "<service>::<recipe>" in lower case, like "ecom-platform::app", got "lb"',
                    'nodes.json: nodes[0].ssh.hostKey: expected a public host key "ssh-ed25519 AAAA…" or "ecdsa-sha2-nistp256 AAAA…" (print it with ssh-keyscan), got "ssh-rsa AAAA"',
                    "nodes.json: nodes[0].ssh.port: expected a whole number from 1 to 65535, got 0",
                    'nodes.json: nodes[1].address: expected an IP address or a host name, got "http://x/"',
                    'nodes.json: nodes[1]: unknown key "enviroment": correct or remove it; known are name, address, environment, runList, facility, ssh',
                    "nodes.json: nodes[3].address: expected an IP address or a host name, got nothing",
                    "nodes.json: nodes[3].environment: expected 1 to 63 lower case letters, digits, - and ., got nothing",
                    "nodes.json: nodes[3].runList: expected array, got nothing",
                    'nodes.json: nodes[2].name: expected what no other node has, but [1] in prod has it too, got "app1"',
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
                assert.match(
                    message,
                    /nodes\[1\]\.name: expected what no other node has, but \[0\] in prod has it too, got "a"/,
                );
                assert.match(message, /nodes\[2\]\.address: .* \[0\] in prod has it too, got "192.0.2.1"/);
                return true;
            },
        );
        const apart = [node("a", "192.0.2.1"), { ...node("a", "192.0.2.1"), environment: "staging" }];
        assert.equal(parseInventory(JSON.stringify({ nodes: apart }), "n").nodes.length, 2);
    });
});

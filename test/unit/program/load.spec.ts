import assert from "node:assert/strict";
import { fromServices, type Service } from "../../../components/haproxy/services/compile";
import { validate } from "../../../components/haproxy/validate/index";
import { search, serversFor } from "../../../components/search/inventory";
import { parseStack, stackSchema } from "../../../program/schema";
import local from "../../../stacks/local";
import prod from "../../../stacks/prod";
import staging from "../../../stacks/staging";

for (const [name, stack] of Object.entries({ local, staging, prod })) {
    describe(`stack ${name}`, () => {
        it("is valid", () => {
            assert.deepEqual(parseStack(stack, `stacks/${name}.ts`), stack);
            assert.equal(stack.environment, name);
        });
    });
}

for (const stack of [staging, prod]) {
    it(`stack ${stack.environment} finds its hosts and servers and has no issue`, () => {
        assert.ok(stack.inventory.nodes);
        const { environment, services } = stack;
        const inventory = { nodes: stack.inventory.nodes, place: "stack" };
        for (const host of search(inventory, { tag: stack.loadBalancers.tag, environment })) {
            assert.ok(host.ssh?.hostKey, `${host.name} has no host key`);
        }
        const config = fromServices(
            stack.haproxy,
            services,
            (service) => serversFor(inventory, { service: service.name, environment, port: service.port }),
            stack.stats,
        );
        assert.deepEqual(validate(config), []);
    });
}

describe("parseStack", () => {
    it("fails with every fault at once: value, place and what is allowed", () => {
        const broken = {
            ...local,
            inventory: { nodes: [{ name: "lb1", address: "10.0.0.1/24", environment: "local", runList: [] }] },
            haproxy: { version: 2.6, maxconn: 0, maxcon: 1, allowWarnings: [""], oldWorkers: 0 },
            services: [
                { name: "shop", hosts: ["https://shop.example.com"], port: 99_999, check: { uri: "healthz" } },
                { name: "docs", port: 80, check: { uri: "/", inetr: "2s" } },
                { name: "shop", hosts: [], port: 80 },
            ],
            ssh: { become: "su" },
        };
        const known = Object.keys(stackSchema.shape.haproxy.shape);
        assert(known.includes("maxconn"));
        assert.throws(
            () => parseStack(broken, "stacks/local.ts"),
            ({ message }: Error) => {
                assert.deepEqual(message.split("\n"), [
                    'stacks/local.ts: inventory.nodes[0].address: expected an IP address or a host name, got "10.0.0.1/24"',
                    'stacks/local.ts: ssh.become: expected "sudo", got "su"',
                    'stacks/local.ts: haproxy.version: expected a release in quotes like "2.6", got 2.6',
                    "stacks/local.ts: haproxy.maxconn: expected at least 1, got 0",
                    'stacks/local.ts: haproxy.allowWarnings[0]: expected text that is not empty, got ""',
                    "stacks/local.ts: haproxy.oldWorkers: expected at least 1, got 0",
                    `stacks/local.ts: haproxy: unknown key "maxcon": correct or remove it; known are ${known.join(", ")}`,
                    'stacks/local.ts: services[0].hosts[0]: expected a host name without scheme, port, path or wildcard, got "https://shop.example.com"',
                    "stacks/local.ts: services[0].port: expected a whole number from 1 to 65535, got 99999",
                    'stacks/local.ts: services[0].check.uri: expected a path that begins with "/" and has no spaces, got "healthz"',
                    'stacks/local.ts: services[1].check: unknown key "inetr": correct or remove it; known are uri, method, host, expect, port, inter, fall, rise, protocol, user, hello, domain',
                    "stacks/local.ts: services[2].hosts: expected at least one host name, got []",
                ]);
                return true;
            },
        );
    });

    it("fails unless the inventory is either a file or nodes", () => {
        for (const inventory of [{}, { file: "a.json", nodes: [] }]) {
            assert.throws(
                () => parseStack({ ...local, inventory }, "x"),
                /x: inventory: expected either file or nodes/,
            );
        }
    });

    it("fails on anything that is no stack", () => {
        for (const data of [undefined, null, [], "text"]) {
            assert.throws(() => parseStack(data, "x"), /^Error: x: expected object, got /);
        }
    });

    it("takes every argument of a service, and says which of the forms of one it expected", () => {
        const everything: Service = {
            name: "shop",
            protocol: "http",
            listen: 8080,
            hosts: ["shop.example.com"],
            routes: [{ paths: ["/a"], headers: { "X-A": true, "X-B": "b" }, methods: ["GET"] }],
            default: true,
            port: 80,
            servers: [{ name: "shop1", address: "192.0.2.1", weight: 2, backup: true, cookie: "a" }],
            tag: "shop::web",
            backupFacility: "ams",
            balance: "leastconn",
            weights: { shop1: 3 },
            slowStart: "10s",
            serverMaxconn: 100,
            serverTls: { verify: "required", caFile: "/etc/ssl/ca.pem", sni: "str(a)" },
            check: { protocol: "smtp", hello: "EHLO", domain: "lb.example.com", inter: "1s", fall: 1, rise: 1 },
            persistence: { by: "cookie", name: "A", secure: true },
            clientAddress: "x-forwarded-for",
            forwardFor: true,
            allow: ["192.0.2.0/24"],
            deny: ["192.0.2.1"],
            rateLimit: { count: 1, seconds: 1 },
            basicAuth: { realm: "A", users: [{ name: "a", passwordSecret: "a", hashed: true }] },
            redirects: [{ hosts: ["a"], pathPrefix: "/a", to: { scheme: "https", host: "b" }, code: 301 }],
            timeouts: { connect: "1s", server: "1s", queue: "1s", check: "1s", tunnel: "1s" },
            httpRequestRules: ["set-header X-A b"],
            raw: ["errorfile 503 /etc/503"],
        };
        const stack = { ...local, services: [everything] };
        assert.deepEqual(parseStack(stack, "x"), stack);
        const check = { protocol: "pgsql" };
        assert.throws(
            () => parseStack({ ...local, services: [{ ...everything, check }] }, "x"),
            /^Error: x: services\[0\]\.check: expected uri .* or protocol .* mysql or pgsql \(both with user\)/,
        );
    });
});

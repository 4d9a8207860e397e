import assert from "node:assert/strict";
import type { search } from "../../../components";
import type { Service } from "../../../components/haproxy";
import { compose, type Fleet } from "../../../program/compose";
import type { Stack } from "../../../program/schema";
import { hostKey, otherKey } from "../../support/probeReplies";

const node = (name: string, address: string, ...runList: string[]): search.Node => ({
    name,
    address,
    environment: "test",
    runList,
});
const servers = [node("app1", "192.0.2.21", "shop::app"), node("app2", "192.0.2.22", "docs::app")];
const lb1 = { ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "ops", hostKey: otherKey } };
const lb2 = { ...node("lb2", "192.0.2.12", "haproxy::lb"), ssh: { hostKey, port: 2222 } };

const stack: Stack = {
    environment: "test",
    inventory: { file: "nodes.json" },
    loadBalancers: { tag: "haproxy::lb" },
    ssh: { user: "deploy", become: "sudo", privateKeyFile: "key" },
    haproxy: { version: "2.6" },
    services: [
        { name: "shop", hosts: ["shop.test"], port: 8080, check: { uri: "/" } },
        { name: "docs", hosts: ["docs.test"], port: 8080, check: { uri: "/" } },
    ],
};

function composed(
    changes: Partial<Stack> = {},
    nodes: readonly search.Node[] = [lb2, lb1, ...servers],
    files: Record<string, string> = { "nodes.json": JSON.stringify({ nodes }), key: "a private key" },
): Fleet {
    const texts = new Map(Object.entries(files));
    const loaded = {
        stack: { ...stack, ...changes },
        name: "test",
        source: "stacks/test.ts",
        files: texts,
        configKeys: [],
    };
    const [fleet] = compose(loaded, (name) => name === "known").fleets;
    return fleet as Fleet;
}

/** The services that a fleet balances. */
const servicesOf = ({ args }: Fleet) => (args.services ?? []) as readonly Service[];

/** The lines of the error. */
function errorsOf(...args: Parameters<typeof composed>): string[] {
    try {
        composed(...args);
        return [];
    } catch (error) {
        return (error as Error).message.split("\n");
    }
}

describe("compose", () => {
    it("connects to every node with the tag, sorted by name", () => {
        const { hosts } = composed();
        assert.deepEqual(
            hosts.map(({ name, privateKey, login, node: found }) => [
                name,
                privateKey,
                JSON.parse(JSON.stringify({ ...login, ...found })),
            ]),
            [
                ["lb1", "a private key", { address: "192.0.2.11", user: "ops", become: "sudo", hostKey: otherKey }],
                [
                    "lb2",
                    "a private key",
                    { address: "192.0.2.12", user: "deploy", become: "sudo", hostKey, port: 2222 },
                ],
            ],
        );
    });

    it("gives services the servers that the search finds, with a guard, and leaves services with servers alone", () => {
        const own = { name: "own", port: 80, hosts: ["own.test"], servers: [{ name: "o1", address: "192.0.2.9" }] };
        const [shop, docs, other] = servicesOf(composed({ services: [...stack.services, own] }));
        assert.deepEqual(shop?.servers, [{ name: "app1", address: "192.0.2.21", port: 8080 }]);
        assert.deepEqual(docs?.servers, [{ name: "app2", address: "192.0.2.22", port: 8080 }]);
        assert.deepEqual([shop?.maxShrinkPercent, other?.maxShrinkPercent], [50, undefined]);
        assert.equal(other, own);
        assert.deepEqual([shop?.backups, docs?.backups], [false, false]);
        const guarded = { ...(stack.services[0] as Stack["services"][0]), maxShrinkPercent: 10 };
        assert.equal(servicesOf(composed({ services: [guarded] }))[0]?.maxShrinkPercent, 10);
    });

    it("passes all settings on", () => {
        const options = { ignoreIssues: ["open-stats"], allowWarnings: ["x"], oldWorkers: 9, bake: "60s" };
        const settings = { version: "2.6", maxconn: 100 };
        const logs = { papertrail: { host: "logs.example.com", port: 6514 }, logrotate: { keep: 3 } };
        const metrics = { bind: { address: "127.0.0.1", port: 9100 } };
        const { args, setup } = composed({ haproxy: { ...settings, ...options, roll: "allAtOnce" }, ...logs, metrics });
        const { services: _, stats: __, ...rest } = args;
        assert.deepEqual(rest, { ...settings, ...options, roll: "allAtOnce", metrics });
        assert.deepEqual(setup, logs);
    });

    it("gives Datadog's agent tags of environment, stack and role, unless the stack sets them, and needs its key", () => {
        const agent = { apiKey: { secret: "known" } };
        const of = (datadog: object, changes: Partial<Stack> = {}) =>
            composed({ datadog: { ...agent, ...datadog }, ...changes }).setup.datadog;
        assert.deepEqual(of({}), {
            ...agent,
            environment: stack.environment,
            tags: { stack: "test", role: "haproxy::lb" },
        });
        const errors = errorsOf({ datadog: { apiKey: { secret: "datadogApiKey" } } });
        assert.deepEqual(errors, [
            "stacks/test.ts: secret datadogApiKey: it is not in the config of the stack; set it with npm run pulumi -- config set --secret datadogApiKey --stack test",
        ]);
        assert.deepEqual(of({ environment: "e", tags: { role: "edge", team: "x" } }), {
            ...agent,
            environment: "e",
            tags: { stack: "test", role: "edge", team: "x" },
        });
        const ec2 = { vpc: "vpc-1", hosts: { lb1: { subnet: "subnet-a" } }, ssh: { authorizedKeys: ["key"] } };
        const provisioned = (runList?: string[]) => of({}, { loadBalancers: { ec2: { ...ec2, runList } } })?.tags?.role;
        assert.deepEqual([undefined, ["edge::lb", "base"], []].map(provisioned), [
            "haproxy::lb",
            "edge::lb",
            "haproxy::lb",
        ]);
    });

    it("composes a fleet of each group, with paths of its own in errors, and what differs on single hosts", () => {
        const { environment, inventory, ssh, ...group } = stack;
        const inner = { ...group, loadBalancers: { tag: "internal::lb" }, hosts: { lb3: { maxconn: 5 } } };
        const lb3 = { ...lb2, name: "lb3", address: "192.0.2.13", runList: ["internal::lb"] };
        const texts = (nodes: readonly search.Node[]) =>
            new Map([
                ["nodes.json", JSON.stringify({ nodes })],
                ["key", "k"],
            ]);
        const groups = (own: object) => ({
            environment,
            inventory,
            ssh,
            groups: { outer: group, inner: { ...inner, ...own } },
        });
        const loaded = (own: object) => ({
            stack: groups(own),
            name: "test",
            source: "stacks/test.ts",
            files: texts([lb1, lb2, lb3, ...servers]),
            configKeys: [],
        });
        const { fleets } = compose(loaded({}), () => false);
        assert.deepEqual(
            fleets.map(({ name, hosts }) => [name, ...hosts.map((host) => [host.name, host.differences])]),
            [
                ["outer", ["lb1", {}], ["lb2", {}]],
                ["inner", ["lb3", { maxconn: 5 }]],
            ],
        );
        const wrong = { hosts: { lb9: {} }, services: [{ name: "shop", port: 80 }] };
        assert.throws(() => compose(loaded(wrong), () => false), {
            message: [
                "stacks/test.ts: groups.inner.services[0]: service shop: unreachable; set hosts, routes or default",
                "stacks/test.ts: groups.inner.hosts.lb9: no load balancer has that name (there are: lb3); correct it",
            ].join("\n"),
        });
    });

    it("says only what a load balancer lacks, also if something differs on it", () => {
        const { ssh: _, ...lacking } = lb1;
        const errors = errorsOf({ hosts: { lb1: { maxconn: 5 } } }, [lacking, lb2, ...servers]);
        assert.equal(errors.length, 1, errors.join("\n"));
        assert.match(errors[0] ?? "", /node lb1: it is a load balancer without ssh\.hostKey; /);
    });

    it("fails with every error of inventory, hosts, services, configuration and secrets at once", () => {
        const basicAuth = { users: [{ name: "ops", passwordSecret: "ops-password" }] };
        const services = stack.services.map((service) => ({ ...service, basicAuth, timeouts: { client: "5s" } }));
        const stats = { bind: { port: 8404 }, auth: { user: "ops", passwordSecret: "known" } };
        const found = errorsOf({ services, stats }, [
            node("lb1", "192.0.2.11", "haproxy::lb"),
            servers[0] as search.Node,
        ]);
        assert.deepEqual(
            found.map((line) => line.replace(/^(stacks\/test\.ts: [^:]*).*/, "$1")),
            [
                "stacks/test.ts: node lb1",
                "stacks/test.ts: services[1]",
                "stacks/test.ts: services[0].timeouts.client",
                "stacks/test.ts: services[1].timeouts.client",
                "stacks/test.ts: secret ops-password",
            ],
        );
        assert.match(
            found[0] ?? "",
            /without ssh\.hostKey; add the key that ssh-keyscan -t ed25519 192\.0\.2\.11 prints/,
        );
        assert.match(found[1] ?? "", /: no node has the tag docs::app in the environment test of nodes\.json/);
        assert.match(found[4] ?? "", /set it with npm run pulumi -- config set --secret ops-password --stack test$/);
    });

    it("names each file that does not exist once, beside other errors", () => {
        const services = [{ name: "shop", port: 80 }];
        const [file, service, ...others] = errorsOf({ services }, [], {});
        assert.equal(file, "stacks/test.ts: inventory.file: nodes.json does not exist; write it, or correct the path");
        assert.match(service ?? "", /^stacks\/test\.ts: services\[0\]: service shop: unreachable; /);
        assert.deepEqual(others, []);
        const inventory = { nodes: [lb1, lb2, ...servers] };
        assert.deepEqual(errorsOf({ inventory }, [], {}), [
            "stacks/test.ts: ssh.privateKeyFile: key does not exist; correct the path",
        ]);
        assert.match(
            errorsOf({ inventory: { file: ".lab/x.json" } })[0] ?? "",
            /start the lab with npm run lab -- up$/,
        );
        assert.match(errorsOf({}, [], { "nodes.json": "{", key: "k" }).join(), /^nodes\.json: not JSON: /);
    });

    it("leaves out warnings by their ids, and fails on the id of an error and on an unknown id", () => {
        assert.deepEqual(errorsOf({ haproxy: { version: "2.6", ignoreIssues: ["open-stats"] } }), []);
        for (const id of ["unknown-reference", "nonsense"]) {
            const [line = "", ...others] = errorsOf({ haproxy: { version: "2.6", ignoreIssues: [id] } });
            assert.deepEqual(others, []);
            assert.match(line, /^stacks\/test\.ts: .*ignoreIssues.*open-stats/);
        }
    });
});

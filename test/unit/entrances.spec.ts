// Plain mistakes in the arguments of public functions, by people whose editor or compiler does not say so.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import * as face from "../../components";
import { failuresOf, mockEngine, settled } from "../support/mocks";
import { hostKey } from "../support/probeReplies";

const { fromServices, mapPath, otherOptions, secretsIn, validate } = face.haproxy;
const { haproxy } = face.recipes;
const { parseInventory, search, serversFor } = face.search;

const { slot } = face;
const inventory = {
    nodes: [{ name: "a", address: "192.0.2.1", environment: "prod", runList: ["shop::app"] }],
    source: "x",
};
const query = { service: "shop", environment: "prod", port: 80 };
const settings = { version: "2.6" };
const services = [{ name: "shop", default: true, port: 80, servers: [{ name: "a", address: "192.0.2.1" }] }];
const config = fromServices(settings, services);

/** What a call without a compiler's help fails with. */
function failure(call: () => unknown): string {
    try {
        call();
    } catch (error) {
        assert.equal((error as Error).name, "Error", String((error as Error).stack));
        return (error as Error).message;
    }
    return "";
}
/** As {@link failure}, of a component. */
function failureOf(call: () => unknown): string {
    try {
        call();
    } catch (error) {
        assert.ok(pulumi.ResourceError.isInstance(error), String((error as Error).stack));
        return error.message;
    }
    return "";
}
const any = (value: unknown) => value as never;
const noObject: [unknown, string][] = [
    [undefined, "nothing"],
    [null, "null"],
    ["a", '"a"'],
    [["a"], "a list"],
    [5, "5"],
];

describe("public functions", () => {
    it("have one clear error for an argument that is no object", () => {
        for (const [value, shown] of noObject) {
            const expected = `expected an object, got ${shown}`;
            assert.equal(
                failure(() => search(any(value), query)),
                `inventory: ${expected}`,
            );
            assert.equal(
                failure(() => serversFor(any(value), query)),
                `inventory: ${expected}`,
            );
            assert.equal(
                failure(() => fromServices(any(value), services)),
                `fromServices: ${expected}`,
            );
            assert.deepEqual(
                validate(any(value)).map(({ message }) => message),
                [expected],
            );
            assert.equal(
                failure(() => haproxy(any(value))),
                `haproxy: ${expected}`,
            );
            if (value !== undefined) {
                assert.equal(
                    failure(() => haproxy(config, any(value))),
                    `haproxy: ${expected}`,
                );
                assert.equal(
                    failure(() => fromServices(settings, services, undefined, any(value))),
                    `fromServices: stats: ${expected}`,
                );
            }
        }
        const promise = any(Promise.resolve(inventory));
        assert.match(
            failure(() => search(promise, query)),
            /^inventory: a Promise; await it/,
        );
        assert.match(
            failure(() => haproxy(config, promise)),
            /^haproxy: a Promise; await it/,
        );
        assert.match(
            failure(() => fromServices(promise, services)),
            /^fromServices: a Promise; await it/,
        );
    });

    it("and components have one clear error for arguments that are no object", async () => {
        for (const component of [face.ConvergedHost, face.LoadBalancer, face.LoadBalancerFleet, face.aws.Ec2Hosts]) {
            for (const [value, shown] of noObject) {
                await mockEngine();
                assert.match(
                    failureOf(() => new component("lb1", any(value))),
                    new RegExp(`^lb1: 1 (issue|error) in what is declared\n  expected an object, got ${shown}$`),
                );
                await settled();
            }
            await mockEngine();
            const promise = any(Promise.resolve({}));
            assert.match(
                failureOf(() => new component("lb1", promise)),
                /^lb1: 1 \w+ in what is declared\n {2}a Promise; await it, and use what it resolves to$/,
            );
            assert.match(
                failureOf(() => new component("lb2", any(pulumi.output({})))),
                /^lb2: 1 \w+ in what is declared\n {2}an Output; only plain data can be here /,
            );
            await settled();
        }
    });

    it("and components say where a mistake is, and what is meant", async () => {
        const connection = { address: "192.0.2.11", hostKey };
        const [service] = services;
        const server = { name: "a", address: pulumi.output("192.0.2.1") };
        const balancers: [object, string][] = [
            [{ service: services }, 'unknown key "service"; did you mean services?'],
            [{ services, customise: () => config }, 'unknown key "customise"; did you mean customize?'],
            [{ services: [{ ...service, alow: [] }] }, 'services[0]: unknown key "alow"; did you mean allow?'],
            [
                { services: [{ ...service, basicauth: {} }] },
                'services[0]: unknown key "basicauth"; did you mean basicAuth?',
            ],
            [{ services: [{ ...service, drian: "5s" }] }, 'services[0]: unknown key "drian"; did you mean drain?'],
            [
                { services: [{ ...service, port: "80", servers: [server] }] },
                'services[0].port: expected a whole number from 1 to 65535, got "80"',
            ],
            [
                { model: { ...config, frontends: [{ name: "http", binds: [], acls: null }] } },
                "frontends[0].acls: expected a list, got null",
            ],
            [
                { services: [{ ...service, hosts: [server.address] }] },
                "services[0].hosts[0]: an Output; only plain data can be here",
            ],
            [{ services: server.address }, "services: an Output; only plain data can be here"],
            [
                { services: [{ ...service, name: `${server.address}` }] },
                "services[0].name: text built from an Output by + or ${};",
            ],
        ];
        for (const [args, words] of balancers) {
            for (const make of [
                () => new face.LoadBalancer("lb1", { connection, ...args }),
                () => new face.LoadBalancerFleet("lb1", { hosts: { a: { connection } }, ...args }),
            ]) {
                await mockEngine();
                const [title, ...lines] = failureOf(make).split("\n  ");
                assert.equal(title, "lb1: 1 error in what is declared");
                assert.ok(lines.length === 1 && lines[0]?.startsWith(words), `${lines.join("\n")}\nis not\n${words}`);
                await settled();
            }
        }
    });

    it("and components say what is wrong with functions, and with what those return", async () => {
        const late = [{ ...services[0], servers: [{ name: "a", address: pulumi.output("192.0.2.1") }] }];
        const hosts = { a: { connection: { address: "192.0.2.11", hostKey } } };
        const failing = (error: unknown) => {
            throw error;
        };
        const cases: [object, string][] = [
            [{ after: () => undefined }, "after: returned undefined for edge-a; return a list of resources"],
            [{ before: async () => [] }, "before: returned a promise for edge-a; return a list of resources"],
            [{ after: () => "abc" }, "after: returned abc for edge-a; return a list of resources"],
            [{ after: () => ({ kind: "file" }) }, "after: returned an object for edge-a; return a list of resources"],
            [{ after: [{ kind: "fil" }] }, 'edge: 1 error in what is declared\n  after[0].kind: expected "absent"'],
            [
                { before: () => [null] },
                "edge: 1 error in what is declared\n  before[0]: on edge-a: expected an object, got null",
            ],
            [{ after: () => failing(new Error("no list")) }, "after: fails for edge-a: no list; correct it"],
            [{ customize: () => failing(null) }, "customize: fails for edge-a: null; correct it"],
            [{ customize: () => failing("text") }, "customize: fails for edge-a: text; correct it"],
            [
                { customize: () => ({ frontends: 5 }) },
                "edge: 2 errors in what is declared\n  frontends: expected a list, got 5\n  backends: expected a list, got nothing",
            ],
            [{ slots: ["x"] }, "edge: 1 error in what is declared\n  slots: expected an object, got a list"],
            [{ slots: pulumi.output({}) }, "edge: 1 error in what is declared\n  slots: an Output;"],
        ];
        for (const [args, words] of cases) {
            await mockEngine();
            const make = (declared: object) => () =>
                void new face.LoadBalancerFleet("edge", any({ hosts, services: declared, ...args }));
            const found = failureOf(make(services)).replace(/^edge: (?!\d)/, "");
            assert.ok(found.startsWith(words), `${found}\nis not\n${words}`);
            await settled();
            // Arguments of the same kinds that are judged later.
            await mockEngine();
            const messages = await failuresOf(() => {
                try {
                    make(late)();
                } catch (error) {
                    void Promise.reject(error);
                }
            });
            assert.deepEqual(
                messages.map((message) => message.replace(/^edge: (?!\d)/, "")),
                [found],
            );
            await settled();
        }
    });

    it("and components have no name with an Output in it", async () => {
        for (const component of [face.ConvergedHost, face.LoadBalancer, face.LoadBalancerFleet, face.aws.Ec2Hosts]) {
            await mockEngine();
            const found = [`lb-${pulumi.output("1")}`, pulumi.output("lb1"), 5].map((name) => {
                try {
                    return String(new component(any(name), any({})));
                } catch (error) {
                    assert.ok(pulumi.RunError.isInstance(error));
                    return error.message.replace(/ \(.*/, "");
                }
            });
            assert.deepEqual(found, [
                "the name of a component: text built from an Output by + or ${}; use pulumi.interpolate, which returns an Output",
                "the name of a component: an Output; only plain data can be here",
                "the name of a component: expected text, got 5",
            ]);
        }
    });

    it("drop no argument in silence", () => {
        const near = (key: string, meant: string) => `unknown key "${key}"; did you mean ${meant}?`;
        assert.equal(
            failure(() => haproxy(config, any({ alowWarnings: [] }))),
            `haproxy: ${near("alowWarnings", "allowWarnings")}`,
        );
        assert.equal(
            failure(() => fromServices(any({ ...settings, maxcon: 1 }), services)),
            `fromServices: ${near("maxcon", "maxconn")}`,
        );
        assert.match(
            failure(() => fromServices(any({ ...settings, services }), services)),
            /^fromServices: unknown key "services"; /,
        );
        assert.equal(
            failure(() => fromServices(settings, any([{ ...services[0], alow: [] }]))),
            `fromServices: services[0]: ${near("alow", "allow")}`,
        );
        assert.equal(
            failure(() => search(inventory, any({ service: "shop", enviroment: "prod" }))),
            `query: ${near("enviroment", "environment")}`,
        );
        assert.equal(
            failure(() => serversFor(inventory, any({ ...query, backupfacility: "a" }))),
            `query: ${near("backupfacility", "backupFacility")}`,
        );
        assert.equal(
            failure(() => search(any({ ...inventory, sources: "a" }), query)),
            `inventory: ${near("sources", "source")}`,
        );
    });

    it("refuse arguments of another type", () => {
        const { port: _, ...withoutPort } = query;
        assert.equal(
            failure(() => serversFor(inventory, any(withoutPort))),
            "query: port: expected a whole number from 1 to 65535, got nothing",
        );
        assert.match(
            failure(() => serversFor(inventory, any({ ...query, port: pulumi.output(80) }))),
            /^query: port: an Output; /,
        );
        assert.equal(
            failure(() => parseInventory(any(inventory), "x")),
            "x: expected text, got an object with nodes and source",
        );
        assert.equal(
            failure(() => parseInventory("{}", any(undefined))),
            "source: expected text, got nothing",
        );
        assert.equal(
            failure(() => mapPath(any(undefined))),
            "mapPath: expected text, got nothing",
        );
        assert.equal(
            failure(() => mapPath("")),
            'mapPath: expected text that is not empty, got ""',
        );
        assert.equal(
            failure(() => otherOptions(any({ httplog: 1 }))),
            "otherOptions: httplog: expected true or false or text, got 1",
        );
        assert.equal(
            failure(() => otherOptions(any("httplog"))),
            'otherOptions: expected an object, got "httplog"',
        );
        assert.equal(
            failure(() => fromServices(settings, services, any("a"))),
            'fromServices: servers: expected a function, got "a"',
        );
        const searched = services.map(({ servers: _, ...service }) => service);
        for (const [value, words] of [
            [undefined, "expected a list, got nothing"],
            [Promise.resolve([]), "a Promise; await it, and use what it resolves to"],
            [[{ name: "a", adress: "b" }], '[0]: unknown key "adress"; did you mean address?'],
        ]) {
            assert.match(
                failure(() => fromServices(settings, searched, () => any(value))),
                new RegExp(`^services\\[0\\]: servers of shop: ${String(words).replace(/[[\]?]/g, "\\$&")}$`, "m"),
            );
        }
    });

    it("find secrets in any part of a configuration, and refuse what hides them", () => {
        assert.deepEqual(secretsIn({ ...config, global: { raw: [slot("a"), slot("b")] } }), ["a", "b"]);
        assert.deepEqual(secretsIn(slot("a")), ["a"]);
        assert.deepEqual(secretsIn({ a: undefined, b: 5, c: [slot("a"), null] }), ["a"]);
        assert.match(
            failure(() => secretsIn({ a: [pulumi.secret("x")] })),
            /^secretsIn: a\[0\]: an Output; only plain data/,
        );
        assert.equal(
            failure(() => secretsIn(undefined)),
            "secretsIn: expected text, an object or a list, got nothing",
        );
    });

    it("fail, like components, without a TypeError, whatever they are called with", async () => {
        const strange = [undefined, null, 5, "a", "", [], [null], {}, () => 5, new Map(), Promise.resolve({})];
        const values = [...strange, pulumi.output("a"), pulumi.secret({}), { connection: null }, { services: null }];
        const everything: Record<string, unknown> = { ...face, ...face.haproxy, ...face.recipes, ...face.search };
        type Callable = (...values: unknown[]) => unknown;
        const callables = Object.entries(everything).filter(
            (entry): entry is [string, Callable] => typeof entry[1] === "function",
        );
        assert.ok(callables.length >= 11);
        for (const [name, callable] of callables) {
            const isClass = callable.toString().startsWith("class");
            for (const value of values) {
                await mockEngine();
                const call = () =>
                    isClass ? Reflect.construct(callable, [name, value]) : callable(value, value, value);
                try {
                    call();
                } catch (error) {
                    const { name: kind, stack } = error as Error;
                    assert.ok(kind === "Error" || pulumi.ResourceError.isInstance(error), `${name}: ${stack}`);
                }
                await settled();
            }
        }
    });
});

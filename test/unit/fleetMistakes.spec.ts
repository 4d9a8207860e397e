import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet, type LoadBalancerFleetArgs } from "../../components/loadBalancerFleet";
import { failuresOf, mockEngine, settled } from "../support/mocks";
import { connection, FLEET, withProbeReplies } from "../support/probeReplies";

const at = (address: pulumi.Input<string>) => ({ connection: { ...connection, address } });
const lb1 = at("192.0.2.1");
const lb2 = at("192.0.2.2");
const server = { name: "web1", address: "192.0.2.21" };
const web = { name: "web", hosts: ["www.example.com"], port: 8080, servers: [server] };

describe("LoadBalancerFleet reports a plain mistake as one clear error, and registers nothing else:", () => {
    const asked = withProbeReplies();
    const good = { hosts: { lb1, lb2 }, services: [web] };
    const inService = (change: object) => ({ ...good, services: [{ ...web, ...change }] });
    const model = { version: "2.6", frontends: [], backends: [] };
    const OUTPUT = "an Output; only plain data can be here";
    for (const [title, args, words] of [
        ["no arguments", undefined, "expected an object, got nothing"],
        ["a promise of arguments", Promise.resolve(good), "a Promise; await it, and use what it resolves to"],
        ["an Output of arguments", pulumi.output(good), OUTPUT],
        ["a text for arguments", "edge", 'expected an object, got "edge"'],
        ["no hosts", { services: [web] }, "hosts: expected an object, got nothing"],
        ["a text for hosts", { ...good, hosts: "a" }, 'hosts: expected an object, got "a"'],
        ["an empty object for hosts", { ...good, hosts: {} }, "hosts: expected at least one host"],
        ["a list for hosts", { ...good, hosts: [] }, "hosts: expected an object, got an empty list"],
        ["an Output for hosts", { ...good, hosts: pulumi.output({ lb1 }) }, `hosts: ${OUTPUT}`],
        ["a host without connection", { ...good, hosts: { lb1: {} } }, "hosts.lb1.connection: "],
        [
            "an unknown key of a host",
            { ...good, hosts: { lb1: { ...lb1, maxcon: 1 } } },
            'hosts.lb1: unknown key "maxcon"; did you mean maxconn?',
        ],
        [
            "service for services",
            { hosts: good.hosts, service: [web] },
            'unknown key "service"; did you mean services?',
        ],
        [
            "neither services nor model",
            { hosts: good.hosts },
            "services: nothing is balanced; declare services or a model",
        ],
        ["both", { ...good, model }, "services: declared twice; declare either services or a model"],
        ["customise", { ...good, customise: () => model }, 'unknown key "customise"; did you mean customize?'],
        [
            "customize without return",
            { ...good, customize: () => undefined },
            "customize: returned undefined; return the configuration",
        ],
        [
            "customize that is asynchronous",
            { ...good, customize: async (config: unknown) => config },
            "customize: returned a promise; return the configuration",
        ],
        [
            "before without a list",
            { ...good, before: () => ({ kind: "file", path: "/etc/x", content: "" }) },
            "before: returned an object for edge-lb1; return a list of resources",
        ],
        [
            "after that is asynchronous",
            { ...good, after: async () => [] },
            "after: returned a promise for edge-lb1; return a list of resources",
        ],
        [
            "a resource with an unknown key",
            { ...good, after: [{ kind: "file", path: "/etc/x", contnt: "" }] },
            'after[0]: unknown key "contnt"; did you mean content?',
        ],
        [
            "an Output in a resource",
            { ...good, before: [{ kind: "file", path: "/etc/x", content: pulumi.output("") }] },
            `before[0].content: ${OUTPUT}`,
        ],
        ["an object for before", { ...good, before: {} }, "before: expected a list of resources, or a function of"],
        [
            "a resource from before with an unknown key",
            { ...good, before: () => [{ kind: "file", path: "/etc/x", contnt: "" }] },
            'before[0]: on edge-lb1: unknown key "contnt"; did you mean content?',
        ],
        [
            "an error in a service that differences and acceptDown name",
            {
                hosts: { lb1: { ...lb1, weights: { web: { web1: 3 } }, stats: { address: "127.0.0.1" } } },
                services: [{ ...web, timeouts: { client: "5s" } }],
                stats: { bind: { address: "127.0.0.1", port: 8404 } },
                acceptDown: ["web"],
            },
            "services[0].timeouts.client: ",
        ],
        [
            "a Pulumi resource for a server",
            inService({ servers: [{ __pulumiResource: true, address: "192.0.2.1" }] }),
            "services[0].servers[0]: a Pulumi resource; use one of its outputs",
        ],
        ["an Output for slots", { ...good, slots: pulumi.output({ a: "b" }) }, `slots: ${OUTPUT}`],
        ["a number for a slot", { ...good, slots: { a: 5 } }, "slots.a: expected text, or an Output of it"],
        ["alow", inService({ alow: ["192.0.2.0/24"] }), 'services[0]: unknown key "alow"; did you mean allow?'],
        ["drian", inService({ drian: "5s" }), 'services[0]: unknown key "drian"; did you mean drain?'],
        ["basicauth", inService({ basicauth: {} }), 'services[0]: unknown key "basicauth"; did you mean basicAuth?'],
        [
            "a port as text",
            inService({ port: "80" }),
            'services[0].port: expected a whole number from 1 to 65535, got "80"',
        ],
        ["an Output for a name", inService({ name: pulumi.output("web") }), `services[0].name: ${OUTPUT}`],
        [
            "null for acls",
            {
                hosts: good.hosts,
                model: { ...model, frontends: [{ name: "http", binds: [{ port: 80 }], acls: null }] },
            },
            "frontends[0].acls: expected a list, got null",
        ],
        [
            "a roll that is unknown",
            { ...good, roll: "oneByone" },
            'roll: expected "oneByOne" or "allAtOnce", got "oneByone"; did you mean "oneByOne"?',
        ],
    ] as [string, unknown, string][]) {
        it(title, async () => {
            const recording = await mockEngine();
            let error: unknown;
            const late = await failuresOf(() => {
                try {
                    new LoadBalancerFleet("edge", args as LoadBalancerFleetArgs);
                } catch (thrown) {
                    error = thrown;
                }
            }, 20);
            await settled();
            assert.ok(error instanceof pulumi.ResourceError, String(error));
            const { message } = error;
            const line = /^edge: (customize|before|after): returned /.test(message)
                ? "edge: "
                : "edge: 1 error in what is declared\n  ";
            assert.ok(message.startsWith(`${line}${words}`), message);
            assert.deepEqual(late, []);
            assert.deepEqual(
                recording.registrations.map(({ type }) => type),
                [FLEET],
            );
            assert.deepEqual(asked.asked, []);
        });
    }
});

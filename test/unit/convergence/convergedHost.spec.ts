import assert from "node:assert/strict";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { ConvergedHost, type ConvergedHostArgs } from "../../../components/convergence/convergedHost";
import type { Resource } from "../../../components/convergence/kinds/index";
import { launchCommand } from "../../../components/convergence/payload/commands";
import { buildPayload } from "../../../components/convergence/payload/payload";
import { makePlan } from "../../../components/convergence/payload/plan";
import { slot } from "../../../components/convergence/slots";
import { SshError } from "../../../components/convergence/ssh/ssh";
import { nextToken } from "../../../components/convergence/token";
import { failuresOf, mockEngine, promiseOf, registered, settled, unsecret } from "../../support/mocks";
import { COMMAND, connection, HOST, hostKey, otherKey, probeReply, withProbeReplies } from "../../support/probeReplies";
import { until } from "../../support/traffic";

const resources: Resource[] = [{ kind: "file", path: "/etc/x", content: "x\n" }];
/** The owner of lb1, as the host records it. */
const owner = "haproxy-fleet/dev/lb1";

const drifted = probeReply({ differences: [{ id: "r0", aspect: "mode", have: "81ff" }] });

function converge(args: Partial<ConvergedHostArgs> = {}, name = "lb1"): ConvergedHost {
    return new ConvergedHost(name, { connection, resources, ...args });
}

async function commandInputs(args: Partial<ConvergedHostArgs> = {}, preview = false) {
    const recording = await mockEngine({ preview });
    converge(args);
    await settled();
    const { inputs } = registered(recording, COMMAND, "lb1-converge");
    return { ...recording, inputs, plain: unsecret(inputs) as Record<string, unknown> };
}

/** Fails unless the engine would get an unknown value. */
function assertUnknown(value: unknown): void {
    assert.deepEqual(unsecret(value), { __pulumiUnknown: true });
}

describe("ConvergedHost", () => {
    const hosts = withProbeReplies();

    it("registers itself, with redacted files, and one command, and nothing else", async () => {
        const recording = await mockEngine();
        converge({
            resources: [
                ...resources,
                { kind: "file", path: "/etc/y", content: `key ${slot("key")}`, mode: "0600" },
                { kind: "file", path: "/usr/local/bin/z", content: "#!/bin/sh\n", program: true },
                { kind: "file", path: "/etc/ca.pem", content: "abc\n", summary: (text) => [`${text.length} bytes`] },
                { kind: "file", path: "/etc/key.pem", content: slot("key"), summary: (text) => [text] },
            ],
            slots: { key: "s3cret" },
        });
        await settled();
        assert.deepEqual(
            recording.registrations.map(({ type, name, custom }) => ({ type, name, custom })),
            [
                { type: HOST, name: "lb1", custom: false },
                { type: COMMAND, name: "lb1-converge", custom: true },
            ],
        );
        assert.deepEqual(registered(recording, HOST, "lb1").inputs, {
            files: {
                "/etc/x": "x\n",
                "/etc/y": "key ‹key›",
                "/usr/local/bin/z": "10 bytes",
                "/etc/ca.pem": "4 bytes\n",
                "/etc/key.pem": "‹key›",
            },
        });
    });

    it("gives the command exactly what it needs", async () => {
        const { inputs, plain } = await commandInputs();
        assert.deepEqual(plain, {
            connection: {
                host: "192.0.2.1",
                port: 22,
                user: "root",
                hostKey,
                dialErrorLimit: 12,
                perDialTimeout: 15,
            },
            create: launchCommand("t0"),
            update: launchCommand("t0"),
            logging: "stderr",
            addPreviousOutputInEnv: false,
        });
        for (const absent of ["stdin", "delete", "triggers", "environment", "assetPaths"])
            assert.ok(!(absent in inputs), absent);
    });

    it("changes nothing but the token, whatever is declared and found", async () => {
        const first = await commandInputs();
        hosts.give(drifted);
        const second = await commandInputs({ resources: [], deadline: 60 });
        const token = nextToken(drifted, hosts.asked[1]?.payload ?? "");
        assert.deepEqual(second.plain, { ...first.plain, create: launchCommand(token), update: launchCommand(token) });
    });

    it("plans nothing for a deadline, a takeover or a library that is another one", async () => {
        const first = await commandInputs();
        const second = await commandInputs({ deadline: 60, takeOver: true });
        assert.deepEqual(second.plain, first.plain);
        assert.notEqual(hosts.asked[1]?.payload, hosts.asked[0]?.payload);
        assert.deepEqual([...hosts.left], []);
    });

    it("leaves the payload on a host that differs, in an up only", async () => {
        hosts.give(drifted);
        await commandInputs({}, true);
        assert.deepEqual([...hosts.left], []);
        await commandInputs();
        const payload = hosts.asked[0]?.payload ?? "";
        assert.deepEqual([...hosts.left], [[nextToken(drifted, payload), payload]]);
    });

    it("says as an error of the host why its converge has failed", async () => {
        hosts.give(drifted);
        const { messages } = await mockEngine({
            creation: async (name) => {
                if (name === "lb1-converge") throw new Error("Process exited with status 1");
            },
        });
        assert.ok((await failuresOf(() => void converge())).length > 0);
        assert.deepEqual(messages, [{ severity: "error", text: "lb1: file[/etc/x] failed: the disk is full" }]);
        assert.equal(hosts.open(), 0);
    });

    it("closes every connection, after the converge has ended at the latest", async () => {
        const refusing = probeReply({ refused: [{ id: "-", stage: "host", words: "old" }] });
        for (const preview of [true, false]) {
            for (const reply of [probeReply(), drifted]) {
                hosts.give(reply);
                await commandInputs({}, preview);
                assert.equal(hosts.open(), 0);
            }
            hosts.give(refusing);
            await mockEngine({ preview });
            assert.ok((await failuresOf(() => void converge())).length > 0);
            assert.equal(hosts.open(), 0);
        }
    });

    it("asks the host once", async () => {
        await commandInputs();
        assert.equal(hosts.asked.length, 1);
        assert.equal(hosts.asked[0]?.payload, buildPayload(makePlan(resources), { slots: {}, owner }));
    });

    describe("with takeOver", () => {
        const takes = (payload: unknown) => /^take_over='(.*)'$/m.exec(payload as string)?.[1];
        const taken = probeReply({ differences: [{ id: "-", aspect: "taken over", have: "shop/prod/lb1" }] });

        it("takes over a host that has another owner", async () => {
            hosts.give(taken);
            await commandInputs({ takeOver: true });
            assert.equal(takes([...hosts.left.values()][0]), "yes");
            await commandInputs();
            assert.equal(takes(hosts.asked[1]?.payload), "no");
        });

        it("plans nothing if it stays in the program, nor when it is removed", async () => {
            hosts.give(taken);
            const { plain: first } = await commandInputs({ takeOver: true });
            const [token = ""] = [...hosts.left.keys()];
            hosts.give(probeReply({ token }));
            for (const args of [{ takeOver: true }, {}]) {
                assert.deepEqual((await commandInputs(args)).plain, first);
            }
        });
    });

    describe("in a preview", () => {
        it("says and plans nothing if nothing differs: update has the host's token", async () => {
            const { plain, messages } = await commandInputs({}, true);
            assert.equal(plain.update, launchCommand("t0"));
            assert.deepEqual(messages, []);
        });

        it("reports a difference and plans the converge that the up then does", async () => {
            hosts.give(drifted);
            const preview = await commandInputs({}, true);
            const up = await commandInputs({}, false);
            const token = nextToken(drifted, hosts.asked[0]?.payload ?? "");
            assert.equal(preview.plain.update, launchCommand(token));
            assert.equal(up.plain.update, preview.plain.update);
            assert.deepEqual(preview.messages, [
                {
                    severity: "warn",
                    text: "lb1 differs in 1 resource; an up would converge it, with no reload\n  file[/etc/x]\n    mode is 0777, declared 0644",
                },
            ]);
            assert.deepEqual(up.messages, [{ severity: "info", text: "lb1: changed: nothing" }]);
        });

        it("warns of a host that cannot be asked, and leaves the plan unknown", async () => {
            hosts.give(new SshError("192.0.2.1:22 refuses connections"));
            const { inputs, messages } = await commandInputs({}, true);
            assertUnknown(inputs.create);
            assertUnknown(inputs.update);
            assert.deepEqual(messages, [
                {
                    severity: "warn",
                    text: "lb1 could not be asked what differs: 192.0.2.1:22 refuses connections",
                },
            ]);
        });

        it("fails if a host cannot be asked that must answer", async () => {
            hosts.give(new SshError("192.0.2.1:22 refuses connections"));
            const { messages } = await mockEngine({ preview: true });
            const failures = await failuresOf(() => void converge({ requireAnswer: true }));
            assert.deepEqual([failures, messages], [["lb1: 192.0.2.1:22 refuses connections"], []]);
        });

        it("asks a host though only an up knows the value of a slot, and leaves the plan unknown", async () => {
            const live = new Map([["r0", Buffer.from("to 192.0.2.7\n")]]);
            hosts.give(probeReply({ differences: [{ id: "r0", aspect: "content", have: "0abc" }], live }));
            const { plain, messages } = await commandInputs(
                {
                    resources: [{ kind: "file", path: "/etc/x", content: `to ${slot("web1.address")}\n` }],
                    slots: { "web1.address": pulumi.output(pulumi.unknown as string) },
                },
                true,
            );
            assertUnknown(plain.update);
            assert.deepEqual([...hosts.left], []);
            assert.match(hosts.asked[0]?.payload ?? "", /^file '1' '\/etc\/x' '.*' 'unknown' /m);
            const [{ text = "" } = {}] = messages;
            assert.match(text, /^lb1 differs in 1 resource; an up would converge it, with no reload\n/);
            assert.match(text, /^ {6}-to 192.0.2.7\n {6}\+to ‹web1.address, known after up›$/m);
        });

        it("does not ask a host whose address is not known yet", async () => {
            const address = pulumi.output(pulumi.unknown as unknown as string);
            const { inputs, messages } = await commandInputs({ connection: { address, hostKey } }, true);
            assert.deepEqual(hosts.asked, []);
            assert.deepEqual(messages, []);
            assertUnknown(inputs.update);
        });
    });

    for (const preview of [true, false]) {
        it(`fails in ${preview ? "a preview" : "an up"} if the host refuses what is declared`, async () => {
            hosts.give(probeReply({ refused: [{ id: "-", stage: "host", words: "too old" }] }));
            await mockEngine({ preview });
            const failures = await failuresOf(() => void converge());
            assert.ok(failures.length > 0);
            for (const failure of failures) {
                assert.match(failure, /^lb1 cannot be converged; nothing was touched\n {2}too old/);
            }
            assert.deepEqual([...hosts.left], []);
        });
    }

    it("fails in an up if the host cannot be asked, and names it", async () => {
        hosts.give(new SshError("192.0.2.1:22 refuses connections"));
        const recording = await mockEngine();
        const failures = await failuresOf(() => void converge());
        assert.ok(failures.length > 0);
        for (const failure of failures) assert.match(failure, /^lb1: 192\.0\.2\.1:22 refuses connections$/);
        // What depends on a command that is never registered would wait for ever.
        assert.deepEqual(
            recording.registrations.map(({ type }) => type),
            [HOST, COMMAND],
        );
        assert.deepEqual([...hosts.left], []);
    });

    describe("with the probe off", () => {
        it("asks no host in a preview, and every host in an up", async () => {
            await commandInputs({ probe: false }, true);
            assert.deepEqual(hosts.asked, []);
            await commandInputs({ probe: false });
            assert.equal(hosts.asked.length, 1);
        });

        it("leaves what only an up can know out of the plan of a preview, and only of a preview", async () => {
            assert.deepEqual(await ignoredChanges({ probe: false }, true), ["create", "update"]);
            assert.deepEqual(await ignoredChanges({ probe: false }, false), []);
            assert.deepEqual(await ignoredChanges({}, true), []);
        });
    });

    describe("with secrets", () => {
        const secret: Resource[] = [{ kind: "file", path: "/etc/x", content: `key ${slot("key")}\n` }];

        it("has them in the payload only, which the engine never sees", async () => {
            const different = probeReply({
                differences: [{ id: "r0", aspect: "content", have: "" }],
                live: new Map([["r0", Buffer.from("key pl4nted\n")]]),
            });
            const encoded = Buffer.from("key pl4nted\n").toString("base64");
            for (const preview of [true, false]) {
                hosts.give(different);
                const { registrations, messages } = await commandInputs(
                    { resources: secret, slots: { key: pulumi.secret("pl4nted") } },
                    preview,
                );
                const seen = JSON.stringify([registrations, messages]);
                assert.ok(!seen.includes("pl4nted") && !seen.includes(encoded));
            }
            assert.ok([...hosts.left.values()][0]?.includes(encoded));
        });

        it("has another token for other values, so that no up takes another's converge for its own", async () => {
            const tokens = new Set<unknown>();
            for (const key of ["one", "two"]) {
                hosts.give(probeReply({ differences: [{ id: "r0", aspect: "content", have: "" }] }));
                tokens.add(
                    (await commandInputs({ resources: secret, slots: { key: pulumi.secret(key) } })).plain.update,
                );
            }
            assert.equal(tokens.size, 2);
        });

        it("does not make update a secret, so that plans are readable", async () => {
            const { inputs } = await commandInputs({ resources: secret, slots: { key: pulumi.secret("pl4nted") } });
            assert.equal(inputs.update, launchCommand("t0"));
        });
    });

    it("fails with every issue at once, before anything but itself is registered", async () => {
        const recording = await mockEngine();
        const bastion = { address: "192.0.2.9", hostKey: "ssh-rsa AAAA" };
        const broken: Resource[] = [
            { kind: "packages", names: [] },
            { kind: "file", path: "/etc/x", content: slot("key") },
        ];
        assert.throws(
            () => converge({ connection: { ...connection, hostKey: "garbage", bastion }, resources: broken }),
            (error: Error) => {
                assert.ok(error instanceof pulumi.ResourceError);
                assert.equal(error.hideStack, true);
                // Pulumi's runner prints every error like this; it must not print the whole program.
                assert.ok(inspect(error).length < 4000);
                assert.deepEqual(
                    error.message.split("\n").map((line) => line.split(":").slice(0, 2).join(":")),
                    [
                        "lb1: 4 issues in what is declared",
                        '  connection.hostKey: invalid host key "garbage"; use the line of ssh-keyscan -t ed25519 without the host name, "ssh-ed25519 AAAA…", or an ecdsa key',
                        '  connection.bastion.hostKey: invalid host key "ssh-rsa AAAA"; use the line of ssh-keyscan -t ed25519 without the host name, "ssh-ed25519 AAAA…", or an ecdsa key',
                        '  /etc/x: slot "key" has no value; set it in slots',
                        "  packages[]: no package is named; name at least one",
                    ],
                );
                return true;
            },
        );
        await settled();
        assert.deepEqual(hosts.asked, []);
        assert.deepEqual(
            recording.registrations.map(({ type }) => type),
            [HOST],
        );
    });

    it("fails on invalid ports and deadlines", async () => {
        const bastion = { address: "192.0.2.9", hostKey: otherKey };
        for (const [args, words] of [
            [{ deadline: 0 }, "invalid deadline 0; use a whole number from 1 to 86400"],
            [{ deadline: Number.NaN }, "invalid deadline NaN; "],
            [{ deadline: 1.5 }, "invalid deadline 1.5; "],
            [
                { connection: { ...connection, port: 70_000 } },
                "connection.port: invalid port 70000; use a whole number from 1 to 65535",
            ],
            [
                { connection: { ...connection, bastion: { ...bastion, port: -1 } } },
                "connection.bastion.port: invalid port -1; ",
            ],
        ] as [Partial<ConvergedHostArgs>, string][]) {
            await mockEngine();
            assert.throws(
                () => converge(args),
                ({ message }: Error) => message.startsWith(`lb1: 1 issue in what is declared\n  ${words}`),
            );
        }
    });

    it("passes on a warning of its hosts once, in a preview and in an up", async () => {
        hosts.give(probeReply({ warnings: ["sudo logs its input"] }));
        for (const preview of [true, false]) {
            const { messages } = await mockEngine({ preview });
            converge();
            converge({ connection: { ...connection, address: "192.0.2.2" } }, "lb2");
            const warnings = () => messages.filter(({ severity }) => severity === "warn").map(({ text }) => text);
            await until("the round has ended", () => warnings().length > 0);
            await settled();
            assert.deepEqual(warnings(), ["lb1, lb2: sudo logs its input"]);
        }
    });

    it("says what the last converge did", async () => {
        await mockEngine();
        assert.equal(await promiseOf(converge().lastRun), "changed: nothing");
    });
});

/** Registrations as the mocks get them have no options, so a transformation collects them. */
async function ignoredChanges(args: Partial<ConvergedHostArgs>, preview: boolean): Promise<string[]> {
    await mockEngine({ preview });
    let ignored: string[] = [];
    new ConvergedHost(
        "lb1",
        { connection, resources, ...args },
        {
            transformations: [
                ({ type, opts }) => {
                    if (type === COMMAND) ignored = opts.ignoreChanges ?? [];
                    return undefined;
                },
            ],
        },
    );
    await settled();
    return ignored;
}

// The stacks staging and prod as a whole: what they register, look up, and keep secret.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { childOf, childrenOf } from "../../support/awsChildren";
import { isSecret, promiseOf, type Recording, type Registration, registered, unsecret } from "../../support/mocks";
import { COMMAND, HOST, PAIR, withProbeReplies } from "../../support/probeReplies";
import { exampleConfig } from "../../support/stackConfig";
import { runStack, type StackRun, secretsOf, stacksOnAws } from "../../support/stackRun";

describe("stacks on AWS", () => {
    const hosts = withProbeReplies();

    const named = (registrations: readonly Registration[]) =>
        Object.fromEntries(registrations.map((one) => [one.name, childOf(one)]));

    for (const stack of stacksOnAws) {
        for (const preview of [true, false]) {
            it(`${stack} has exactly its resources of AWS, in ${preview ? "a first preview" : "an up"}`, async () => {
                const { registrations } = await runStack(stack, { preview });
                const ours = registrations.filter(({ type }) => /^(aws|tls):/.test(type));
                assert.deepEqual(named(ours), childrenOf(stack, preview));
                assert.equal(
                    new Set(registrations.map(({ type, name }) => `${type} ${name}`)).size,
                    registrations.length,
                );
            });
        }

        it(`${stack} has one pair of two hosts, each converged after its instance and with its key`, async () => {
            const run = await runStack(stack);
            const others = run.registrations.filter(({ type }) => !/^(aws|tls):/.test(type));
            assert.deepEqual(
                others.map(({ type, name, options: { parent } }) => [type, name, parent]).sort(),
                [
                    ["haproxy-fleet:index:Ec2Hosts", `${stack}-edge`, ""],
                    [PAIR, "edge", ""],
                    ...["lb1", "lb2"].flatMap((host) => [
                        [HOST, `edge-${host}`, "edge"],
                        [COMMAND, `edge-${host}-converge`, `edge-${host}`],
                    ]),
                ].sort(),
            );
            for (const n of [1, 2]) {
                const { options, inputs } = registered(run, COMMAND, `edge-lb${n}-converge`);
                const [key, instance] = ["host-key", "instance"].map((part) => `${stack}-edge-lb${n}-${part}`);
                // Each host needs the addresses of both.
                const ofPair = ["lb1-instance", "lb1-interface", "lb2-instance", "lb2-interface", "service-address"];
                assert.deepEqual(options.dependencies, [key, ...ofPair.map((part) => `${stack}-edge-${part}`)].sort());
                const connection = unsecret(inputs.connection) as Record<string, unknown>;
                assert.equal(connection.host, `10.0.${n}.11`);
                const { userData } = registered(run, "aws:ec2/instance:Instance", `${instance}`).inputs;
                assert.ok(String(unsecret(userData)).includes("BEGIN OPENSSH PRIVATE KEY"));
                assert.match(String(connection.hostKey), /^ssh-ed25519 [\w+/]+=*$/);
            }
            const { files } = registered(run, PAIR, "edge").inputs as { files: Record<string, string> };
            const servers = (files["/etc/haproxy/haproxy.cfg"] ?? "").match(/^\s+server \S+ \S+/gm);
            assert.deepEqual(
                servers?.map((line) => line.trim()),
                ["10.0.1.21", "10.0.2.21", "10.0.1.41", "10.0.2.41"].map(
                    (ip) => `server ip-${ip.replaceAll(".", "-")} ${ip}:8080`,
                ),
            );
            const [one, two] = [1, 2].map((n) => registered(run, COMMAND, `edge-lb${n}-converge`).inputs.connection);
            const hostKey = (connection: unknown) => (unsecret(connection) as { hostKey: string }).hostKey;
            assert.notEqual(hostKey(one), hostKey(two));
        });

        it(`${stack} looks up its servers, an image and the zones of its subnets, and nothing else`, async () => {
            const { calls } = await runStack(stack, { preview: true });
            const instances = (tag: string) => ({
                instanceStateNames: ["running"],
                filters: [
                    ["tag:run_list", [tag]],
                    ["tag:environment", [stack]],
                ],
            });
            const found = calls.map(({ token, inputs }) => {
                const filters = inputs.filters as { name: string; values: string[] }[] | undefined;
                const first = filters?.map(({ name, values }) => [name, values.slice(0, 1)]);
                return [token.split(":").at(-1), { ...inputs, ...(first && { filters: first }) }];
            });
            const image = {
                staging: { owner: "136693071363", name: "debian-12-amd64-*" },
                prod: { owner: "099720109477", name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*" },
            }[stack];
            const filters = [
                ["name", [image.name]],
                ["architecture", ["x86_64"]],
                ["virtualization-type", ["hvm"]],
                ["root-device-type", ["ebs"]],
            ];
            assert.deepEqual(
                found.sort(([one], [other]) => String(one).localeCompare(String(other))),
                [
                    ["getAmi", { filters, mostRecent: true, owners: [image.owner] }],
                    ["getInstances", instances("ecom-platform::app")],
                    ["getInstances", instances("ecom-docs::app")],
                    ...(stack === "prod" ? [["getSecretVersion", { secretId: "prod/tls/main" }]] : []),
                    ["getSubnet", { id: "subnet-0a1b2c3d4e5f6071a" }],
                    ["getSubnet", { id: "subnet-0a1b2c3d4e5f6071b" }],
                ],
            );
        });

        it(`${stack} shows no secret outside of what the engine encrypts`, async () => {
            for (const preview of [true, false]) {
                const run = await runStack(stack, { preview, existing: true });
                const planted = [
                    ...Object.values(secretsOf(stack)),
                    ...[1, 2].flatMap((n) => secretLines(run, `${stack}-edge-lb${n}-instance`)),
                    "BEGIN PRIVATE KEY",
                ];
                const shown = await shownBy(run);
                assert.ok(shown.includes(`${stack}-edge-service-address`), "the texts are those of the stack");
                for (const secret of planted) assert.ok(!shown.includes(secret), `${stack} shows ${secret}`);
                assert.deepEqual(secretInputs(run), [
                    ...["lb1", "lb2"].map((host) => `edge-${host}-converge.connection`),
                    ...["lb1", "lb2"].map((host) => `${stack}-edge-${host}-instance.userData`),
                ]);
            }
        });

        it(`${stack} asks its hosts in a preview once they exist, and none before`, async () => {
            await runStack(stack, { preview: true });
            assert.equal(hosts.asked.length, 0);
            await runStack(stack, { preview: true, existing: true });
            assert.deepEqual(hosts.asked.map(({ target }) => target.address).sort(), ["10.0.1.11", "10.0.2.11"]);
        });
    }

    it("name all that their config lacks at once, with the command that sets each, and register nothing", async () => {
        const inBoth = ["vpc", "subnetA", "subnetB", "zone", "maxconn", "papertrailHost", "papertrailPort"];
        const lists = ["--path 'sshPublicKeys[0]'", "--path 'sshNetworks[0]'"];
        const lacking = {
            staging: [...inBoth, ...lists, "--secret datadogApiKey"],
            prod: [
                ...[...inBoth, ...lists, "--secret datadogApiKey", "--secret alertCommand"],
                ...["bastionSecurityGroup", "bastionAddress", "bastionHostKey"],
            ],
        };
        for (const stack of stacksOnAws) {
            // What the CLI gives for keys that are not set, by the types of Pulumi.yaml.
            const empty = (value: string) =>
                /^[[{\d]/.exec(value) ? ({ "[": "[]", "{": "{}" }[value[0] ?? ""] ?? "0") : "";
            const change = {
                ...mapped(exampleConfig, empty),
                ...mapped(secretsOf(stack), () => undefined),
            };
            const started: Recording[] = [];
            const run = runStack(stack, { change, onStart: (recording) => started.push(recording) });
            await assert.rejects(run, (error: Error) => {
                assert.ok(pulumi.RunError.isInstance(error));
                const commands = error.message.split("\n").map((line) => {
                    const words = /^stacks\/\w+\.ts: .+: .*not .*; (?:set it with )?npm run pulumi -- config set (.+)$/;
                    return (words.exec(line)?.[1] ?? line).replace(/(?: VALUE)? --stack (\w+)$/, " $1");
                });
                assert.deepEqual(commands.sort(), lacking[stack].map((key) => `${key} ${stack}`).sort());
                return true;
            });
            assert.deepEqual(started[0]?.registrations, []);
        }
    });

    const mapped = <T>(values: Readonly<Record<string, string>>, compute: (value: string) => T) =>
        Object.fromEntries(Object.entries(values).map(([key, value]) => [key, compute(value)]));

    /** Lines of the private key in an instance's user data. */
    function secretLines(run: StackRun, name: string): string[] {
        const { userData } = registered(run, "aws:ec2/instance:Instance", name).inputs;
        const [, key = assert.fail("no key")] = /PRIVATE KEY-----\n([^-]*)\n/.exec(String(unsecret(userData))) ?? [];
        const lines = key.split("\n").map((line) => line.trim());
        // The first line is the same in all keys.
        return lines.slice(1).filter((line) => line.length > 20);
    }

    /** All that a preview, a diff or the state may show in clear. */
    async function shownBy({ registrations, messages, outputs }: StackRun): Promise<string> {
        const values = await promiseOf(pulumi.output(outputs as pulumi.Unwrap<pulumi.Inputs>));
        const inputs = registrations.map(({ name, inputs }) => [name, clear(inputs)]);
        return JSON.stringify([inputs, messages, values]);
    }

    /** Inputs without those that are secret. */
    function clear(value: unknown): unknown {
        if (value === null || typeof value !== "object") return value;
        if (isSecret(value)) return "(secret)";
        if (Array.isArray(value)) return value.map(clear);
        return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, clear(part)]));
    }

    function secretInputs({ registrations }: StackRun): string[] {
        return registrations
            .filter(({ custom }) => custom)
            .flatMap(({ name, inputs }) =>
                Object.entries(inputs)
                    .filter(([, value]) => isSecret(value))
                    .map(([key]) => `${name}.${key}`),
            )
            .sort();
    }
});

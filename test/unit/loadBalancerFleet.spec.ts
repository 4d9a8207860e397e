import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { Resource } from "../../components/convergence/kinds/index";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { LoadBalancerFleet, type LoadBalancerFleetArgs } from "../../components/loadBalancerFleet";
import { decoded } from "../support/decoded";
import { failuresOf, mockEngine, promiseOf, registered, settled, unsecret } from "../support/mocks";
import { COMMAND, connection, FLEET, HOST, withProbeReplies } from "../support/probeReplies";

const CFG = "/etc/haproxy/haproxy.cfg";
const at = (address: pulumi.Input<string>) => ({ connection: { ...connection, address } });
const lb1 = at("192.0.2.1");
const lb2 = at("192.0.2.2");
const server = { name: "web1", address: "192.0.2.21" as pulumi.Input<string> };
const web = { name: "web", hosts: ["www.example.com"], port: 8080, servers: [server] };

type Args = LoadBalancerFleetArgs<string>;

describe("LoadBalancerFleet", () => {
    const asked = withProbeReplies();

    async function fleetWith(args: Partial<Args> = {}, preview = false) {
        const recording = await mockEngine({ preview });
        const fleet = new LoadBalancerFleet<string>("edge", { hosts: { lb1, lb2 }, services: [web], ...args });
        await settled();
        const outputs = (host: string, key: "configuration" | "digest" | "ports" | "urls" | "address") => {
            const { hosts, configurations } = fleet;
            const output = key === "configuration" ? configurations[host] : hosts[host]?.[key];
            return promiseOf(output as pulumi.Output<unknown>);
        };
        const files = (type: string, name: string) =>
            registered(recording, type, name).inputs.files as Record<string, string>;
        return { ...recording, fleet, outputs, files };
    }
    const texts = (messages: { severity: string; text: string }[]) =>
        messages.map(({ severity, text }) => `${severity}: ${text}`);
    /** The text of haproxy.cfg that each host was sent, by address. */
    const sent = () => new Map(asked.asked.map(({ target, payload }) => [target.address, decoded(payload)]));

    it("is one host and one command for each key, named after the fleet", async () => {
        const { registrations, fleet } = await fleetWith();
        const names = registrations.map(({ type, name }) => `${type} ${name}`);
        assert.deepEqual(names.sort(), [
            `${COMMAND} edge-lb1-converge`,
            `${COMMAND} edge-lb2-converge`,
            `${HOST} edge-lb1`,
            `${HOST} edge-lb2`,
            `${FLEET} edge`,
        ]);
        assert.deepEqual(Object.keys(fleet.hosts), ["lb1", "lb2"]);
    });

    it("converges nothing with a secret that has no value, or is no text", async () => {
        const missing =
            "edge: 1 error in what is declared\n  services[0].servers[0].address: expected text, got nothing";
        for (const [value, words] of [
            [undefined, missing],
            [{ text: "planted" }, 'edge-lb1: the value of slot "web1.address" is of type object; use text'],
        ]) {
            for (const preview of [true, false]) {
                await mockEngine({ preview });
                const address = pulumi.secret(value as never);
                const declared = { hosts: { lb1 }, services: [{ ...web, servers: [{ ...server, address }] }] };
                const [failure, ...others] = await failuresOf(() => void new LoadBalancerFleet("edge", declared));
                assert.equal(failure, words);
                assert.deepEqual(others, []);
            }
        }
        assert.deepEqual(asked.asked, []);
    });

    it("reports an address of a host that has no value once, although its URLs need it", async () => {
        await mockEngine();
        const hosts = { lb1: at(pulumi.output(undefined as unknown as string)) };
        const failures = await failuresOf(() => void new LoadBalancerFleet("edge", { hosts, services: [web] }));
        assert.deepEqual(failures, [
            "edge-lb1: connection.address: has no value; check the output or the setting that it comes from",
        ]);
    });

    it("refuses an alias that is none, because the engine's SDK would never register the host", async () => {
        await mockEngine();
        const hosts = { lb1: { ...lb1, aliases: [null, { name: "old" }] as never } };
        assert.throws(() => new LoadBalancerFleet("edge", { hosts, services: [web] }), {
            message: /\n {2}hosts\.lb1\.aliases\[0\]: expected an alias, as in \{ name: "edge-lb1" \}, got null$/,
        });
    });

    it("shows files once at the fleet, and at hosts those that differ", async () => {
        const alike = await fleetWith();
        assert.match(alike.files(FLEET, "edge")[CFG] ?? "", /server web1 192\.0\.2\.21:8080 check/);
        for (const host of ["edge-lb1", "edge-lb2"]) assert.deepEqual(alike.files(HOST, host), {});
        const differing = await fleetWith({ hosts: { lb1, lb2: { ...lb2, maxconn: 77 } } });
        const common = Object.keys(differing.files(FLEET, "edge"));
        assert.ok(common.length > 0 && !common.includes(CFG));
        assert.match(differing.files(HOST, "edge-lb2")[CFG] ?? "", /^ {4}maxconn 77$/m);
        assert.doesNotMatch(differing.files(HOST, "edge-lb1")[CFG] ?? "", /maxconn 77/);
        for (const host of ["edge-lb1", "edge-lb2"])
            assert.ok(!Object.keys(differing.files(HOST, host)).some((path) => common.includes(path)));
    });

    it("shows of a file over 64 kB only its size and digest, which changes with it", async () => {
        const longOne = (first: string) => [
            first,
            ...Array.from({ length: 3000 }, (_, n) => `# ${n} ${"x".repeat(20)}`),
        ];
        const shown = async (first: string) =>
            (await fleetWith({ global: { raw: longOne(first) } })).files(FLEET, "edge")[CFG];
        const [one, other] = [await shown("# a"), await shown("# b")];
        assert.match(one ?? "", /^30\d\d lines, sha256 [0-9a-f]{64}$/);
        assert.notEqual(one, other);
    });

    it("has outputs to compose with for each host", async () => {
        const { outputs } = await fleetWith({
            hosts: { lb1, lb2: at("2001:db8::2"), lb3: { ...at("192.0.2.3"), maxconn: 5000 } },
            services: [web, { name: "db", protocol: "tcp", listen: 5432, port: 5432, servers: [server] }],
            port: 8000,
        });
        assert.equal(await outputs("lb1", "address"), "192.0.2.1");
        assert.deepEqual(await outputs("lb1", "ports"), [5432, 8000]);
        assert.deepEqual(await outputs("lb1", "urls"), ["http://192.0.2.1:8000"]);
        assert.deepEqual(await outputs("lb2", "urls"), ["http://[2001:db8::2]:8000"]);
        assert.match((await outputs("lb3", "configuration")) as string, /^ {4}maxconn 5000$/m);
        const adapter = { name: "demo", script: "demo_x() { :; }\n", parameters: {} };
        const files = [{ path: "/etc/demo/a", content: "x\n" }];
        const other: Resource = { kind: "transaction", name: "demo", directory: "/etc/demo", files, adapter };
        const [without, beside] = [await fleetWith(), await fleetWith({ before: [other] })];
        assert.equal(await beside.outputs("lb1", "digest"), await without.outputs("lb1", "digest"));
        const zoned = await fleetWith({ hosts: { lb1: at("fe80::1%eth0") } });
        assert.deepEqual(await zoned.outputs("lb1", "urls"), []);
        const [first, second, third] = await Promise.all(["lb1", "lb2", "lb3"].map((host) => outputs(host, "digest")));
        assert.match(String(first), /^[0-9a-f]{64}$/);
        assert.equal(second, first);
        assert.notEqual(third, first);
    });

    it("lets hosts differ by plain data", async () => {
        const { outputs } = await fleetWith({
            hosts: {
                lb1: { ...lb1, stats: { address: "127.0.0.1" }, weights: { web: { web1: 7 } } },
                lb2: { ...lb2, maxconn: 99 },
            },
            stats: { bind: { address: "192.0.2.100", port: 8404 }, auth: { user: "ops", passwordSecret: "ops" } },
            slots: { ops: pulumi.secret("s3cret") },
        });
        const [first, second] = await Promise.all(["lb1", "lb2"].map((host) => outputs(host, "configuration")));
        for (const [line, has] of [
            ["bind 127.0.0.1:8404", [true, false]],
            ["bind 192.0.2.100:8404", [false, true]],
            ["server web1 192.0.2.21:8080 check weight 7", [true, false]],
            ["maxconn 99", [false, true]],
        ] as const)
            assert.deepEqual(
                [first, second].map((text) => String(text).split("\n").includes(`    ${line}`)),
                has,
                line,
            );
    });

    it("lets hosts differ by functions, which are called once with each name", async () => {
        const called: string[] = [];
        const file = (host: string, suffix: string): Resource[] => [
            { kind: "file", path: `/etc/${host}-${suffix}`, content: "x\n" },
        ];
        const { outputs } = await fleetWith({
            customize: (config: HaproxyConfig, host: string) => {
                called.push(host);
                return host === "edge-lb2" ? { ...config, global: { ...config.global, raw: ["# second"] } } : config;
            },
            before: (host: string) => file(host, "before"),
            after: (host: string) => file(host, "after"),
        });
        assert.deepEqual(called, ["edge-lb1", "edge-lb2"]);
        assert.doesNotMatch(String(await outputs("lb1", "configuration")), /# second/);
        assert.match(String(await outputs("lb2", "configuration")), /# second/);
        const calls = (address: string) =>
            (
                sent()
                    .get(address)
                    ?.match(/^begin_resource .*$/gm) ?? []
            ).join("\n");
        for (const [address, host, other] of [
            ["192.0.2.1", "edge-lb1", "edge-lb2"],
            ["192.0.2.2", "edge-lb2", "edge-lb1"],
        ] as const) {
            assert.match(calls(address), new RegExp(`${host}-before[^]*transaction\\[haproxy\\][^]*${host}-after`));
            assert.doesNotMatch(calls(address), new RegExp(other));
        }
    });

    it("reports errors of all hosts once, and names the hosts of those that some have", async () => {
        await mockEngine();
        const broken = { ...web, timeouts: { client: "5s" } };
        const fails = (args: object) => {
            try {
                new LoadBalancerFleet("edge", { hosts: { lb1, lb2 }, services: [web], ...args } as Args);
            } catch (error) {
                assert.ok(error instanceof pulumi.ResourceError);
                return error.message;
            }
            return "";
        };
        const [title, ...lines] = fails({ services: [broken] }).split("\n");
        assert.equal(title, "edge: 1 error in what is declared");
        assert.match(lines.join("\n"), /^ {2}services\[0\]\.timeouts\.client: (?!on )[^\n]+$/);
        const customize = (config: HaproxyConfig, host: string) =>
            host === "edge-lb2" ? { ...config, backends: [] } : config;
        assert.match(
            fails({ customize }),
            /^edge: 1 error in what is declared\n {2}frontends\[0\]\.\S+: on edge-lb2: [^\n]+$/,
        );
        assert.equal(
            fails({ hosts: { lb1: { ...lb1, weights: { wob: { web1: 1 } } }, lb2 } }),
            'edge: 1 error in what is declared\n  hosts.lb1.weights.wob: weights: no service or backend "wob"; correct the name',
        );
        await settled();
    });

    it("shows warnings once, those of form and those of a host, and ignores the ones that it is to ignore", async () => {
        const hosts = { lb1: { ...lb1, weights: { web: { gone: 1 } } }, lb2 };
        const model: HaproxyConfig = {
            version: "2.6",
            frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "web" }],
            backends: ["web", "unused"].map((name) => ({
                name,
                servers: [{ name: "web1", address: "192.0.2.21", port: 1 }],
            })),
        };
        const { messages } = await fleetWith({ hosts, model, services: undefined });
        assert.equal(messages.length, 2);
        assert.match(
            texts(messages).join("\n"),
            /^warn: hosts\.lb1\.weights\.web: web has no server "gone"; correct weights$/m,
        );
        assert.match(texts(messages).join("\n"), /^warn: backends\[1\]\S*: (?!.*edge-lb).*unused/m);
        const ignoring = await fleetWith({ hosts, model, services: undefined, ignoreIssues: ["unused-backend"] });
        assert.equal(ignoring.messages.length, 1);
    });

    it("has one place for what is wrong with a service, also for a host with other weights", async () => {
        const hosts = { lb1: { ...lb1, weights: { web: { web1: 3 } } }, lb2 };
        const { messages } = await fleetWith({
            hosts,
            services: [{ ...web, serverTls: { caFile: "/etc/ssl/ca.pem" } }],
        });
        assert.match(texts(messages).join("\n"), /^warn: services\[0\]\.serverTls: servers of backend web: .*$/);
    });

    describe("takes Inputs:", () => {
        const withAddress = (address: pulumi.Input<string>) => ({
            services: [{ ...web, servers: [{ ...server, address }] }],
        });
        const unknown = () => pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;

        it("known values, from outputs and promises, are plain data", async () => {
            for (const address of [pulumi.output("2001:db8::21"), Promise.resolve("2001:db8::21")]) {
                asked.asked.length = 0;
                const { files, outputs } = await fleetWith(withAddress(address));
                const line = /^ {4}server web1 \[2001:db8::21\]:8080 check$/m;
                assert.match(files(FLEET, "edge")[CFG] ?? "", line);
                assert.match(String(await outputs("lb2", "configuration")), line);
                for (const host of ["192.0.2.1", "192.0.2.2"]) assert.match(sent().get(host) ?? "", line);
            }
        });

        it("secrets reach the hosts, and nothing else", async () => {
            const { registrations, messages, outputs } = await fleetWith({
                services: [
                    {
                        ...web,
                        servers: [{ ...server, address: pulumi.secret("192.0.2.66") }],
                        basicAuth: { users: [{ name: "ops", password: pulumi.secret("pl4nted-word") }] },
                    },
                ],
            });
            const shown = JSON.stringify([registrations, messages, await outputs("lb1", "configuration")]);
            for (const secret of ["192.0.2.66", "pl4nted-word"]) {
                assert.ok(!shown.includes(secret), secret);
                assert.ok(!shown.includes(Buffer.from(secret).toString("base64")), secret);
                for (const text of sent().values()) assert.ok(text.includes(secret), secret);
            }
            assert.match(shown, /server web1 '‹web1\.address›':8080 check/);
        });

        it("what only an up knows is named in a preview, and the host is asked all else", async () => {
            const { files, registrations } = await fleetWith(withAddress(unknown()), true);
            assert.match(files(FLEET, "edge")[CFG] ?? "", /server web1 '?‹web1\.address/);
            assert.equal(asked.asked.length, 2);
            for (const { inputs } of registrations.filter(({ type }) => type === COMMAND))
                assert.deepEqual(unsecret(inputs.update), { __pulumiUnknown: true });
        });

        it("a value that turns out to be missing is an error, not the text undefined", async () => {
            const none = undefined as unknown as string;
            const user = (password: pulumi.Output<string>) => ({ basicAuth: { users: [{ name: "ops", password }] } });
            for (const [args, words] of [
                [
                    withAddress(pulumi.output(none)),
                    /^edge: 1 error [^\n]+\n {2}services\[0\]\.servers\[0\]\.address: .*nothing$/,
                ],
                [
                    { services: [{ ...web, ...user(pulumi.secret(none)) }] },
                    /^edge: 1 error [^\n]+\n {2}services\[0\]\.basicAuth\.users\[0\]\.password: .*nothing$/,
                ],
                [{ hosts: { lb1: at(pulumi.output(none)) } }, /^edge-lb1: connection\.address: has no value; /],
                [
                    {
                        services: [{ ...web, basicAuth: { users: [{ name: "ops", passwordSecret: "ops" }] } }],
                        slots: { ops: pulumi.output(none) },
                    },
                    /^edge-lb1, edge-lb2: the value of slot "ops" is missing; /,
                ],
            ] as [Partial<Args>, RegExp][]) {
                await mockEngine();
                const failures = await failuresOf(
                    () => void new LoadBalancerFleet("edge", { hosts: { lb1, lb2 }, services: [web], ...args }),
                );
                assert.equal(failures.length, 1, failures.join("\n"));
                assert.match(failures[0] ?? "", words);
                assert.deepEqual(asked.asked, []);
                await settled();
            }
        });

        it("a slot of the user's own keeps its value, whatever names others have", async () => {
            const user = (name: string) => ({ name, password: pulumi.secret(`${name}-taken`) });
            await fleetWith({
                services: [
                    { ...web, basicAuth: { users: [user("ops"), { name: "dev", passwordSecret: "ops.password" }] } },
                ],
                slots: { "ops.password": pulumi.secret("own") },
            });
            const text = sent().get("192.0.2.1") ?? "";
            assert.match(text, /user ops insecure-password '?ops-taken'?$/m);
            assert.match(text, /user dev insecure-password '?own'?$/m);
        });

        it("errors in values that come later are the same errors, a moment later", async () => {
            await mockEngine();
            const failures = await failuresOf(
                () => void new LoadBalancerFleet("edge", { hosts: { lb1, lb2 }, ...withAddress(pulumi.output("a b")) }),
            );
            assert.equal(failures.length, 1);
            assert.match(failures[0] ?? "", /^edge: 1 error in what is declared\n {2}\S+: [^\n]*"a b"/);
            assert.deepEqual(asked.asked, []);
        });
    });
});

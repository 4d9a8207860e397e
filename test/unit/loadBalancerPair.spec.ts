import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { routerIdOf } from "../../components/keepalived/index";
import { LoadBalancerPair, type LoadBalancerPairArgs } from "../../components/loadBalancerPair";
import { decoded } from "../support/decoded";
import { failuresOf, mockEngine, promiseOf, registered, settled, unsecret } from "../support/mocks";
import { COMMAND, connection, HOST, PAIR, probeReply, withProbeReplies } from "../support/probeReplies";

const CFG = "/etc/haproxy/haproxy.cfg";
const KEEPALIVED = "/etc/keepalived/keepalived.conf";
const at = (address: pulumi.Input<string>) => ({ connection: { ...connection, address } });
const hosts = { lb1: at("192.0.2.1"), lb2: at("192.0.2.2") };
const services = [{ name: "web", default: true, port: 8080, servers: [{ name: "web1", address: "192.0.2.21" }] }];
const pair = { failback: "never", addresses: ["192.0.2.100/24", "2001:db8::100/64"] } as const;
const elastic = (n: number) => ({ networkInterfaceId: `eni-0${n}`, serviceAddress: `192.0.2.5${n}` });
const elasticHosts = { lb1: { ...hosts.lb1, elastic: elastic(1) }, lb2: { ...hosts.lb2, elastic: elastic(2) } };
const elasticIp = { allocationId: "eipalloc-0a1b", region: "eu-central-1" };

type Args = LoadBalancerPairArgs<string>;

describe("LoadBalancerPair", () => {
    const asked = withProbeReplies();

    async function pairWith(args: Partial<Args> = {}, preview = false) {
        const recording = await mockEngine({ preview });
        const made = new LoadBalancerPair<string>("edge", { hosts, services, pair, ...args });
        await settled();
        const files = (type: string, name: string) =>
            registered(recording, type, name).inputs.files as Record<string, string>;
        return { ...recording, made, files };
    }
    /** The payload that a host was sent, by its address, with files in clear. */
    const sent = (address: string) => {
        const question = asked.asked.find(({ target }) => target.address === address);
        assert.ok(question, `nothing was sent to ${address}`);
        return decoded(question.payload);
    };
    /** Fails without the whole payload in its words. */
    const assertSent = (address: string, words: RegExp) =>
        assert.ok(words.test(sent(address)), `${words} for ${address}`);
    /** Names of the resources in a payload, in order. */
    const runList = (address: string) =>
        [...sent(address).matchAll(/^begin_resource (\S+) .*$/gm)].map(([line]) =>
            line.replace(/^begin_resource \S+ /, ""),
        );
    /** The error that a constructor throws, or that comes later. */
    async function refusal(args: object): Promise<string[]> {
        await mockEngine();
        const found: string[] = [];
        const late = await failuresOf(() => {
            try {
                new LoadBalancerPair<string>("edge", { hosts, services, pair, ...args } as Args);
            } catch (error) {
                assert.ok(error instanceof pulumi.ResourceError);
                found.push(error.message);
            }
        }, 100);
        await settled();
        return [...found, ...late].flatMap((text) =>
            text
                .split("\n")
                .slice(1)
                .map((line) => line.trim()),
        );
    }

    it("is one host and one command for each of the two, named after the pair", async () => {
        const { registrations, made } = await pairWith();
        assert.deepEqual(
            registrations.map(({ type, name, options: { parent } }) => [type, name, parent]).sort(),
            [
                [PAIR, "edge", ""],
                ...["lb1", "lb2"].flatMap((host) => [
                    [HOST, `edge-${host}`, "edge"],
                    [COMMAND, `edge-${host}-converge`, `edge-${host}`],
                ]),
            ].sort(),
        );
        assert.deepEqual(Object.keys(made.hosts), ["lb1", "lb2"]);
    });

    it("shows haproxy.cfg once at the pair, and keepalived.conf at each host", async () => {
        const { files } = await pairWith();
        assert.match(files(PAIR, "edge")[CFG] ?? "", /server web1 192\.0\.2\.21:8080 check/);
        assert.ok(!(KEEPALIVED in files(PAIR, "edge")));
        for (const [host, own, peer] of [
            ["edge-lb1", "192.0.2.1", "192.0.2.2"],
            ["edge-lb2", "192.0.2.2", "192.0.2.1"],
        ] as const) {
            const { [KEEPALIVED]: text = "", ...others } = files(HOST, host);
            assert.match(text, new RegExp(`unicast_src_ip ${own}\\n[\\s\\S]*unicast_peer \\{\\n\\s+${peer}\\n`));
            assert.ok(!(CFG in others));
        }
    });

    it("has a health page for its two hosts, which no client needs", async () => {
        const { files, made } = await pairWith();
        const text = files(PAIR, "edge")[CFG] ?? "";
        assert.match(text, /bind [^\n]*:8407\n/);
        assert.match(text, /src 127\.0\.0\.0\/8 192\.0\.2\.1 192\.0\.2\.2/);
        assert.deepEqual(await promiseOf(made.hosts.lb1?.ports as pulumi.Output<number[]>), [80]);
        assert.deepEqual(await promiseOf(made.hosts.lb1?.urls as pulumi.Output<string[]>), ["http://192.0.2.1"]);
    });

    it("has the service addresses, and URLs by them", async () => {
        const { made } = await pairWith();
        assert.deepEqual(made.addresses, ["192.0.2.100", "2001:db8::100"]);
        assert.deepEqual(await promiseOf(made.urls), ["http://192.0.2.100", "http://[2001:db8::100]"]);
        const elastic = await pairWith({ hosts: elasticHosts, pair: { failback: "never", elasticIp } });
        assert.deepEqual(elastic.made.addresses, []);
        assert.deepEqual(await promiseOf(elastic.made.urls), []);
    });

    it("starts keepalived after HAProxy, and opens a declared firewall to the other host before both", async () => {
        await pairWith({ firewall: { default: "drop", vrrp: ["198.51.100.9"] } });
        for (const [own, peer] of [
            ["192.0.2.1", "192.0.2.2"],
            ["192.0.2.2", "192.0.2.1"],
        ] as const) {
            const resources = runList(own);
            const position = (name: string) => {
                const found = resources.findIndex((line) => line.includes(name));
                assert.ok(found >= 0, `${name} in ${resources}`);
                return found;
            };
            const order = ["firewall[host]", "service[haproxy.service]", "transaction[keepalived]"].map(position);
            assert.deepEqual(
                order,
                [...order].sort((a, b) => a - b),
            );
            const rows = sent(own).match(/^(tcp\t8407|vrrp\t)\t[0-9.]+/gm) ?? [];
            assert.deepEqual(rows, [`tcp\t8407\t${peer}`, `vrrp\t\t${peer}`, "vrrp\t\t198.51.100.9"]);
        }
    });

    it("leaves the firewall alone if none is declared", async () => {
        await pairWith();
        assert.ok(!runList("192.0.2.1").some((line) => line.includes("firewall[")));
    });

    it("lets HAProxy listen on service addresses that the host does not have, only if it does", async () => {
        const model = (...addresses: string[]) => ({
            version: "2.6" as const,
            frontends: [
                { name: "http", binds: addresses.map((address) => ({ address, port: 80 })), defaultBackend: "web" },
            ],
            backends: [{ name: "web", servers: [{ name: "web1", address: "192.0.2.21", port: 80 }] }],
        });
        const nonlocal = (address: string) => /net\.ipv4\.ip_nonlocal_bind/.test(sent(address));
        await pairWith({ services: undefined, model: model("*") });
        assert.ok(!nonlocal("192.0.2.1"));
        for (const tuning of [undefined, true] as const) {
            asked.asked.length = 0;
            const customize: Args["customize"] = (config, host) => ({
                ...config,
                frontends: config.frontends.map((frontend) =>
                    frontend.name === "http"
                        ? {
                              ...frontend,
                              binds: [
                                  ...frontend.binds,
                                  { address: host === "edge-lb1" ? "192.0.2.1" : "192.0.2.2", port: 80 },
                              ],
                          }
                        : frontend,
                ),
            });
            await pairWith({ services: undefined, model: model("192.0.2.100"), customize, tuning });
            assert.ok(nonlocal("192.0.2.1"));
            assert.equal(runList("192.0.2.2").filter((line) => line.includes("sysctl[")).length, 1);
        }
    });

    it("counts the processes of keepalived if Datadog is declared", async () => {
        await pairWith({ datadog: { apiKey: pulumi.secret("0123456789abcdef0123456789abcdef") } });
        assertSent("192.0.2.1", /name: "keepalived"\n/);
    });

    it("warns of what only both hosts together show: two masters, and an address that nobody has", async () => {
        const warnings = async (roles: readonly ["MASTER" | "BACKUP", "all" | "none"][]) => {
            asked.giveEach(async ({ target }) => {
                const [role, holds] = roles[target.address === "192.0.2.1" ? 0 : 1] ?? assert.fail();
                return probeReply({ role: { role, holds } });
            });
            const { messages } = await pairWith({}, true);
            return messages.map(({ severity, text }) => `${severity}: ${text}`);
        };
        const backup = ["BACKUP", "none"] as const;
        const master = ["MASTER", "all"] as const;
        assert.deepEqual(await warnings([[...master], [...backup]]), []);
        const [both, ...others] = await warnings([[...master], [...master]]);
        assert.match(
            both ?? "",
            /^warn: edge: edge-lb1, edge-lb2: both are MASTER, so clients reach either of them; let VRRP /,
        );
        assert.deepEqual(others, []);
        const [nobody, ...more] = await warnings([[...backup], [...backup]]);
        assert.match(
            nobody ?? "",
            /: the service addresses 192\.0\.2\.100, 2001:db8::100 are on no host: edge-lb1 is BACKUP, edge-lb2 is BACKUP; /,
        );
        assert.deepEqual(more, []);
    });

    describe("takes Inputs:", () => {
        const unknown = () => pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;

        it("known values are plain data", async () => {
            const { files } = await pairWith({
                hosts: {
                    lb1: { ...at(pulumi.output("198.51.100.1")), address: Promise.resolve("192.0.2.1") },
                    lb2: at(pulumi.output("192.0.2.2")),
                },
            });
            assert.match(files(HOST, "edge-lb2")[KEEPALIVED] ?? "", /unicast_peer \{\n\s+192\.0\.2\.1\n/);
            assert.match(files(PAIR, "edge")[CFG] ?? "", /src 127\.0\.0\.0\/8 192\.0\.2\.1 192\.0\.2\.2/);
        });

        it("a password is secret, however it is given", async () => {
            for (const password of ["pl4nted", pulumi.secret("pl4nted"), pulumi.output("pl4nted")]) {
                asked.asked.length = 0;
                const { registrations, messages } = await pairWith({ pair: { ...pair, password } });
                const shown = JSON.stringify([registrations, messages]);
                assert.ok(!shown.includes("pl4nted"));
                assert.match(shown, /auth_pass ‹pair\.password›/);
                for (const address of ["192.0.2.1", "192.0.2.2"]) assertSent(address, /auth_pass pl4nted$/m);
            }
        });

        it("a preview shows what is not known yet by name, and an up knows it", async () => {
            const given = (value: (text: string) => pulumi.Input<string>) => ({
                hosts: {
                    lb1: {
                        ...hosts.lb1,
                        elastic: { networkInterfaceId: value("eni-01"), serviceAddress: value("192.0.2.51") },
                    },
                    lb2: { ...at(value("192.0.2.2")), elastic: elastic(2) },
                },
                pair: {
                    failback: "never" as const,
                    elasticIp: { allocationId: value("eipalloc-0a1b"), region: "eu-central-1" },
                },
                firewall: true as const,
            });
            const { registrations, messages } = await pairWith(given(unknown), true);
            assert.deepEqual(
                messages.map(({ severity, text }) => `${severity}: ${text}`),
                [
                    "info: edge: firewall: this preview has no rules for VRRP and the health page from lb2, whose address is not known yet; " +
                        "the up makes them",
                ],
            );
            assert.deepEqual((await pairWith({ ...given(unknown), firewall: undefined }, true)).messages, []);
            const shown = JSON.stringify(registrations.map(({ inputs }) => inputs.files));
            for (const name of ["allocation-id", "lb1.network-interface-id", "lb1.service-address", "lb2.address"])
                assert.ok(shown.includes(`‹pair.${name}›`), name);
            asked.asked.length = 0;
            const up = await pairWith(given((text) => pulumi.output(text)));
            assert.deepEqual(up.messages, []);
            assertSent("192.0.2.1", /^allocation=eipalloc-0a1b$/m);
            assertSent("192.0.2.1", /^vrrp\t\t192\.0\.2\.2\b/m);
        });

        for (const [title, names] of [
            ["long names that end alike", ["lb1", "lb2"].map((host) => `${host}.${"edge-".repeat(8)}a.example`)],
            ["names that differ in their case only", ["LB", "lb"]],
            ["a name that no slot can have", ["lb", "_"]],
        ] as const)
            it(`each host has slots of its own with ${title}`, async () => {
                const [first = "", second = ""] = names;
                const given = (n: number) => ({
                    ...at(pulumi.output(`192.0.2.${n}`)),
                    elastic: {
                        networkInterfaceId: pulumi.output(`eni-0${n}`),
                        serviceAddress: pulumi.output(`192.0.2.5${n}`),
                    },
                });
                await pairWith({
                    hosts: { [first]: given(1), [second]: given(2) },
                    pair: { failback: "never", elasticIp },
                });
                assertSent("192.0.2.1", /^service_address=192\.0\.2\.51$/m);
                assertSent("192.0.2.2", /^service_address=192\.0\.2\.52$/m);
            });

        it("refuses an address that is a secret if the firewall must let it in, and takes it otherwise", async () => {
            const secret = { hosts: { lb1: hosts.lb1, lb2: { ...hosts.lb2, address: pulumi.secret("192.0.2.2") } } };
            assert.deepEqual(await refusal({ ...secret, firewall: true }), [
                "hosts.lb2.address: it is a secret, so the firewall of the other host cannot let its adverts in; use pulumi.unsecret",
            ]);
            asked.asked.length = 0;
            const { registrations } = await pairWith(secret);
            const files = registrations.map(({ inputs }) => unsecret(inputs.files));
            assert.ok(JSON.stringify(files).includes("‹pair.lb2.address›"));
            assertSent("192.0.2.1", /unicast_peer \{\n\s+192\.0\.2\.2\n/);
        });
    });

    describe("refuses", () => {
        for (const [title, args, lines] of [
            ["no pair", { pair: undefined }, ["pair: expected an object, got nothing"]],
            [
                "one host",
                { hosts: { lb1: hosts.lb1 } },
                [
                    "hosts: pair: it has 1 host, lb1; declare the other one, too, even while it is down, or the one that replaces it",
                ],
            ],
            ["a roll", { roll: "allAtOnce" }, [/^unknown key "roll"; /]],
            [
                "a mistake in the services and one in the pair, in one error",
                {
                    services: [{ ...services[0], timeouts: { client: "5s" } }],
                    pair: { ...pair, standby: "lb3" },
                },
                [
                    /^services\[0\]\.timeouts\.client: /,
                    'pair.standby: standby: the pair has no host "lb3"; its hosts are lb1 and lb2',
                ],
            ],
            [
                "a password that keepalived would cut",
                { pair: { ...pair, password: "YourPassword" } },
                [/^pair\.password: password of the pair: it .*8/],
            ],
            [
                "a service that does not exist",
                { pair: { ...pair, check: { needs: ["shop"] } } },
                [/^pair\.check\.needs\S*: check\.needs: "shop" is neither a service nor a backend; use web$/],
            ],
            [
                "a host's name in place of its address",
                { hosts: { ...hosts, lb2: at("lb2.example.com") } },
                [/^hosts\.lb2\.address: host lb2: its address "lb2\.example\.com" is not an IPv4 address/],
            ],
        ] as [string, object, (string | RegExp)[]][])
            it(title, async () => {
                const found = await refusal(args);
                assert.equal(found.length, lines.length, found.join("\n"));
                lines.forEach((line, n) => {
                    const text = found[n] ?? "";
                    assert.ok(typeof line === "string" ? text === line : line.test(text), text);
                });
                assert.deepEqual(asked.asked, []);
            });

        it("two pairs of the program with one router id that not both have declared, and names both", async () => {
            const { messages } = await mockEngine();
            const addresses = (n: number) => ({ failback: "never", addresses: [`192.0.2.${n}/24`] }) as const;
            new LoadBalancerPair("edge", { hosts, services, pair: addresses(100) });
            const routerId = routerIdOf("edge");
            const others = { lb1: at("192.0.2.3"), lb2: at("192.0.2.4") };
            const problem = `pair edge has ${routerId}, too, so that on one network shop and edge may take each other for their peers`;
            assert.throws(
                () => new LoadBalancerPair("shop", { hosts: others, services, pair: { ...addresses(101), routerId } }),
                {
                    message:
                        `shop: 1 error in what is declared\n  pair.routerId: ${problem}; set pair.routerId of one of them to another ` +
                        "number from 1 to 255, or, on separate networks, declare it in both",
                },
            );
            await settled();
            assert.deepEqual(messages, []);
        });
    });

    it("refuses the elastic IP address of another pair once it is known, because both would take it for ever", async () => {
        await mockEngine();
        const others = (n: number) => ({
            lb1: {
                ...at(`192.0.2.${n}`),
                elastic: { networkInterfaceId: `eni-0${n}`, serviceAddress: `192.0.2.5${n}` },
            },
            lb2: {
                ...at(`192.0.2.${n + 1}`),
                elastic: { networkInterfaceId: `eni-0${n + 1}`, serviceAddress: `192.0.2.5${n + 1}` },
            },
        });
        const make = (name: string, n: number, allocationId: pulumi.Input<string>, region = elasticIp.region) =>
            new LoadBalancerPair(name, {
                hosts: others(n),
                services,
                pair: { failback: "never", elasticIp: { allocationId, region } },
            });
        const problem =
            "pair.elasticIp.allocationId: elasticIp: pair edge has eipalloc-0a1b, too, so that two MASTERs would take it from each other " +
            "for ever; give each pair its own";
        make("edge", 1, elasticIp.allocationId);
        make("far", 3, elasticIp.allocationId, "eu-west-1");
        make("other", 5, "eipalloc-0a1c");
        assert.throws(() => make("shop", 7, elasticIp.allocationId), {
            message: `shop: 1 error in what is declared\n  ${problem}`,
        });
        const late = await failuresOf(() => void make("late", 7, pulumi.output(elasticIp.allocationId)));
        assert.match(late.join("\n"), /late: 1 error in what is declared\n {2}pair\.elasticIp\.allocationId: /);
    });

    it("refuses another health page beside its own, which would be lost", async () => {
        for (const port of [9000, 8407]) {
            const customize: Args["customize"] = (config) => ({ ...config, health: { port, from: ["192.0.2.99"] } });
            assert.deepEqual(await refusal({ customize }), [
                `health: the page on port ${port} would be lost, because a pair has its own on port 8407, for its two hosts only; remove it ` +
                    "(check.port of the pair moves that one), and answer others by a frontend with monitor-uri",
            ]);
        }
    });

    it("warns of what another pair of the program has, too, because only its user knows their networks", async () => {
        const { messages } = await mockEngine();
        new LoadBalancerPair("edge", { hosts, services, pair: { ...pair, routerId: 51 } });
        const others = { lb1: at("192.0.2.3"), lb2: at("192.0.2.4") };
        new LoadBalancerPair("shop", {
            hosts: others,
            services,
            pair: { ...pair, addresses: ["192.0.2.100", "2001:DB8:0::100"], routerId: 51 },
        });
        await settled();
        const text = messages.map((message) => message.text).join("\n");
        assert.match(text, /pair edge has 51, too[\s\S]*service address 192\.0\.2\.100: pair edge has it, too/);
        assert.match(text, /service address 2001:DB8:0::100: pair edge has it, too/);
    });

    describe("with a check that needs a backend", () => {
        const needs = (name: string) => ({ ...pair, check: { needs: [name] } });

        it("may need one that is added for a host", async () => {
            const customize: Args["customize"] = (config) => ({
                ...config,
                backends: [...config.backends, { ...config.backends[0], name: "added" } as never],
            });
            const { messages } = await pairWith({ pair: needs("added"), customize, ignoreIssues: ["unused-backend"] });
            assert.deepEqual(messages, []);
        });

        it("is refused if the backend is taken away from a host", async () => {
            const customize: Args["customize"] = (config) => ({
                ...config,
                frontends: config.frontends.map((frontend) => ({ ...frontend, defaultBackend: "kept" })),
                backends: config.backends.map((backend) => ({ ...backend, name: "kept" })),
            });
            const found = await refusal({ pair: needs("web"), customize });
            assert.match(found.join("\n"), /check\.needs: "web" is neither a service nor a backend; use kept/);
        });
    });
});

import assert from "node:assert/strict";
import Module from "node:module";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { onlyDeclare } from "../../../components/convergence/declaredHosts";
import { type Ec2InventoryArgs, ec2Inventory } from "../../../components/search/ec2";
import { search, serversFor } from "../../../components/search/inventory";
import { matchesFilter } from "../../support/ec2Filters";
import { mockEngine, type Recording, registered, restoreLog, unsecret } from "../../support/mocks";

/** An instance as the tests describe it; ids, tags and addresses are what a search can see. */
interface Row {
    id: string;
    ip?: string;
    publicIp?: string;
    tags?: Record<string, string>;
    region?: string;
    state?: string;
}
type Inputs = Record<string, unknown>;

const GET_INSTANCES = "aws:ec2/getInstances:getInstances";
const GET_INSTANCE = "aws:ec2/getInstance:getInstance";
const GET_RESOURCES = "aws:resourcegroupstaggingapi/getResources:getResources";
const short = (token: string) => token.split(":").at(-1);

const row = (id: string, ip: string, runList = "shop::app", tags = {}): Row => ({
    id,
    ip,
    tags: { run_list: runList, environment: "prod", ...tags },
});
const rows = [
    row("i-2", "10.0.0.12", "base::linux, shop::app"),
    row("i-1", "10.0.0.11", "shop::app docs::app"),
    row("i-3", "10.0.0.9", "docs::app"),
    row("i-4", "10.0.0.14", "shop::application"),
    row("i-5", "10.0.0.15", "shop::app", { environment: "staging" }),
    { ...row("i-6", "10.0.0.16"), state: "stopped" },
];

describe("a search in EC2", () => {
    after(restoreLog);

    interface Provider {
        rows?: readonly Row[];
        /** Answers in place of the rows; undefined to go on with those. */
        answer?: (token: string, inputs: Inputs) => Inputs | undefined;
        preview?: boolean;
        config?: Record<string, string>;
    }
    interface Call {
        token: string | undefined;
        inputs: Inputs;
        provider?: string;
    }

    /** The functions of the provider for these instances, with every call of them. */
    async function provider({ rows: all = rows, answer, preview, config }: Provider = {}) {
        const calls: Call[] = [];
        const seen = { calls, most: 0, recording: undefined as unknown as Recording };
        let running = 0;
        seen.recording = await mockEngine({
            preview,
            config,
            async call(token, inputs, by) {
                calls.push({ token: short(token), inputs, ...(by !== "" && { provider: by }) });
                seen.most = Math.max(seen.most, ++running);
                await new Promise((resolve) => setTimeout(resolve, 1));
                running--;
                try {
                    return answer?.(token, inputs) ?? answerOf(token, inputs, all);
                } catch (error) {
                    // As gRPC has it.
                    throw Object.assign(error as Error, { details: (error as Error).message });
                }
            },
        });
        return seen;
    }

    function answerOf(token: string, inputs: Inputs, all: readonly Row[]): Inputs {
        const region = String(inputs.region ?? "eu-central-1");
        const here = all.filter((one) => (one.region ?? "eu-central-1") === region);
        switch (token) {
            case GET_INSTANCES: {
                const filters = inputs.filters as { name: string; values: string[] }[];
                const found = here.filter(
                    ({ tags = {}, state = "running" }) =>
                        (inputs.instanceStateNames as string[]).includes(state) &&
                        filters.every(({ name, values }) => {
                            const value = tags[name.replace(/^tag:/, "")];
                            return value !== undefined && values.some((each) => matchesFilter(each, value));
                        }),
                );
                // As the provider does it: an instance without an address is missing in the list.
                return {
                    id: region,
                    region,
                    ids: found.map(({ id }) => id),
                    privateIps: found.flatMap(({ ip }) => ip ?? []),
                    publicIps: found.flatMap(({ publicIp }) => publicIp ?? []),
                };
            }
            case GET_RESOURCES: {
                const arn = (id: string) => `arn:aws:ec2:${region}:123456789012:instance/${id}`;
                const lists = here.map(({ id, tags = {} }) => ({ resourceArn: arn(id), tags }));
                return { id: "aws", resourceTagMappingLists: lists };
            }
            case GET_INSTANCE: {
                const found = here.find(({ id }) => id === inputs.instanceId);
                return { id: found?.id, privateIp: found?.ip ?? "", publicIp: found?.publicIp ?? "" };
            }
            case "aws:index/getCallerIdentity:getCallerIdentity":
                return { id: "1", accountId: "123456789012" };
            default:
                assert.equal(token, "aws:index/getRegion:getRegion");
                return { id: region, region };
        }
    }

    const asked: Ec2InventoryArgs = { environment: "prod", tags: ["shop::app", "docs::app"] };
    const failureOf = async (args: Partial<Ec2InventoryArgs> = {}, opts?: pulumi.InvokeOptions) => {
        try {
            await ec2Inventory({ ...asked, ...args }, opts);
        } catch (error) {
            assert.ok(pulumi.RunError.isInstance(error), String(error));
            return error.message.split("\n");
        }
        return assert.fail("it succeeds");
    };

    it("asks once per tag for running instances of the environment, and makes one node of an instance with two tags", async () => {
        const { calls } = await provider();
        const inventory = await ec2Inventory(asked);
        assert.deepEqual(inventory, {
            nodes: [
                {
                    name: "ip-10-0-0-11",
                    address: "10.0.0.11",
                    environment: "prod",
                    runList: ["docs::app", "shop::app"],
                },
                { name: "ip-10-0-0-12", address: "10.0.0.12", environment: "prod", runList: ["shop::app"] },
                { name: "ip-10-0-0-9", address: "10.0.0.9", environment: "prod", runList: ["docs::app"] },
            ],
            source: "EC2 in eu-central-1 (running instances, by their tag run_list)",
        });
        const X = "docs::app";
        assert.deepEqual(calls[1], {
            token: "getInstances",
            inputs: {
                instanceStateNames: ["running"],
                filters: [
                    {
                        name: "tag:run_list",
                        values: [
                            X,
                            `*,${X}`,
                            `* ${X}`,
                            `${X},*`,
                            `*,${X},*`,
                            `* ${X},*`,
                            `${X} *`,
                            `*,${X} *`,
                            `* ${X} *`,
                        ],
                    },
                    { name: "tag:environment", values: ["prod"] },
                ],
            },
        });
        assert.deepEqual(
            calls.map(({ token }) => token),
            ["getInstances", "getInstances"],
        );
        const query = { environment: "prod", service: "shop", port: 8080 };
        assert.deepEqual(serversFor(inventory, query)[0], { name: "ip-10-0-0-11", address: "10.0.0.11", port: 8080 });
    });

    it("asks in a preview too, and once for a tag that is given twice", async () => {
        const { calls } = await provider({ preview: true });
        assert.equal((await ec2Inventory({ ...asked, tags: ["shop::app", "shop::app"] })).nodes.length, 2);
        assert.equal(calls.length, 1);
    });

    it("has the same result in whatever order AWS answers", async () => {
        await provider();
        const expected = await ec2Inventory(asked);
        await fc.assert(
            fc.asyncProperty(
                fc.shuffledSubarray(rows, { minLength: rows.length }),
                fc.shuffledSubarray([...asked.tags], { minLength: 2 }),
                async (shuffled, tags) => {
                    await provider({ rows: shuffled });
                    assert.deepEqual(await ec2Inventory({ ...asked, tags }), expected);
                },
            ),
            { numRuns: 20 },
        );
    });

    it("looks at another tag, and takes public addresses", async () => {
        const tags = { services: "shop::app", environment: "prod" };
        await provider({ rows: [{ id: "i-1", ip: "10.0.0.1", publicIp: "203.0.113.7", tags }] });
        const { nodes } = await ec2Inventory({ ...asked, tag: "services", address: "public" });
        assert.deepEqual([nodes[0]?.name, nodes[0]?.address], ["ip-203-0-113-7", "203.0.113.7"]);
    });

    it("refuses instances without an address by their count, since AWS does not say which they are", async () => {
        await provider({ rows: [...rows, { id: "i-7", tags: { run_list: "docs::app", environment: "prod" } }] });
        assert.deepEqual(await failureOf({ address: "public" }), [
            "EC2 in eu-central-1: 0 of 2 running instances with shop::app have a public address; give one to each, or search by private addresses",
            "EC2 in eu-central-1: 0 of 3 running instances with docs::app have a public address; give one to each, or search by private addresses",
        ]);
        assert.deepEqual(await failureOf(), [
            "EC2 in eu-central-1: 2 of 3 running instances with docs::app have a private address; " +
                "give an IPv4 address to each, which a subnet with IPv6 only does not",
        ]);
    });

    it("refuses two instances of one address, although their tags may differ", async () => {
        for (const runList of ["shop::app", "docs::app"]) {
            await provider({ rows: [row("i-1", "10.0.0.1"), row("i-2", "10.0.0.1", runList)] });
            assert.deepEqual(await failureOf(), [
                "EC2 in eu-central-1: 2 instances have only 1 different private addresses; " +
                    "if they are in several VPCs, tell them apart by the tag environment",
            ]);
        }
    });

    describe("of several facilities", () => {
        const regions = {
            near: { region: "eu-central-1" },
            far: { region: "us-east-1" },
        };

        it("gives nodes their facility, and asks each region with the provider of the program", async () => {
            const { calls, recording } = await provider({
                rows: [row("i-1", "10.0.0.1"), { ...row("i-2", "10.1.0.1"), region: "us-east-1" }],
            });
            const inventory = await ec2Inventory({ ...asked, tags: ["shop::app"], facilities: regions });
            assert.deepEqual(
                inventory.nodes.map(({ address, facility }) => [address, facility]),
                [
                    ["10.0.0.1", "near"],
                    ["10.1.0.1", "far"],
                ],
            );
            assert.equal(
                inventory.source,
                "EC2 of the facility near in eu-central-1 and EC2 of the facility far in us-east-1 (running instances, by their tag run_list)",
            );
            assert.deepEqual(
                calls.map(({ inputs }) => inputs.region),
                ["eu-central-1", "us-east-1"],
            );
            assert.deepEqual(recording.registrations, []);
            const query = { environment: "prod", service: "shop", port: 80, backupFacility: "far" };
            assert.deepEqual(
                serversFor(inventory, query).map(({ backup }) => backup),
                [undefined, true],
            );
        });

        it("tells those of one region apart by the tag facility", async () => {
            await provider({
                rows: [
                    row("i-1", "10.0.0.1", "shop::app", { facility: "a" }),
                    row("i-2", "10.0.0.2", "shop::app", { facility: "b" }),
                ],
            });
            const { nodes } = await ec2Inventory({
                ...asked,
                facilities: { a: { tagged: true }, b: { tagged: true } },
            });
            assert.deepEqual(
                nodes.map(({ name, facility }) => [name, facility]),
                [
                    ["ip-10-0-0-1", "a"],
                    ["ip-10-0-0-2", "b"],
                ],
            );
        });

        it("refuses an instance that is in two of them, because it may be a backup in one", async () => {
            const many = Array.from({ length: 12 }, (_, n) => row(`i-${n + 10}`, `10.0.0.${n + 1}`));
            await provider({ rows: many });
            assert.deepEqual(await failureOf({ facilities: { a: {}, b: {}, c: { region: "us-east-1" } } }), [
                "facilities a and b: both have i-10, i-11, i-12, i-13, i-14, i-15, i-16, i-17, i-18, i-19 and 2 more; " +
                    "give them different regions or accounts, or `tagged` and the instances the tag facility",
            ]);
        });

        it("refuses an address that is in two of them", async () => {
            await provider({ rows: [row("i-1", "10.0.0.1"), { ...row("i-2", "10.0.0.1"), region: "us-east-1" }] });
            assert.deepEqual(await failureOf({ facilities: regions }), [
                "address 10.0.0.1: an instance of far, an instance of near have it; " +
                    "HAProxy can reach only one of them, so search networks that do not overlap",
            ]);
        });

        it("gives a provider of its own to one with a role, a profile or an account, one for all searches", async () => {
            const { calls, recording } = await provider({ rows: [], config: { "aws:region": "eu-west-1" } });
            const facilities = {
                other: { role: "arn:aws:iam::222222222222:role/search", account: "222222222222" },
                third: { profile: "third", region: "eu-north-1" },
                own: {},
            };
            const parent = new pulumi.ComponentResource("test:index:Parent", "parent");
            for (const tags of [["shop::app"], ["docs::app"]])
                await ec2Inventory({ ...asked, tags, facilities }, { parent });
            const made = recording.registrations.filter(({ type }) => type.startsWith("pulumi:providers:"));
            assert.deepEqual(made.map(({ name }) => name).sort(), ["ec2-other", "ec2-third"]);
            const { inputs } = registered(recording, "pulumi:providers:aws", "ec2-other");
            const { region, assumeRoles, allowedAccountIds, profile } = unsecret(inputs) as Inputs;
            assert.deepEqual(
                [region, assumeRoles, allowedAccountIds, profile],
                ["eu-west-1", '[{"roleArn":"arn:aws:iam::222222222222:role/search"}]', '["222222222222"]', undefined],
            );
            const third = unsecret(registered(recording, "pulumi:providers:aws", "ec2-third").inputs) as Inputs;
            assert.deepEqual(
                [third.region, third.profile, third.assumeRoles, third.allowedAccountIds],
                ["eu-north-1", "third", undefined, undefined],
            );
            const by = calls.filter(({ token }) => token === "getInstances").map((call) => call.provider);
            const names = by.map((urn) => urn?.match(/::(ec2-\w+)::/)?.[1] ?? "the program's");
            assert.deepEqual([...new Set(names)].sort(), ["ec2-other", "ec2-third", "the program's"]);
            assert.equal(names.length, 6);
        });
    });

    describe("that reads tags", () => {
        const read = { name: "Name", port: "port", weight: "weight", facility: "zone" };
        const tags = (n: number) => ({ Name: `shop${n}`, port: `${8000 + n}`, weight: "50", zone: "a" });

        it("takes name, port, weight and facility from them, with one call per instance for its address", async () => {
            const { calls } = await provider({
                rows: [
                    row("i-1", "10.0.0.9", "shop::app", tags(1)),
                    row("i-2", "10.0.0.8", "shop::app docs::app", tags(2)),
                ],
            });
            const inventory = await ec2Inventory({ ...asked, read });
            assert.deepEqual(inventory.nodes, [
                {
                    name: "shop1",
                    address: "10.0.0.9",
                    port: 8001,
                    weight: 50,
                    facility: "a",
                    environment: "prod",
                    runList: ["shop::app"],
                },
                {
                    name: "shop2",
                    address: "10.0.0.8",
                    port: 8002,
                    weight: 50,
                    facility: "a",
                    environment: "prod",
                    runList: ["docs::app", "shop::app"],
                },
            ]);
            assert.deepEqual(
                calls.map(({ token }) => token),
                ["getInstances", "getInstances", "getResources", "getInstance", "getInstance"],
            );
            assert.deepEqual(calls[2]?.inputs, {
                resourceTypeFilters: ["ec2:instance"],
                tagFilters: [{ key: "environment", values: ["prod"] }, { key: "run_list" }],
            });
            assert.deepEqual(serversFor(inventory, { environment: "prod", service: "docs", port: 1 }), [
                { name: "shop2", address: "10.0.0.8", port: 8002, weight: 50 },
            ]);
        });

        it("makes at most 8 calls at once, for at most 200 instances", async () => {
            const many = (count: number) =>
                Array.from({ length: count }, (_, n) =>
                    row(`i-${n}`, `10.0.${n >> 8}.${n & 255}`, "shop::app", { port: "80" }),
                );
            const tags = ["shop::app"];
            const seen = await provider({ rows: many(200) });
            assert.equal((await ec2Inventory({ ...asked, tags, read: { port: "port" } })).nodes.length, 200);
            assert.deepEqual([seen.most, seen.calls.length], [8, 202]);
            const refused = await provider({ rows: many(201) });
            assert.match(
                (await failureOf({ read: { port: "port" } })).join("\n"),
                /^ec2Inventory: read: reading tags takes several calls for each of 201 instances, and is limited to 200; /,
            );
            assert.equal(refused.calls.length, 2);
        });

        it("refuses missing and bad values, all at once, before it asks for an address", async () => {
            const { calls } = await provider({
                rows: [
                    row("i-1", "10.0.0.1", "shop::app", { ...tags(1), port: "8080 ", weight: "257" }),
                    row("i-2", "10.0.0.2", "shop::app", { Name: "Shop 2", port: "8e3", zone: "a" }),
                    row("i-3", "10.0.0.3", "shop::app", { ...tags(3), port: "0" }),
                ],
            });
            const port = "expected a whole number from 1 to 65535; correct the tag, or leave out read.port";
            assert.deepEqual(await failureOf({ read }), [
                `instance i-1: its tag port has "8080 ", ${port}`,
                'instance i-1: its tag weight has "257", expected a whole number from 0 to 256; correct the tag, or leave out read.weight',
                'instance i-2: its tag Name has "Shop 2", expected 1 to 63 lower-case letters, digits, - and .; correct the tag, or leave out read.name',
                `instance i-2: its tag port has "8e3", ${port}`,
                "instance i-2: no tag weight, expected a whole number from 0 to 256; add the tag, or leave out read.weight",
                `instance i-3: its tag port has "0", ${port}`,
            ]);
            assert.equal(calls.filter(({ token }) => token === "getInstance").length, 0);
        });

        it("refuses an instance of which AWS lists no tags yet, two of one name, and a lost address", async () => {
            await provider({ answer: (token) => (token === GET_RESOURCES ? { id: "aws" } : undefined) });
            assert.equal(
                (await failureOf({ read }))[0],
                "instance i-1: AWS lists no tags of it yet; if it has been started just now, run again in a minute",
            );
            await provider({
                rows: [row("i-1", "10.0.0.1", "shop::app", tags(1)), row("i-2", "10.0.0.2", "shop::app", tags(1))],
            });
            assert.deepEqual(await failureOf({ read }), [
                "name shop1: i-1, i-2 have it; give each instance a name of its own, or leave out read.name",
            ]);
            await provider({
                rows: [row("i-1", "10.0.0.1", "shop::app", tags(1))],
                answer: (token) => (token === GET_INSTANCE ? { id: "i-1", privateIp: "" } : undefined),
            });
            assert.deepEqual(await failureOf({ read }), [
                "instance i-1: it has lost its address since it was found; run again",
            ]);
        });
    });

    describe("that fails", () => {
        const failing = (message: (inputs: Inputs) => string) => (token: string, inputs: Inputs) => {
            if (/getInstances|getResources|getInstance:/.test(token)) throw new Error(message(inputs));
            return undefined;
        };
        const api = (code: string, text: string, action = "DescribeInstances") =>
            `invocation of ${GET_INSTANCES} returned an error: invoking ${GET_INSTANCES}: 1 error occurred:\n\t* reading EC2 Instances: ` +
            `operation error EC2: ${action}, https response error StatusCode: 403, RequestID: 5d0f, api error ${code}: ${text}\n\n`;

        it("says which call, account and region it was, and what to do", async () => {
            const cases: [message: string, words: string][] = [
                [
                    api("UnauthorizedOperation", "You are not authorized to perform this operation."),
                    "DescribeInstances: UnauthorizedOperation (You are not authorized to perform this operation); " +
                        "allow ec2:DescribeInstances to the identity whose credentials the program uses",
                ],
                [
                    api(
                        "UnauthorizedOperation",
                        "You are not authorized to perform this operation. User: arn:aws:iam::1:user/ci is not authorized to perform: " +
                            "ec2:DescribeVolumes because no policy allows it. Encoded authorization failure message: AAAA_bbb-",
                        "DescribeVolumes",
                    ),
                    "DescribeVolumes: UnauthorizedOperation (You are not authorized to perform this operation. User: arn:aws:iam::1:user/ci " +
                        "is not authorized to perform: ec2:DescribeVolumes because no policy allows it); " +
                        "allow ec2:DescribeVolumes to the identity whose credentials the program uses",
                ],
                [
                    api("RequestLimitExceeded", "Request limit exceeded."),
                    "DescribeInstances: RequestLimitExceeded (Request limit exceeded); " +
                        "run again later, because all programs of an account share its limit of calls",
                ],
                [
                    api("RequestExpired", "Request has expired."),
                    "DescribeInstances: RequestExpired (Request has expired); " +
                        "get new credentials, for example with aws sso login, and check this machine's clock",
                ],
                [
                    api("AuthFailure", "AWS was not able to validate the provided access credentials"),
                    "DescribeInstances: AuthFailure (AWS was not able to validate the provided access credentials); " +
                        "correct the credentials, or enable the region in the account",
                ],
                [
                    "The configured AWS credentials are invalid or have expired.\nPlease see https://www.pulumi.com/registry/ for more information " +
                        "about providing credentials.\nNEW: You can use",
                    "The configured AWS credentials are invalid or have expired; " +
                        "get new credentials, for example with aws sso login, and check this machine's clock",
                ],
                [
                    "No valid credential sources found.\n",
                    "No valid credential sources found; give the program credentials: set AWS_PROFILE, or run aws sso login",
                ],
                [
                    "AWS account ID not allowed: 1",
                    "AWS account ID not allowed: 1; correct the account that is declared, or use credentials of it",
                ],
                ['The AWS profile "x" was not found.', 'The AWS profile "x" was not found; correct the profile'],
                [
                    "Cannot assume IAM Role. operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 1, " +
                        "api error AccessDenied: no",
                    "AssumeRole: AccessDenied (no); correct the role, allow sts:AssumeRole for it, and name the program's identity in its trust policy",
                ],
                ["invalid AWS Region: x", "invalid AWS Region: x; set or correct the region"],
                [
                    "dial tcp 127.0.0.1:1: connect: connection refused",
                    "dial tcp 127.0.0.1:1: connect: connection refused; check the region, the credentials and the network, then run again",
                ],
            ];
            for (const [message, words] of cases) {
                await provider({ answer: failing(() => message) });
                assert.deepEqual(await failureOf(), [
                    `EC2 in eu-central-1, account 123456789012: getInstances for shop::app, docs::app: ${words}`,
                ]);
            }
        });

        it("reports all places and calls at once, also if the account cannot be found out", async () => {
            const { calls } = await provider({
                answer: (token, inputs) => {
                    if (/getCallerIdentity|getRegion/.test(token)) throw new Error("no");
                    const text = JSON.stringify(inputs.filters);
                    if (inputs.region === "eu-west-3") return undefined;
                    throw new Error(
                        api(text.includes("docs::app") ? "Throttling" : "Unavailable", `in ${inputs.region}`),
                    );
                },
            });
            const facilities = { a: { region: "eu-west-1" }, b: { region: "eu-west-2" }, c: { region: "eu-west-3" } };
            const lines = await failureOf({ facilities });
            assert.deepEqual(
                lines.map((line) => line.split(" (")[0]),
                ["a in eu-west-1", "b in eu-west-2"].flatMap((place) => [
                    `EC2 of the facility ${place}, account unknown: getInstances for shop::app: DescribeInstances: Unavailable`,
                    `EC2 of the facility ${place}, account unknown: getInstances for docs::app: DescribeInstances: Throttling`,
                ]),
            );
            assert.equal(calls.filter(({ token }) => token === "getCallerIdentity").length, 2);
        });

        it("is no empty list either if the tags or one instance cannot be read", async () => {
            const read = { port: "port" };
            await provider({
                rows: [row("i-1", "10.0.0.1")],
                answer: (token) => {
                    if (token !== GET_RESOURCES) return undefined;
                    throw new Error(
                        "operation error Resource Groups Tagging API: GetResources, https response error StatusCode: 400, RequestID: a-b, " +
                            "AccessDeniedException: User is not authorized to perform: tag:GetResources",
                    );
                },
            });
            assert.deepEqual(await failureOf({ read }), [
                "EC2 in eu-central-1, account 123456789012: getResources for tags of instances: GetResources: AccessDeniedException " +
                    "(User is not authorized to perform: tag:GetResources); allow tag:GetResources to the identity whose credentials the program uses",
            ]);
            const many = Array.from({ length: 30 }, (_, n) =>
                row(`i-${n + 10}`, `10.0.0.${n}`, "shop::app", { port: "80" }),
            );
            const { calls } = await provider({
                rows: many,
                answer: (token) => {
                    if (token !== GET_INSTANCE) return undefined;
                    throw new Error(api("RequestLimitExceeded", "Request limit exceeded."));
                },
            });
            const [line = "", ...others] = await failureOf({ read });
            assert.match(line, /getInstance for i-10, i-11, .*: DescribeInstances: RequestLimitExceeded \(/);
            assert.deepEqual(others, []);
            // Those under way, and no more: each would be tried many times by the provider.
            assert.equal(calls.filter(({ token }) => token === "getInstance").length, 8);
        });

        it("says that a preview does not know the provider's settings", async () => {
            await provider({ preview: true, answer: (token) => (token === GET_INSTANCES ? {} : undefined) });
            assert.deepEqual(await failureOf(), [
                "EC2 in eu-central-1, account 123456789012: getInstances for shop::app, docs::app: " +
                    "the settings of the provider are known only after an up; give it plain values, or create with --target what they come from",
            ]);
        });

        it("lists 20 issues and says how many more there are", async () => {
            await provider({ rows: Array.from({ length: 30 }, (_, n) => row(`i-${n + 10}`, `10.0.0.${n}`)) });
            const lines = await failureOf({ read: { port: "port" } });
            assert.deepEqual([lines.length, lines.at(-1)], [21, "and 10 more like these"]);
        });
    });

    it("names account, region and tag in the error of a search for what has no instance", async () => {
        const { calls } = await provider();
        const inventory = await ec2Inventory({ ...asked, tags: ["shop::app", "none::app"] });
        assert.throws(() => search(inventory, { environment: "prod", service: "none" }), {
            message:
                "no node has the tag none::app in the environment prod of EC2 in eu-central-1, account 123456789012 " +
                "(running instances, by their tag run_list), which has environments prod, and in prod the tags shop::app; " +
                "add the tag to the run list of a node, or correct the search",
        });
        assert.deepEqual(
            calls
                .map(({ token }) => token)
                .slice(2)
                .sort(),
            ["getCallerIdentity", "getRegion"],
        );
    });

    it("asks nothing in a check, which gets a placeholder per tag and facility", async () => {
        const { calls, recording } = await provider();
        onlyDeclare("check");
        const facilities = { near: {}, far: { role: "arn:aws:iam::222222222222:role/search" } };
        const inventory = await ec2Inventory({ ...asked, facilities });
        assert.deepEqual(inventory.nodes[3], {
            name: "placeholder-4",
            address: "198.18.0.3",
            environment: "prod",
            runList: ["docs::app"],
            facility: "far",
        });
        const query = { environment: "prod", service: "shop", port: 80, backupFacility: "far" };
        assert.deepEqual(
            serversFor(inventory, query).map(({ backup }) => backup),
            [undefined, true],
        );
        assert.deepEqual([calls, recording.registrations], [[], []]);
        assert.deepEqual(recording.messages, [
            {
                severity: "warn",
                text: "AWS is not asked here, so each tag has a placeholder in place of its EC2 instances",
            },
        ]);
        // Facilities that only tags have are unknown, so that any name may be right.
        const tagged = await ec2Inventory({ ...asked, read: { facility: "zone" } });
        assert.equal(serversFor(tagged, query).length, 1);
    });

    it("needs no AWS package in a check, and else says which one is not installed", async () => {
        type Search = (name: string, ...rest: unknown[]) => unknown;
        const loader = Module as unknown as { _load: Search; _resolveFilename: Search };
        const load = loader._load;
        const nowhere = { id: "none", filename: "/none.js", paths: [] };
        loader._load = (name, ...rest) =>
            name.startsWith("@pulumi/aws") ? loader._resolveFilename(name, nowhere) : load.call(loader, name, ...rest);
        try {
            await provider();
            assert.deepEqual(await failureOf(), [
                "ec2Inventory: it needs the package @pulumi/aws, which is not installed; run npm install @pulumi/aws",
            ]);
            onlyDeclare("retire");
            assert.equal((await ec2Inventory(asked)).nodes.length, 2);
        } finally {
            loader._load = load;
        }
    });

    it("judges the form of what is asked", async () => {
        const cases: [object, RegExp][] = [
            [{ tags: [] }, /^ec2Inventory: tags: expected at least one tag, got an empty list$/],
            [{ tags: ["shop"] }, /^ec2Inventory: tags\[0\]: expected "<service>::<recipe>" in lower case/],
            [{ adress: "public" }, /unknown key "adress"; did you mean address\?$/],
            [{ facilities: {} }, /^ec2Inventory: facilities: expected at least one facility/],
            [
                { facilities: { a: { account: 222222222222 } } },
                /facilities\.a\.account: expected the number of an account, 12 digits as text/,
            ],
            [{ facilities: { A: {} } }, /^ec2Inventory: facilities\.A: expected 1 to 63 lower-case letters/],
            [{ read: { port: 80 } }, /^ec2Inventory: read\.port: expected text/],
            [{ environment: pulumi.output("prod") }, /^ec2Inventory: environment: an Output; /],
        ];
        for (const [args, words] of cases)
            await assert.rejects(ec2Inventory({ ...asked, ...args } as Ec2InventoryArgs), ({ message }: Error) => {
                assert.match(message, words);
                return true;
            });
    });
});

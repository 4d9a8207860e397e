// The stand-in for the aws plugin over gRPC, against the double of AWS: every type and function, and the provider's settings.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Aws, faults } from "../../lab/aws/aws";
import { pulumiInstall } from "../../toolchain/environment.mjs";
import { type Properties, unknown } from "../../toolchain/offline/provider/values";
import { startDouble } from "../support/double";
import { skip } from "../support/skip";
import { engineTests } from "./awsEngine";
import { awsTypes, type Expected, type World } from "./awsTypes";
import { Plugin } from "./plugin";

const reads = /^(Describe|Get|List)/;

describe("stand-in for the aws plugin", function () {
    this.timeout(60_000);
    const directory = mkdtempSync(join(tmpdir(), "aws-plugin-"));
    const lab = { HAPROXY_FLEET_LAB: "1", PULUMI_BACKEND_URL: `file://${directory}` };
    const plugin = new Plugin("aws");
    let aws: Aws;
    let world: World;

    before(async function () {
        if (pulumiInstall().full) return skip(this, "the real plugin is for real accounts");
        aws = await startDouble(this);
        world = { ...(await aws.network()), zone: await aws.hostedZone("example.com"), made: {} };
        await plugin.start({ ...aws.env, ...lab });
    });
    after(async () => {
        plugin.stop();
        await aws?.stop();
        rmSync(directory, { recursive: true, force: true });
    });

    /** Another plugin with these settings, for one piece of work. */
    async function withPlugin<T>(settings: Properties, work: (own: Plugin) => Promise<T>, env: NodeJS.ProcessEnv = {}) {
        const own = new Plugin("aws");
        try {
            await own.start({ ...aws.env, ...lab, ...env }, settings);
            return await work(own);
        } finally {
            own.stop();
        }
    }

    for (const entry of awsTypes) {
        describe(entry.type, () => {
            const name = entry.type.split(":")[1] ?? "";
            let inputs: Properties;
            let state: Properties;
            beforeEach(() => {
                plugin.type = `aws:${entry.type}`;
                aws.calls.reset();
            });
            async function diff(change: Properties, ignored: string[] = []) {
                const checked = await plugin.check(withoutNulls({ ...inputs, ...change }));
                return plugin.diff(state, checked.inputs, ignored);
            }
            const changes = () => aws.calls.all.map(({ action }) => action).filter((action) => !reads.test(action));

            it("refuses what is wrong", async () => {
                inputs = entry.inputs(world);
                for (const [change, reason] of entry.refused) {
                    const { failures } = await plugin.check(withoutNulls({ ...inputs, ...change }));
                    assert.match(failures.map(([, text]) => text).join("\n"), reason);
                }
            });

            it("is not made by a preview, which knows the inputs only", async () => {
                const { state: planned } = await plugin.create(inputs, true);
                assert.deepEqual(changes(), []);
                const outputs = Object.keys(entry.made(world)).filter((output) => output !== "id" && !inputs[output]);
                const known = outputs.filter((output) => planned[output] !== unknown);
                // The plugin fills these in.
                assert.deepEqual(
                    known.filter((o) => !defaults.includes(o)),
                    [],
                    JSON.stringify(planned),
                );
            });

            it("is made, and is the same when it is read", async () => {
                const made = await plugin.create(inputs);
                state = made.state;
                world.made[name] = state;
                matches(state, { id: made.id, ...entry.made(world) });
                assert.deepEqual(await plugin.read(state), state);
                assert.deepEqual(await diff({}), { changes: false, diffs: [], details: [], replaces: [] });
            });

            it("is replaced if what cannot be changed changes", async () => {
                for (const [property, value] of Object.entries(entry.replaced)) {
                    if (value === null) continue;
                    const gone = Object.entries(entry.replaced).filter(([, other]) => other === null);
                    const { replaces, details } = await diff({ ...Object.fromEntries(gone), [property]: value });
                    assert.ok(replaces.includes(property), `${property}: ${replaces.join()}, ${details.join()}`);
                    const paths = [property, ...gone.map(([other]) => other)];
                    const ignored = await diff({ ...Object.fromEntries(gone), [property]: value }, paths);
                    assert.deepEqual(ignored.details, [], `ignoreChanges of ${property}`);
                }
            });

            it("is changed in place by the calls that this takes", async () => {
                for (const [change, calls] of entry.changed ?? []) {
                    aws.calls.reset();
                    const title = JSON.stringify(change);
                    const found = await diff(change);
                    assert.deepEqual([found.changes, found.replaces], [true, []], title);
                    await plugin.update(state, withoutNulls({ ...inputs, ...change }), true);
                    assert.deepEqual(changes(), [], `the preview of ${title}`);
                    inputs = withoutNulls({ ...inputs, ...change });
                    state = await plugin.update(state, inputs);
                    assert.deepEqual(changes(), calls, title);
                    assert.deepEqual(await diff({}), { changes: false, diffs: [], details: [], replaces: [] }, title);
                    assert.deepEqual(await plugin.read(state), state, title);
                }
                world.made[name] = state;
            });

            if (!entry.drift) return;
            const [outside, differs] = entry.drift;
            it("shows what others change, and changes it back", async () => {
                await outside(aws, state);
                state = await plugin.read(state);
                const { details, replaces } = await diff({});
                assert.deepEqual([details, replaces], [[...differs].sort(), []]);
                state = await plugin.update(state, inputs);
                assert.deepEqual(await plugin.read(state), state);
                assert.equal((await diff({})).changes, false);
            });
        });
    }

    describe("what there is", () => {
        it("is of no other types and functions", async () => {
            plugin.type = "aws:s3/bucket:Bucket";
            await assert.rejects(
                plugin.create({}),
                /aws:s3\/bucket:Bucket: the stand-in for the aws plugin has aws:ec2\/.* only; install/,
            );
            await assert.rejects(plugin.invoke("aws:s3/getBucket:getBucket"), /s3\/getBucket.* only; install Pulumi/);
        });

        it("is seen as others have changed it", async () => {
            plugin.type = "aws:ec2/securityGroup:SecurityGroup";
            const group = await plugin.read(world.made.SecurityGroup ?? {});
            const [ingress] = group.ingress as Properties[];
            assert.deepEqual([ingress?.protocol, ingress?.fromPort, ingress?.toPort], ["tcp", 443, 443]);
            plugin.type = "aws:ec2/eip:Eip";
            const address = await plugin.read(world.made.Eip ?? {});
            assert.equal(address.networkInterface, world.made.NetworkInterface?.id);
            assert.equal(address.associationId, world.made.EipAssociation?.id);
        });

        it("is imported", async () => {
            plugin.type = "aws:ec2/instance:Instance";
            const state = await plugin.import(String(world.made.Instance?.id));
            assert.equal(state.privateIp, world.made.NetworkInterface?.privateIp);
        });
    });

    describe("functions", () => {
        const invoke = (token: string, args: Properties = {}) => plugin.invoke(`aws:${token}`, args);
        const failing = (token: string, args: Properties, words: RegExp) =>
            assert.rejects(invoke(token, args), ({ message }: Error) => {
                const begin = `Error: invoking aws:${token}: `;
                assert.ok(`Error: ${message}`.startsWith(begin), message);
                assert.match(message, words);
                return true;
            });
        let ids: string[];
        before(async () => {
            const made = { run_list: "shop::app", environment: "test" };
            ids = await aws.instances({ tags: made, count: 3, subnet: world.subnets[1] });
            await aws.instances({ tags: { ...made, environment: "other" } });
            await aws.instances({ tags: made, state: "stopped" });
        });
        beforeEach(() => aws.calls.reset());

        it("getInstances finds running instances by filters and tags, on all pages", async () => {
            const found = await invoke("ec2/getInstances:getInstances", {
                filters: [{ name: "tag:run_list", values: ["shop::app", "shop::app,*"] }],
                instanceTags: { environment: "test" },
            });
            assert.deepEqual([...(found.ids as string[])].sort(), [...ids].sort());
            assert.deepEqual([found.id, found.region], ["eu-central-1", "eu-central-1"]);
            const addresses = found.privateIps as string[];
            assert.deepEqual([addresses.length, addresses.every((address) => address.startsWith("10.0."))], [3, true]);
            assert.deepEqual([found.publicIps, found.ipv6Addresses], [[], []]);
            const stopped = await invoke("ec2/getInstances:getInstances", {
                instanceStateNames: ["stopped"],
                instanceTags: { environment: "test" },
            });
            assert.equal((stopped.ids as string[]).length, 1);
        });

        it("getInstances finds nothing without an error, also in another region", async () => {
            for (const args of [{ instanceTags: { run_list: "none" } }, { region: "eu-west-1" }] as Properties[]) {
                const found = await invoke("ec2/getInstances:getInstances", args);
                assert.deepEqual([found.ids, found.privateIps, found.publicIps], [[], [], []]);
                assert.equal(found.region, args.region ?? "eu-central-1");
            }
        });

        it("getInstance says everything of one", async () => {
            const own = world.made.Instance ?? {};
            const found = await invoke("ec2/getInstance:getInstance", { instanceId: own.id ?? "", getUserData: true });
            for (const output of ["arn", "availabilityZone", "privateIp", "publicIp", "subnetId", "tags"]) {
                assert.deepEqual(found[output], own[output], output);
            }
            assert.equal(Buffer.from(String(found.userData), "base64").toString(), "#cloud-config\n");
            const [root] = found.rootBlockDevices as Properties[];
            assert.deepEqual([root?.volumeSize, root?.volumeType, root?.encrypted], [30, "gp3", true]);
            const byTag = await invoke("ec2/getInstance:getInstance", { instanceTags: { Name: "edge-lb1" } });
            assert.equal(byTag.id, own.id);
        });

        it("getInstance, getSubnet and getAmi need one result", async () => {
            const [instance, subnet] = ["ec2/getInstance:getInstance", "ec2/getSubnet:getSubnet"];
            await failing(instance, { instanceId: "i-0123456789abcdef0" }, /\* no matching EC2 Instance found/);
            await failing(instance, { instanceTags: { environment: "test" } }, /\* multiple EC2 Instances matched;/);
            await failing(subnet, { id: "subnet-0123456789abcdef0" }, /\* no matching EC2 Subnet found/);
            await failing(subnet, { vpcId: world.vpc }, /\* multiple EC2 Subnets matched;/);
            const ami = "ec2/getAmi:getAmi";
            const ubuntu = { owners: ["099720109477"], filters: [{ name: "name", values: ["ubuntu/*24.04-amd64*"] }] };
            await failing(ami, ubuntu, /\* Your query returned more than one result\./);
            await failing(ami, { ...ubuntu, nameRegex: "^none" }, /\* Your query returned no results\./);
            await failing(ami, { mostRecent: true }, /\* Most Recent Image Not Filtered/);
        });

        it("getSubnet says the zone, and getAmi the newest image of its owner", async () => {
            const subnet = await invoke("ec2/getSubnet:getSubnet", { id: world.subnets[1] });
            assert.deepEqual([subnet.availabilityZone, subnet.cidrBlock], ["eu-central-1b", "10.0.128.0/17"]);
            const args = {
                owners: ["099720109477"],
                mostRecent: true,
                filters: [
                    { name: "name", values: ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"] },
                    { name: "architecture", values: ["x86_64"] },
                ],
            };
            const image = await invoke("ec2/getAmi:getAmi", args);
            assert.equal(image.arn, `arn:aws:ec2:eu-central-1::image/${image.id}`);
            assert.equal(image.ownerId, "099720109477");
            const others = await aws.query("ec2", "DescribeImages", {
                "Owner.1": "099720109477",
                "Filter.1.Name": "name",
                "Filter.1.Value.1": args.filters[0]?.values[0] ?? "",
            });
            const dates = [...others.matchAll(/<creationDate>([^<]+)</g)].map(([, date]) => date);
            assert.ok(dates.length > 1);
            assert.equal(image.creationDate, dates.sort().at(-1));
        });

        it("getResources finds tags on all pages, getCallerIdentity the account, getRegion the region", async () => {
            const { resourceTagMappingLists: list } = await invoke(
                "resourcegroupstaggingapi/getResources:getResources",
                { resourceTypeFilters: ["ec2:instance"], tagFilters: [{ key: "environment", values: ["test"] }] },
            );
            const found = list as { resourceArn: string; tags: Properties }[];
            assert.equal(found.length, 4);
            assert.ok(found.every(({ tags }) => tags.run_list === "shop::app"));
            const { accountId, arn } = await invoke("index/getCallerIdentity:getCallerIdentity");
            assert.deepEqual([accountId, String(arn).split(":")[4]], ["123456789012", "123456789012"]);
            for (const region of ["eu-central-1", "eu-west-1"]) {
                const args: Properties = region === "eu-west-1" ? { region } : {};
                assert.equal((await invoke("index/getRegion:getRegion", args)).region, region);
            }
        });

        it("say in the real plugin's words what AWS answers, and what is wrong with arguments", async () => {
            const token = "ec2/getInstances:getInstances";
            const fault = { ...faults.unauthorized, times: 1 };
            aws.fail("DescribeInstances", fault);
            await failing(
                token,
                {},
                /1 error occurred:\n\t\* reading EC2 Instances: operation error EC2: DescribeInstances, https response error StatusCode: 403, RequestID: [^,]*, api error UnauthorizedOperation: /,
            );
            await failing(token, { filters: [{ name: "tag:a" }] }, /missing required property 'values'/);
            await failing(token, { ids: [] }, /'ids': this stand-in does not have it/);
        });
    });

    describe("settings", () => {
        const identity = (own: Plugin) => own.invoke("aws:index/getCallerIdentity:getCallerIdentity");
        const role = "arn:aws:iam::222222222222:role/search";
        const ends: (() => void)[] = [];
        afterEach(() => {
            for (const end of ends.splice(0)) end();
        });

        it("let it try as often as maxRetries says, and as the SDK does otherwise", async () => {
            ends.push(aws.fail("DescribeInstances", faults.throttled));
            const search = (own: Plugin) => own.invoke("aws:ec2/getInstances:getInstances");
            const words = /exceeded maximum number of attempts, (\d), .* api error RequestLimitExceeded: /;
            for (const [settings, attempts] of [
                [{ maxRetries: 1 }, 1],
                [{}, 3],
            ] as const) {
                aws.calls.reset();
                await assert.rejects(withPlugin(settings, search), words);
                assert.equal(aws.calls.count("DescribeInstances"), attempts);
            }
        });

        it("let it act in another region, as a role of another account, with tags for everything", async () => {
            const settings = {
                region: "eu-west-1",
                assumeRoles: [{ roleArn: role }],
                defaultTags: { tags: { team: "edge" } },
            };
            await withPlugin({ ...settings, allowedAccountIds: ["222222222222"] }, async (own) => {
                assert.equal((await identity(own)).accountId, "222222222222");
                own.type = "aws:ec2/eip:Eip";
                const { state } = await own.create({ tags: { Name: "a" } });
                assert.match(String(state.arn), /^arn:aws:ec2:eu-west-1:222222222222:elastic-ip\/eipalloc-/);
                assert.deepEqual([state.tags, state.tagsAll], [{ Name: "a" }, { Name: "a", team: "edge" }]);
                assert.equal((await own.diff(state, { tags: { Name: "a" } })).changes, false);
                // Without the role and the tags of the provider, both differ.
                plugin.type = own.type;
                const elsewhere = await plugin.diff(state, { tags: { Name: "a" } });
                assert.deepEqual([elsewhere.details, elsewhere.replaces], [["region", "tagsAll.team"], ["region"]]);
                await own.delete(state);
            });
        });

        it("refuse an account, a profile that is not there, and credentials that have expired", async () => {
            const allowed = { allowedAccountIds: ["222222222222"] };
            await assert.rejects(withPlugin(allowed, identity), /AWS account ID not allowed: 123456789012$/);
            await assert.rejects(
                withPlugin({ forbiddenAccountIds: ["123456789012"] }, identity),
                /AWS account ID not allowed: 123456789012$/,
            );
            ends.push(aws.fail("GetCallerIdentity", { ...faults.tokenExpired, times: 1 }));
            await assert.rejects(withPlugin({}, identity), /AWS credentials are invalid or have expired/);
            const credentials = join(directory, "credentials");
            writeFileSync(credentials, "[edge]\naws_access_key_id = AKIDEDGE\naws_secret_access_key = none\n");
            const env = {
                AWS_SHARED_CREDENTIALS_FILE: credentials,
                AWS_ACCESS_KEY_ID: undefined,
                AWS_SECRET_ACCESS_KEY: undefined,
                AWS_EC2_METADATA_DISABLED: "true",
            };
            assert.equal((await withPlugin({ profile: "edge" }, identity, env)).accountId, "123456789012");
            await assert.rejects(withPlugin({ profile: "none" }, identity, env), /unable to validate AWS credentials/);
        });

        it("ask nothing first if they say so, and are refused if this plugin does not have them", async () => {
            aws.calls.reset();
            const skips = { skipCredentialsValidation: true, skipRequestingAccountId: true };
            await withPlugin({ ...skips, endpoints: [{ ec2: aws.url }] }, (own) =>
                own.invoke("aws:ec2/getInstances:getInstances"),
            );
            assert.deepEqual(Object.keys(aws.calls.table()), ["ec2.DescribeInstances"]);
            await assert.rejects(withPlugin({ useFipsEndpoint: true }, identity), /does not have the setting useFips/);
        });
    });

    engineTests(() => aws);

    describe("what is gone", () => {
        for (const { type, vanish } of [...awsTypes].reverse()) {
            it(`is found to be gone, and deleted without an error: ${type}`, async () => {
                plugin.type = `aws:${type}`;
                const state = world.made[type.split(":")[1] ?? ""] ?? {};
                await vanish(aws, state);
                assert.deepEqual(await plugin.read(state), {});
                await plugin.delete(state);
            });
        }
    });
});

/** Outputs that are inputs with a default. */
const defaults = ["maxSessionDuration", "path", "sourceDestCheck"];

const withoutNulls = (inputs: Properties): Properties =>
    Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null));

function matches(state: Properties, expected: Expected): void {
    for (const [name, value] of Object.entries(expected)) {
        if (value instanceof RegExp) assert.match(String(state[name]), value, name);
        else assert.deepEqual(state[name], value, name);
    }
}

// The search in EC2 under the real CLI: a provider that really calls, against a simulated AWS with 1,200 instances.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Aws, faults } from "../../lab/aws/aws";
import { repo } from "../../toolchain/environment.mjs";
import { startDouble } from "../support/double";
import { Project } from "./project";

const index = JSON.stringify(join(repo, "components/index"));

/** What a search of the program gives. */
interface Found {
    nodes?: { name: string; address: string; facility?: string; port?: number; weight?: number; runList: string[] }[];
    source?: string;
    error?: string;
}

describe("search in EC2", () => {
    const project = new Project();
    const results = join(project.directory, "results.json");
    let aws: Aws;

    before(async function () {
        aws = await startDouble(this);
        await project.succeed("stack", "init", "dev");
        const tags = (run_list: string, more = {}) => ({ run_list, environment: "prod", ...more });
        const { subnets } = await aws.network({ cidr: "10.9.0.0/16" });
        await aws.instances({ tags: tags("base::linux, shop::app"), count: 900, subnet: subnets[0] });
        await aws.instances({ tags: tags("shop::app docs::app"), count: 300, subnet: subnets[1] });
        // Not to be found.
        await aws.instances({ tags: tags("shop::application,my-shop::app,shop::ap"), count: 3 });
        await aws.instances({ tags: tags("shop::app"), state: "stopped" });
        await aws.instances({ tags: { ...tags("shop::app"), environment: "production" } });

        const west = { region: "us-west-2" };
        await aws.instances({ tags: tags("shop::app", { Name: "web1", port: "8081", weight: "20" }) }, west);
        const { subnets: hidden } = await aws.network({ cidr: "10.8.0.0/16", ...west });
        const further = { Name: "web2", port: "8082", weight: "10" };
        await aws.instances({ tags: tags("shop::app", further), subnet: hidden[0], address: "10.8.0.10" }, west);
        await aws.instances({ tags: tags("docs::app"), subnet: hidden[0], address: "10.8.0.11" }, west);
        const other = { account: "222222222222", region: "eu-west-1" };
        const { subnets: others } = await aws.network({ cidr: "10.7.0.0/16", ...other });
        await aws.instances({ tags: tags("shop::app"), subnet: others[0], address: "10.7.0.10" }, other);
    });
    after(async () => {
        await aws?.stop();
        project.remove();
    });
    beforeEach(() => aws.calls.reset());

    const run = (...args: string[]) =>
        project.run([...args, "--color=never"], { env: { ...aws.env, HAPROXY_FLEET_LAB: "1" } });

    /** Makes searches in a preview, one after the other. */
    async function searched<Name extends string>(searches: Record<Name, object>): Promise<Record<Name, Found>> {
        project.program(`
            import { writeFileSync } from "node:fs";
            import { Provider } from "@pulumi/aws/provider";
            import { PrivateKey } from "@pulumi/tls";
            import { search } from ${index};
            export = async () => {
                const key = new PrivateKey("key", { algorithm: "ED25519" });
                const unknown = new Provider("unknown", { region: "us-west-2", profile: key.id });
                const results: any = {};
                for (const [name, { isUnknown, ...args }] of Object.entries<any>(${JSON.stringify(searches)})) {
                    results[name] = await search
                        .ec2Inventory({ environment: "prod", ...args }, isUnknown ? { provider: unknown } : {})
                        .catch((error: Error) => ({ error: error.message }));
                }
                writeFileSync(${JSON.stringify(results)}, JSON.stringify(results));
            };`);
        const { code, stdout, stderr } = await run("preview");
        assert.equal(code, 0, stdout + stderr);
        // A failed call is reported by the search only.
        assert.doesNotMatch(stdout + stderr, /error:/);
        return JSON.parse(readFileSync(results, "utf8"));
    }

    it("finds 1,200 instances over several pages, in 3 calls", async function () {
        this.timeout(120_000);
        const { all } = await searched({ all: { tags: ["shop::app", "docs::app"] } });
        assert.equal(all.source, "EC2 in eu-central-1 (running instances, by their tag run_list)");
        const nodes = all.nodes ?? [];
        // Nothing else is in these subnets.
        const [some, both] = [/^10\.9\.(\d|[1-9]\d|1[01]\d|12[0-7])\./, /^10\.9\.(12[89]|1[3-9]\d|2\d\d)\./];
        const within = (subnet: RegExp) => nodes.filter(({ address }) => subnet.test(address));
        assert.deepEqual([nodes.length, within(some).length, within(both).length], [1200, 900, 300]);
        for (const { runList } of within(some)) assert.deepEqual(runList, ["shop::app"]);
        for (const { runList } of within(both)) assert.deepEqual(runList, ["docs::app", "shop::app"]);
        const names = nodes.map(({ name }) => name);
        assert.deepEqual(names, [...new Set(names)].sort());
        assert.deepEqual(
            names,
            nodes.map(({ address }) => `ip-${address.replaceAll(".", "-")}`),
        );
        // Two pages for one tag, one for the other; who asks is only checked once, by the provider.
        assert.equal(aws.calls.count("DescribeInstances"), 3);
        const others = Object.keys(aws.calls.table()).filter(
            (name) => !/DescribeInstances|GetCallerIdentity/.test(name),
        );
        assert.deepEqual(others, []);
    });

    it("follows regions, accounts, addresses and tags, and says what AWS refuses", async function () {
        this.timeout(120_000);
        const west = { facilities: { west: { region: "us-west-2" } }, tags: ["shop::app"] };
        const ends = [
            aws.fail("DescribeInstances", { ...faults.throttled, times: 3 }),
            aws.fail("DescribeInstances", { ...faults.expired, times: 1 }),
            aws.fail("DescribeInstances", { ...faults.unauthorized, times: 1 }),
            aws.fail("DescribeInstances", { ...faults.unavailable, page: 2, times: 3 }),
            // The SDK tries three times.
            aws.fail("GetResources", { ...faults.throttling, times: 2 }),
        ];
        const read = { name: "Name", port: "port", weight: "weight" };
        const found = await searched({
            // Each meets the next fault.
            throttled: west,
            expired: west,
            unauthorized: west,
            page: { tags: ["shop::app"] },
            read: { ...west, read },
            lostTag: { ...west, tags: ["docs::app"], read },
            public: { ...west, address: "public" },
            regions: {
                tags: ["docs::app"],
                facilities: { near: { region: "eu-central-1" }, far: { region: "us-west-2" } },
            },
            account: {
                tags: ["shop::app"],
                facilities: {
                    other: {
                        role: "arn:aws:iam::222222222222:role/search",
                        account: "222222222222",
                        region: "eu-west-1",
                    },
                },
            },
            nothing: { tags: ["none::app"] },
            unknown: { tags: ["shop::app"], isUnknown: true },
        });
        for (const end of ends) end();
        const brief = ({ nodes = [], error }: Found) =>
            error ??
            nodes.map(({ name, address, facility, port, weight }) => ({ name, address, facility, port, weight }));

        const where =
            "EC2 of the facility west in us-west-2, account 123456789012: getInstances for shop::app: DescribeInstances: ";
        assert.equal(
            found.throttled.error,
            `${where}RequestLimitExceeded (Request limit exceeded); run again later, because all programs of an account share its limit of calls`,
        );
        assert.equal(
            found.expired.error,
            `${where}RequestExpired (Request has expired); get new credentials, for example with aws sso login, and check this machine's clock`,
        );
        assert.equal(
            found.unauthorized.error,
            `${where}UnauthorizedOperation (You are not authorized to perform this operation); ` +
                "allow ec2:DescribeInstances to the identity whose credentials the program uses",
        );
        // Not the thousand instances of the first page.
        assert.equal(
            found.page.error,
            "EC2 in eu-central-1, account 123456789012: getInstances for shop::app: DescribeInstances: " +
                "Unavailable (The service is unavailable. Please try again shortly); check the region, the credentials and the network, then run again",
        );
        assert.deepEqual(
            found.read.nodes?.map(({ name, port, weight }) => [name, port, weight]),
            [
                ["web1", 8081, 20],
                ["web2", 8082, 10],
            ],
        );
        assert.equal(found.read.nodes?.[1]?.address, "10.8.0.10");
        assert.match(
            found.lostTag.error ?? "",
            /^instance i-\w+: no tag Name, .*\ninstance i-\w+: no tag port, expected a whole number .*\ninstance i-\w+: no tag weight, /,
        );
        assert.equal(
            found.public.error,
            "EC2 of the facility west in us-west-2: 1 of 2 running instances with shop::app have a public address; " +
                "give one to each, or search by private addresses",
        );
        const facilities = found.regions.nodes?.map(({ facility }) => facility) ?? [];
        assert.deepEqual(
            [facilities.length, facilities.indexOf("far"), facilities.lastIndexOf("far")],
            [301, 0, 0],
            found.regions.error,
        );
        assert.deepEqual(brief(found.account), [
            { name: "ip-10-7-0-10", address: "10.7.0.10", facility: "other", port: undefined, weight: undefined },
        ]);
        assert.deepEqual(
            [found.nothing.nodes, found.nothing.source],
            [[], "EC2 in eu-central-1, account 123456789012 (running instances, by their tag run_list)"],
        );
        assert.equal(
            found.unknown.error,
            "EC2 in an unknown region, account unknown: getInstances for shop::app: the settings of the provider are known only after an up; " +
                "give it plain values, or create with --target what they come from",
        );
    });

    /** An up of load balancers with the servers that a search finds; it fails. */
    async function failedUp(facilities: object): Promise<string> {
        project.program(`
            import { LoadBalancerFleet, search } from ${index};
            export = async () => {
                const query = { environment: "prod", service: "docs", port: 80 };
                const facilities = ${JSON.stringify(facilities)};
                const inventory = await search.ec2Inventory({ environment: "prod", tags: ["docs::app"], facilities });
                const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
                new LoadBalancerFleet("edge", {
                    hosts: { lb1: { connection: { address: "192.0.2.1", hostKey } } },
                    services: [{ name: "docs", default: true, port: 80, servers: search.serversFor(inventory, query) }],
                });
            };`);
        const { code, stdout, stderr } = await run("up", "--yes", "--skip-preview");
        const text = stdout + stderr;
        assert.notEqual(code, 0, text);
        assert.doesNotMatch(text, /\bat .*\.[jt]s:\d+/);
        assert.doesNotMatch(project.stateText(), /LoadBalancerFleet|command:remote/);
        const [, diagnostics = ""] = text.split("Diagnostics:");
        return diagnostics;
    }

    it("stops an up before a host is registered, in words of its own", async function () {
        this.timeout(120_000);
        const end = aws.fail("DescribeInstances", faults.unauthorized);
        const text = await failedUp({ west: { region: "us-west-2" }, near: { region: "eu-central-1" } });
        end();
        for (const place of ["west in us-west-2", "near in eu-central-1"]) {
            const line =
                `EC2 of the facility ${place}, account 123456789012: getInstances for docs::app: DescribeInstances: UnauthorizedOperation (You are ` +
                "not authorized to perform this operation); allow ec2:DescribeInstances to the identity whose credentials the program uses\n";
            assert.equal(text.split(line).length, 2, text);
        }
    });

    it("stops an up if the credentials have expired, or are of another account", async function () {
        this.timeout(120_000);
        const end = aws.fail("*", faults.tokenExpired);
        const expired = await failedUp({ west: { region: "us-west-2" } });
        end();
        // Credentials that have expired from the start are refused by the provider, before it can be asked.
        assert.match(
            expired,
            /aws resource 'default_\S+' has a problem: The configured AWS credentials are invalid or have expired/,
        );
        const other = await failedUp({ third: { account: "333333333333", region: "eu-west-1" } });
        assert.match(other, /aws resource 'ec2-third' has a problem: AWS account ID not allowed: 123456789012\n/);
    });
});

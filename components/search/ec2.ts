/** Nodes among the instances of EC2: the only file of this folder that asks a provider. */
import * as pulumi from "@pulumi/pulumi";
import pLimit from "p-limit";
import { z } from "zod";
import { onlyDeclared } from "../convergence/declaredHosts";
import { perProgram } from "../convergence/perProgram";
import { assertForm, formOf } from "../forms";
import { optionalPackage } from "../optionalPackage";
import { type Call, failureLines } from "./ec2Failures";
import {
    answerIssues,
    type Found,
    type Instance,
    instancesByAddress,
    instancesById,
    listedIssues,
    nodesOf,
    readTags,
} from "./ec2Nodes";
import { type Ec2Facility, type Ec2Search, type Ec2TagKeys, ec2SearchShape } from "./ec2Search";
import { type Inventory, placeholderNode } from "./inventory";
import { name, runListEntry } from "./nodeSchema";
import { literalFilter, runListPatterns } from "./runListFilter";

/** What to look for, and where. */
export interface Ec2InventoryArgs extends Ec2Search {
    /** Environment of the nodes: the value of their tag `environment`. */
    readonly environment: string;
    /** Entries of run lists, such as `shop::app`. The inventory has the nodes with at least one of them. */
    readonly tags: readonly string[];
}

const argsForm = formOf<Ec2InventoryArgs>()(
    z.strictObject({
        ...ec2SearchShape,
        environment: name,
        tags: z.array(runListEntry).min(1, { message: "expected at least one tag" }),
    }),
);

/** Calls at once; all programs of an account share its limit of calls. */
const CALLS_AT_ONCE = 8;
/** Instances whose tags may be read: the provider makes several calls for each. */
const READ_AT_MOST = 200;

/** A region of an account, as it is asked. */
interface Place {
    /** Its name, unless the search has no facilities. */
    readonly facility?: string;
    readonly declared: Ec2Facility;
    readonly options: pulumi.InvokeOptions;
}

/**
 * The running instances of EC2 with certain tags, as an inventory to search. Await it before anything is registered, because what is
 * found decides which servers exist. A preview asks, too. A check and `haproxy-fleet retire` get a placeholder per tag instead.
 *
 * @param opts Its provider is asked, unless a facility has a role, a profile or an account: such a facility gets a provider of its own.
 * @throws {Error} With each call that has failed, or each instance without an address or a tag, one per line. That a tag has no instance
 * is an error of the search in the inventory.
 * @example
 * ```typescript
 * import { search } from "haproxy-fleet";
 *
 * export = async () => {
 *     const inventory = await search.ec2Inventory({ environment: "prod", tags: ["shop::app"] });
 *     return { servers: search.serversFor(inventory, { environment: "prod", service: "shop", port: 8080 }) };
 * };
 * ```
 */
export async function ec2Inventory(args: Ec2InventoryArgs, opts: pulumi.InvokeOptions = {}): Promise<Inventory> {
    assertForm(argsForm, args, "ec2Inventory");
    if (onlyDeclared() !== undefined) {
        return placeholders(args);
    }
    const calls = new Calls();
    const places = placesOf(args, opts);
    const tags = [...new Set(args.tags)];
    const found = await calls.all(places.flatMap((place) => tags.map((tag) => findInstances(args, place, tag, calls))));
    throwIssues(answerIssues(found, args.address ?? "private"));
    const instances = args.read
        ? await readInstances(args, args.read, found, places, calls)
        : instancesByAddress(found);
    const { issues, value: nodes } = nodesOf(instances, args.environment);
    throwIssues(issues);
    const isFound = (tag: string) => nodes.some(({ runList }) => runList.includes(tag));
    return { nodes, source: await sourceOf(args, places, found, tags.every(isFound)) };
}

/** All instances with one tag in one place: one call of the provider, which gets all pages. */
async function findInstances(args: Ec2InventoryArgs, place: Place, entry: string, calls: Calls): Promise<Found> {
    const { tag = "run_list", environment, address } = args;
    const { facility, declared, options } = place;
    // Far fewer values than the 200 that AWS accepts in a request.
    const filters = [
        { name: `tag:${tag}`, values: runListPatterns(entry) },
        { name: "tag:environment", values: [literalFilter(environment)] },
        ...(facility && declared.tagged ? [{ name: "tag:facility", values: [literalFilter(facility)] }] : []),
    ];
    const asked = { region: declared.region, instanceStateNames: ["running"], filters };
    const call = { place, name: "getInstances", subject: entry, permission: "ec2:DescribeInstances" };
    const answer = await calls.ask(call, ({ getInstances }) => getInstances(asked, options));
    const { ids = [], privateIps = [], publicIps = [], region } = answer;
    const where = whereWords(facility, { region: region ?? declared.region });
    return { where, facility, tag: entry, ids, addresses: address === "public" ? publicIps : privateIps };
}

/** The instances with what their tags say: one call for the tags of a place, and one for the address of each instance. */
async function readInstances(
    { environment, tag = "run_list", address }: Ec2InventoryArgs,
    keys: Ec2TagKeys,
    found: readonly Found[],
    places: readonly Place[],
    calls: Calls,
): Promise<Instance[]> {
    const byId = instancesById(found);
    if (byId.length > READ_AT_MOST) {
        const most = `reading tags takes several calls for each of ${byId.length} instances, and is limited to ${READ_AT_MOST}`;
        throwIssues([`ec2Inventory: read: ${most}; leave it out, and give each port a service of its own`]);
    }
    const used = places.filter(({ facility }) => byId.some((instance) => instance.facility === facility));
    const listed = await calls.all(
        used.map(async (place) => {
            const asked = {
                region: place.declared.region,
                resourceTypeFilters: ["ec2:instance"],
                tagFilters: [{ key: "environment", values: [environment] }, { key: tag }],
            };
            const call = { place, name: "getResources", subject: "tags of instances", permission: "tag:GetResources" };
            const { resourceTagMappingLists = [] } = await calls.ask(call, ({ getResources }) =>
                getResources(asked, place.options),
            );
            return resourceTagMappingLists.map(
                ({ resourceArn, tags }) => [resourceArn.split("/").at(-1), tags] as const,
            );
        }),
    );
    const tags = new Map(listed.flat());
    const read = byId.map((instance) => ({ instance, ...readTags(instance.id, tags.get(instance.id), keys) }));
    throwIssues(read.flatMap(({ issues }) => issues));
    return calls.all(
        read.map(async ({ instance: { id, facility, runList }, value: values }) => {
            const place = places.find((one) => one.facility === facility) as Place;
            const call = { place, name: "getInstance", subject: id, permission: "ec2:DescribeInstances" };
            const asked = { instanceId: id, region: place.declared.region };
            const { privateIp, publicIp } = await calls.ask(call, (aws) => aws.getInstance(asked, place.options), true);
            return { id, address: address === "public" ? publicIp : privateIp, facility, runList, values };
        }),
    );
}

/** Where the nodes come from, for messages. An account is asked for its number only if a search in the inventory will fail. */
async function sourceOf(
    { tag = "run_list" }: Ec2Search,
    places: readonly Place[],
    found: readonly Found[],
    isComplete: boolean,
): Promise<string> {
    const all = places.map(async (place) => {
        const { where } = found.find(({ facility }) => facility === place.facility) as Found;
        return isComplete ? where : whereWords(place.facility, await identityOf(place));
    });
    return `${(await Promise.all(all)).join(" and ")} (running instances, by their tag ${tag})`;
}

function throwIssues(issues: readonly string[]): void {
    if (issues.length > 0) {
        throw new pulumi.RunError(listedIssues(issues));
    }
}

/** What a check may assume: one node per tag and facility, which is never connected to. */
function placeholders({ environment, tags, facilities, read }: Ec2InventoryArgs): Inventory {
    void pulumi.log.warn("AWS is not asked here, so each tag has a placeholder in place of its EC2 instances");
    const all = [...new Set(tags)].flatMap((tag) =>
        (facilities === undefined ? [undefined] : Object.keys(facilities)).map((facility) => ({ tag, facility })),
    );
    const nodes = all.map(({ tag, facility }, n) => ({
        name: `placeholder-${n + 1}`,
        // Of the network for benchmarks, RFC 2544.
        address: `198.18.${n >> 8}.${n & 255}`,
        environment,
        runList: [tag],
        ...(facility !== undefined && { facility }),
    }));
    return {
        nodes: read?.facility === undefined ? nodes : nodes.map(placeholderNode),
        source: "EC2 (placeholders)",
    };
}

/** The places to ask. */
function placesOf({ facilities }: Ec2Search, options: pulumi.InvokeOptions): Place[] {
    if (facilities === undefined) {
        return [{ declared: {}, options }];
    }
    return Object.entries(facilities).map(([facility, declared]) => {
        const isOwn = [declared.role, declared.profile, declared.account].some((one) => one !== undefined);
        return { facility, declared, options: isOwn ? withProvider(facility, declared, options) : options };
    });
}

/** The providers of facilities in another account than the program's: one for all searches. */
const providers = perProgram(() => new Map<string, pulumi.ProviderResource>());

function withProvider(facility: string, declared: Ec2Facility, options: pulumi.InvokeOptions): pulumi.InvokeOptions {
    const { role, profile, account, region = new pulumi.Config("aws").get("region") } = declared;
    const key = JSON.stringify([facility, role, profile, account, region]);
    const { Provider } = aws();
    const args = {
        region,
        profile,
        ...(role !== undefined && { assumeRoles: [{ roleArn: role }] }),
        ...(account !== undefined && { allowedAccountIds: [account] }),
    };
    const provider = providers().get(key) ?? new Provider(`ec2-${facility}`, args, { parent: options.parent });
    providers().set(key, provider);
    return { ...options, provider };
}

type Aws = typeof import("@pulumi/aws/ec2/getInstances") &
    typeof import("@pulumi/aws/ec2/getInstance") &
    typeof import("@pulumi/aws/resourcegroupstaggingapi/getResources") &
    typeof import("@pulumi/aws/getCallerIdentity") &
    typeof import("@pulumi/aws/getRegion") &
    typeof import("@pulumi/aws/provider");

/** The functions of the provider. Only these parts: the whole package takes a tenth of a second and 10 MB. */
function aws(): Aws {
    const found = optionalPackage(
        "@pulumi/aws",
        (): Aws => ({
            ...require("@pulumi/aws/ec2/getInstances"),
            ...require("@pulumi/aws/ec2/getInstance"),
            ...require("@pulumi/aws/resourcegroupstaggingapi/getResources"),
            ...require("@pulumi/aws/getCallerIdentity"),
            ...require("@pulumi/aws/getRegion"),
            ...require("@pulumi/aws/provider"),
        }),
    );
    if ("problem" in found) {
        throw new pulumi.RunError(`ec2Inventory: ${found.problem}`);
    }
    return found;
}

/** Calls of the provider, a few at a time. Those that fail are kept, so that they are reported together. */
class Calls {
    private readonly aws = aws();
    private readonly limit = pLimit(CALLS_AT_ONCE);
    private readonly failed: (Call & { readonly place: Place })[] = [];

    /**
     * The answer. Rejects if there is none, for {@link all}.
     *
     * @param isOneOfMany Once a call has failed, it is not made: the provider would try each of many again and again.
     */
    ask<T extends { readonly id: string }>(
        call: Omit<Call, "message"> & { readonly place: Place },
        ask: (aws: Aws) => Promise<T>,
        isOneOfMany = false,
    ): Promise<T> {
        return this.limit(async () => {
            if (isOneOfMany && this.failed.length > 0) throw new Error("not called");
            const answer = await ask(this.aws).catch((error: Error) => {
                this.failed.push({ ...call, message: error.message });
                throw error;
            });
            // Every answer has an id. The engine answers with nothing while it does not know the provider's settings.
            if (answer?.id === undefined) {
                this.failed.push({ ...call, message: undefined });
                throw new Error("not answered");
            }
            return answer;
        });
    }

    /** Waits for all. @throws with every call that has failed, and what to do about it */
    async all<T>(asked: readonly Promise<T>[]): Promise<T[]> {
        const settled = await Promise.allSettled(asked);
        if (this.failed.length > 0) {
            const places = [...new Set(this.failed.map(({ place }) => place))];
            const lines = places.map(async (place) => {
                const where = whereWords(place.facility, await identityOf(place));
                return failureLines(this.failed.filter((one) => one.place === place)).map(
                    (line) => `${where}: ${line}`,
                );
            });
            throwIssues((await Promise.all(lines)).flat());
        }
        return settled.map((one) => {
            if (one.status === "rejected") throw one.reason;
            return one.value;
        });
    }
}

/** Whom a place asks, as far as that can be found out. */
async function identityOf({ declared, options }: Place): Promise<{ region: string; account: string }> {
    const { getCallerIdentity, getRegion } = aws();
    const [identity, region] = await Promise.allSettled([
        getCallerIdentity({}, options),
        declared.region === undefined ? getRegion({}, options) : { region: declared.region },
    ]);
    const known = <T>(settled: PromiseSettledResult<T>) => (settled.status === "fulfilled" ? settled.value : undefined);
    return {
        account: known(identity)?.accountId ?? declared.account ?? "unknown",
        region: known(region)?.region ?? "an unknown region",
    };
}

function whereWords(facility: string | undefined, { region, account }: { region: string; account?: string }): string {
    const place = facility === undefined ? "EC2" : `EC2 of the facility ${facility}`;
    return `${place} in ${region}${account === undefined ? "" : `, account ${account}`}`;
}

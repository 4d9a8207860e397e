// The functions of the aws provider that a search in EC2 calls, for Pulumi's mocks.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type Ec2InventoryArgs, ec2Inventory } from "../../components/search/ec2";
import { matchesFilter } from "./ec2Filters";
import { mockEngine, type Recording } from "./mocks";

/** An instance as the tests describe it; ids, tags and addresses are what a search can see. */
export interface Row {
    id: string;
    ip?: string;
    publicIp?: string;
    tags?: Record<string, string>;
    region?: string;
    state?: string;
}
export type Inputs = Record<string, unknown>;

export const GET_INSTANCES = "aws:ec2/getInstances:getInstances";
export const GET_INSTANCE = "aws:ec2/getInstance:getInstance";
export const GET_RESOURCES = "aws:resourcegroupstaggingapi/getResources:getResources";
const short = (token: string) => token.split(":").at(-1);

/** A running instance in prod. */
export const row = (id: string, ip: string, runList = "shop::app", tags = {}): Row => ({
    id,
    ip,
    tags: { run_list: runList, environment: "prod", ...tags },
});
/** Of these, i-1 to i-3 are found. */
export const rows = [
    row("i-2", "10.0.0.12", "base::linux, shop::app"),
    row("i-1", "10.0.0.11", "shop::app docs::app"),
    row("i-3", "10.0.0.9", "docs::app"),
    row("i-4", "10.0.0.14", "shop::application"),
    row("i-5", "10.0.0.15", "shop::app", { environment: "staging" }),
    { ...row("i-6", "10.0.0.16"), state: "stopped" },
];

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
export async function provider({ rows: all = rows, answer, preview, config }: Provider = {}) {
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

/** A search for two tags. */
export const asked: Ec2InventoryArgs = { environment: "prod", tags: ["shop::app", "docs::app"] };
/** The lines of the error of a search. */
export const failureOf = async (args: Partial<Ec2InventoryArgs> = {}, opts?: pulumi.InvokeOptions) => {
    try {
        await ec2Inventory({ ...asked, ...args }, opts);
    } catch (error) {
        assert.ok(pulumi.RunError.isInstance(error), String(error));
        return error.message.split("\n");
    }
    return assert.fail("it succeeds");
};

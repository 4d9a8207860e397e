// The functions, each with its arguments.

import { type Field, failuresIn } from "../provider/fields";
import type { ProviderFunction } from "../provider/resourceType";
import type { Properties } from "../provider/values";
import type { Aws } from "./aws";
import { getAmi } from "./ec2/getAmi";
import { getInstance } from "./ec2/getInstance";
import { getInstances } from "./ec2/getInstances";
import { getSubnet } from "./ec2/getSubnet";
import { getCallerIdentity, getRegion } from "./identity";
import { getSecretVersion } from "./secretsManager";
import { getResources } from "./tagging";

const text: Field = { kind: "string" };
const flag: Field = { kind: "boolean" };
const texts: Field = { kind: "strings" };
const tags: Field = { kind: { mapOf: { kind: "string" } } };
const filters: Field = {
    kind: {
        listOf: {
            kind: { fields: { name: { kind: "string", required: true }, values: { kind: "strings", required: true } } },
        },
    },
};

type Function = (aws: Aws, args: Properties) => Promise<Properties>;
const functions: Record<string, [run: Function, args: Readonly<Record<string, Field>>]> = {
    "aws:ec2/getAmi:getAmi": [
        getAmi,
        {
            allowUnsafeFilter: flag,
            executableUsers: texts,
            filters,
            includeDeprecated: flag,
            mostRecent: flag,
            nameRegex: text,
            owners: texts,
            region: text,
            tags,
        },
    ],
    "aws:ec2/getInstance:getInstance": [
        getInstance,
        { filters, getUserData: flag, instanceId: text, instanceTags: tags, region: text },
    ],
    "aws:ec2/getInstances:getInstances": [
        getInstances,
        { filters, instanceStateNames: texts, instanceTags: tags, region: text },
    ],
    "aws:ec2/getSubnet:getSubnet": [
        getSubnet,
        {
            availabilityZone: text,
            availabilityZoneId: text,
            cidrBlock: text,
            defaultForAz: flag,
            filters,
            id: text,
            ipv6CidrBlock: text,
            region: text,
            state: text,
            tags,
            vpcId: text,
        },
    ],
    "aws:index/getCallerIdentity:getCallerIdentity": [getCallerIdentity, {}],
    "aws:index/getRegion:getRegion": [getRegion, { endpoint: text, id: text, name: text, region: text }],
    "aws:resourcegroupstaggingapi/getResources:getResources": [
        getResources,
        {
            excludeCompliantResources: flag,
            includeComplianceDetails: flag,
            region: text,
            resourceArnLists: texts,
            resourceTypeFilters: texts,
            tagFilters: {
                kind: {
                    listOf: {
                        kind: { fields: { key: { kind: "string", required: true }, values: { kind: "strings" } } },
                    },
                },
            },
        },
    ],
    "aws:secretsmanager/getSecretVersion:getSecretVersion": [
        getSecretVersion,
        { region: text, secretId: { kind: "string", required: true }, versionId: text, versionStage: text },
    ],
};

/** The functions by token. Their errors begin as those of the real provider. */
export const functionsOf = (aws: () => Aws): Record<string, ProviderFunction> =>
    Object.fromEntries(
        Object.entries(functions).map(([token, [run, fields]]) => [
            token,
            async (args: Properties) => {
                const failures = failuresIn(args, fields);
                if (failures.length > 0) {
                    throw new Error(`invoking ${token}: ${failures.map(({ reason }) => reason).join("; ")}`);
                }
                try {
                    return await run(aws(), args);
                } catch (error) {
                    throw new Error(`invoking ${token}: 1 error occurred:\n\t* ${(error as Error).message}\n\n`);
                }
            },
        ]),
    );

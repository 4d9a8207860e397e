// Functions of aws.resourcegroupstaggingapi.
import type { Properties } from "../provider/values";
import type { Aws } from "./aws";
import { tagMap } from "./tags";

interface Args {
    readonly region?: string;
    readonly excludeCompliantResources?: boolean;
    readonly includeComplianceDetails?: boolean;
    readonly resourceArnLists?: string[];
    readonly resourceTypeFilters?: string[];
    readonly tagFilters?: readonly { readonly key: string; readonly values?: string[] }[];
}

export async function getResources(aws: Aws, args: Properties): Promise<Properties> {
    const given = args as Args;
    const tagging = await aws.tagging(given.region);
    const pages = await tagging
        .pages("GetResources", {
            IncludeComplianceDetails: given.includeComplianceDetails,
            ExcludeCompliantResources: given.excludeCompliantResources,
            ResourceARNList: given.resourceArnLists,
            ResourceTypeFilters: given.resourceTypeFilters,
            TagFilters: given.tagFilters?.map(({ key, values }) => ({ Key: key, Values: values })),
        })
        .catch((error: Error) => {
            throw new Error(`reading Resource Groups Tagging API Resources: ${error.message}`);
        });
    return {
        ...args,
        id: "aws",
        region: tagging.region,
        resourceTagMappingLists: pages
            .flatMap(({ ResourceTagMappingList: list }) => list ?? [])
            .map(({ ResourceARN, Tags, ComplianceDetails: details }) => ({
                resourceArn: ResourceARN ?? "",
                tags: tagMap(Tags),
                complianceDetails: details
                    ? [
                          {
                              complianceStatus: details.ComplianceStatus ?? false,
                              keysWithNoncompliantValues: details.KeysWithNoncompliantValues ?? [],
                              nonCompliantKeys: details.NoncompliantKeys ?? [],
                          },
                      ]
                    : [],
            })),
    };
}

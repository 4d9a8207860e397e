import {
    GetResourcesCommand,
    paginateGetResources,
    ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { service } from "./calls";

export const tagging = service(
    "Resource Groups Tagging API",
    ResourceGroupsTaggingAPIClient,
    { GetResources: GetResourcesCommand },
    { GetResources: paginateGetResources },
);

// What the resource types of EC2 share.
import type { ResourceType as Tagged } from "@aws-sdk/client-ec2";
import type { Properties } from "../../provider/values";
import type { Scope } from "../awsType";
import type { Ec2 } from "../sdk/ec2";
import { tagList } from "../tags";

/** The tags of a resource that is being made; undefined, as the API refuses an empty list, if it has none. */
export const tagSpecifications = (type: Tagged, tags: Readonly<Record<string, string>>) =>
    Object.keys(tags).length > 0 ? [{ ResourceType: type, Tags: tagList(tags) }] : undefined;

/** Brings the tags of a resource from those of its state to those of the scope. */
export async function updateTags(ec2: Ec2, id: string, { tags }: Scope, state: Properties): Promise<void> {
    const olds = (state.tagsAll ?? {}) as Record<string, string>;
    const gone = Object.keys(olds).filter((key) => !(key in tags));
    const changed = Object.entries(tags).filter(([key, value]) => olds[key] !== value);
    if (gone.length > 0) {
        await ec2.call("DeleteTags", { Resources: [id], Tags: gone.map((Key) => ({ Key })) });
    }
    if (changed.length > 0) {
        await ec2.call("CreateTags", { Resources: [id], Tags: tagList(Object.fromEntries(changed)) });
    }
}

/** Names of hosts that EC2 gives, such as `ec2-203-0-113-7.eu-central-1.compute.amazonaws.com`. */
export const publicDnsName = (region: string, address: string) =>
    `ec2-${address.replaceAll(".", "-")}.${region === "us-east-1" ? "compute-1" : `${region}.compute`}.amazonaws.com`;
export const privateDnsName = (region: string, address: string) =>
    `ip-${address.replaceAll(".", "-")}.${region === "us-east-1" ? "ec2" : `${region}.compute`}.internal`;

import type { Properties } from "../../provider/values";
import type { Aws } from "../aws";
import { ec2Of, filtersOf } from "./filters";

/** Lists of addresses have no gaps: an instance without such an address is not in them. */
export async function getInstances(aws: Aws, args: Properties): Promise<Properties> {
    const ec2 = await ec2Of(aws, args);
    const states = (args.instanceStateNames ?? []) as string[];
    const Filters = filtersOf(args, "instanceTags", {
        "instance-state-name": states.length > 0 ? states : ["running"],
    });
    const pages = await ec2.pages("DescribeInstances", { Filters }).catch((error: Error) => {
        throw new Error(`reading EC2 Instances: ${error.message}`);
    });
    const found = pages.flatMap(({ Reservations }) => Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
    return {
        ...args,
        id: ec2.region,
        region: ec2.region,
        ids: found.map(({ InstanceId }) => InstanceId ?? ""),
        instanceTags: args.instanceTags ?? {},
        ipv6Addresses: found.flatMap(({ Ipv6Address }) => Ipv6Address || []),
        privateIps: found.flatMap(({ PrivateIpAddress }) => PrivateIpAddress || []),
        publicIps: found.flatMap(({ PublicIpAddress }) => PublicIpAddress || []),
    };
}

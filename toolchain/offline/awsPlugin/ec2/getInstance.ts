import type { Properties } from "../../provider/values";
import type { Aws } from "../aws";
import { unlessMissing } from "../sdk/calls";
import { tagMap } from "../tags";
import { blockDevices } from "./blockDevices";
import { ec2Of, filtersOf, single } from "./filters";
import { instanceOutputs, userDataOf } from "./instanceOutputs";

export async function getInstance(aws: Aws, args: Properties): Promise<Properties> {
    const ec2 = await ec2Of(aws, args);
    const id = args.instanceId as string | undefined;
    const Filters = filtersOf(args, "instanceTags");
    const pages = await unlessMissing(
        ec2.pages("DescribeInstances", { Filters, ...(id && { InstanceIds: [id] }) }),
    ).catch((error: Error) => {
        throw new Error(`reading EC2 Instance: ${error.message}`);
    });
    const found = (pages ?? [])
        .flatMap(({ Reservations }) => Reservations ?? [])
        .flatMap(({ Instances }) => Instances ?? []);
    const instance = single(
        found.filter(({ State }) => State?.Name !== "terminated"),
        "EC2 Instance",
    );
    try {
        const { ebsBlockDevices, rootBlockDevices } = await blockDevices(ec2, instance);
        const outputs = await instanceOutputs(aws, ec2, instance);
        const userData = args.getUserData ? await userDataOf(ec2, outputs.id) : undefined;
        return {
            ...args,
            ...outputs,
            ebsBlockDevices,
            rootBlockDevices,
            ephemeralBlockDevices: [],
            id: outputs.id,
            instanceId: outputs.id,
            instanceTags: args.instanceTags ?? {},
            region: ec2.region,
            tags: tagMap(instance.Tags),
            passwordData: "",
            userData: userData ?? "",
            userDataBase64: "",
        };
    } catch (error) {
        throw new Error(`reading EC2 Instance (${instance.InstanceId}): ${(error as Error).message}`);
    }
}

import type { Properties } from "../../provider/values";
import type { Aws } from "../aws";
import { unlessMissing } from "../sdk/calls";
import { tagMap } from "../tags";
import { ec2Of, filtersOf } from "./filters";

/** The newest of the images, if more than one may match. */
export async function getAmi(aws: Aws, args: Properties): Promise<Properties> {
    const ec2 = await ec2Of(aws, args);
    const owners = (args.owners ?? []) as string[];
    // The real plugin asks for the owner, too, since anybody may publish an image of any name.
    const filters = (args.filters ?? []) as { name: string }[];
    const namesOwner = filters.some(({ name }) => ["image-id", "owner-id"].includes(name));
    if (args.mostRecent === true && owners.length === 0 && !namesOwner && args.allowUnsafeFilter !== true) {
        throw new Error(
            "Most Recent Image Not Filtered: Your query, which specifies that the most recent image is to be returned, filters neither " +
                "by owner nor by image id; set owners, or allowUnsafeFilter",
        );
    }
    const pages = await unlessMissing(
        ec2.pages("DescribeImages", {
            Filters: filtersOf(args, "tags"),
            IncludeDeprecated: args.includeDeprecated === true,
            ...(owners.length > 0 && { Owners: owners }),
            ...(args.executableUsers && { ExecutableUsers: args.executableUsers as string[] }),
        }),
    ).catch((error: Error) => {
        throw new Error(`reading EC2 AMI: ${error.message}`);
    });
    const pattern = new RegExp(String(args.nameRegex ?? ""));
    const found = (pages ?? []).flatMap(({ Images }) => Images ?? []).filter(({ Name = "" }) => pattern.test(Name));
    if (found.length > 1 && args.mostRecent !== true) {
        throw new Error(
            "Your query returned more than one result. Please try a more specific search criteria, or set `most_recent` attribute to true.",
        );
    }
    const time = (date: string | undefined) => Date.parse(date ?? "") || 0;
    const [image] = found.sort((a, b) => time(b.CreationDate) - time(a.CreationDate));
    if (!image) {
        throw new Error("Your query returned no results. Please change your search criteria and try again.");
    }
    const devices = image.BlockDeviceMappings ?? [];
    return {
        ...args,
        architecture: image.Architecture ?? "",
        arn: `arn:aws:ec2:${ec2.region}::image/${image.ImageId}`,
        blockDeviceMappings: devices.map(
            ({ DeviceName, VirtualName, NoDevice, Ebs }): Properties => ({
                deviceName: DeviceName ?? "",
                virtualName: VirtualName ?? "",
                noDevice: NoDevice ?? "",
                ebs: Ebs
                    ? {
                          delete_on_termination: String(Ebs.DeleteOnTermination ?? false),
                          encrypted: String(Ebs.Encrypted ?? false),
                          iops: String(Ebs.Iops ?? 0),
                          snapshot_id: Ebs.SnapshotId ?? "",
                          throughput: String(Ebs.Throughput ?? 0),
                          volume_initialization_rate: "0",
                          volume_size: String(Ebs.VolumeSize ?? 0),
                          volume_type: Ebs.VolumeType ?? "",
                      }
                    : {},
            }),
        ),
        bootMode: image.BootMode ?? "",
        creationDate: image.CreationDate ?? "",
        deprecationTime: image.DeprecationTime ?? "",
        description: image.Description ?? "",
        enaSupport: image.EnaSupport ?? false,
        hypervisor: image.Hypervisor ?? "",
        id: image.ImageId ?? "",
        imageId: image.ImageId ?? "",
        imageLocation: image.ImageLocation ?? "",
        imageOwnerAlias: image.ImageOwnerAlias ?? "",
        imageType: image.ImageType ?? "",
        imdsSupport: image.ImdsSupport ?? "",
        kernelId: image.KernelId ?? "",
        lastLaunchedTime: image.LastLaunchedTime ?? "",
        name: image.Name ?? "",
        ownerId: image.OwnerId ?? "",
        platform: image.Platform ?? "",
        platformDetails: image.PlatformDetails ?? "",
        productCodes: (image.ProductCodes ?? []).map(({ ProductCodeId, ProductCodeType }) => ({
            productCodeId: ProductCodeId ?? "",
            productCodeType: ProductCodeType ?? "",
        })),
        public: image.Public ?? false,
        ramdiskId: image.RamdiskId ?? "",
        region: ec2.region,
        rootDeviceName: image.RootDeviceName ?? "",
        rootDeviceType: image.RootDeviceType ?? "",
        rootSnapshotId: devices.find(({ DeviceName }) => DeviceName === image.RootDeviceName)?.Ebs?.SnapshotId ?? "",
        sriovNetSupport: image.SriovNetSupport ?? "",
        state: image.State ?? "",
        stateReason: { code: image.StateReason?.Code ?? "UNSET", message: image.StateReason?.Message ?? "UNSET" },
        tags: tagMap(image.Tags),
        tpmSupport: image.TpmSupport ?? "",
        usageOperation: image.UsageOperation ?? "",
        virtualizationType: image.VirtualizationType ?? "",
    };
}

// The volumes of an instance.
import type { Instance } from "@aws-sdk/client-ec2";
import type { Properties } from "../../provider/values";
import type { Ec2 } from "../sdk/ec2";
import { tagMap } from "../tags";

/** The device that an instance starts from, and all others. */
export async function blockDevices(
    ec2: Ec2,
    instance: Instance,
): Promise<{ readonly rootBlockDevices: Properties[]; readonly ebsBlockDevices: Properties[] }> {
    const mappings = (instance.BlockDeviceMappings ?? []).filter(({ Ebs }) => Ebs?.VolumeId);
    if (mappings.length === 0) return { rootBlockDevices: [], ebsBlockDevices: [] };
    const VolumeIds = mappings.map(({ Ebs }) => Ebs?.VolumeId ?? "");
    const pages = await ec2.pages("DescribeVolumes", { VolumeIds });
    const volumes = pages.flatMap(({ Volumes }) => Volumes ?? []);
    const devices = mappings.map(({ DeviceName, Ebs }) => {
        const volume = volumes.find(({ VolumeId }) => VolumeId === Ebs?.VolumeId);
        return {
            isRoot: DeviceName === instance.RootDeviceName,
            snapshotId: volume?.SnapshotId ?? "",
            device: {
                deleteOnTermination: Ebs?.DeleteOnTermination ?? false,
                deviceName: DeviceName ?? "",
                encrypted: volume?.Encrypted ?? false,
                iops: volume?.Iops ?? 0,
                kmsKeyId: volume?.KmsKeyId ?? "",
                tags: tagMap(volume?.Tags),
                throughput: volume?.Throughput ?? 0,
                volumeId: Ebs?.VolumeId ?? "",
                volumeSize: volume?.Size ?? 0,
                volumeType: volume?.VolumeType ?? "",
            } as Properties,
        };
    });
    return {
        rootBlockDevices: devices.filter(({ isRoot }) => isRoot).map(({ device }) => device),
        ebsBlockDevices: devices
            .filter(({ isRoot }) => !isRoot)
            .map(({ device, snapshotId }) => ({ ...device, snapshotId })),
    };
}

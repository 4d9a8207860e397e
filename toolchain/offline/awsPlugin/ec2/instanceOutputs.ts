// What the function getInstance and the resource Instance say of an instance.
import type { Instance } from "@aws-sdk/client-ec2";
import type { Aws } from "../aws";
import type { Ec2 } from "../sdk/ec2";

export async function instanceOutputs(aws: Aws, ec2: Ec2, instance: Instance) {
    const InstanceId = instance.InstanceId ?? "";
    const attribute = async (Attribute: "disableApiStop" | "disableApiTermination") =>
        ec2.call("DescribeInstanceAttribute", { InstanceId, Attribute });
    const { DisableApiStop } = await attribute("disableApiStop");
    const { DisableApiTermination } = await attribute("disableApiTermination");
    const primary = instance.NetworkInterfaces?.find(({ Attachment }) => Attachment?.DeviceIndex === 0);
    const { Placement: placement, MetadataOptions: metadata, PrivateDnsNameOptions: names } = instance;
    // Those of an instance are those of its primary interface.
    const groups = primary?.Groups ?? instance.SecurityGroups ?? [];
    return {
        ami: instance.ImageId ?? "",
        arn: `arn:aws:ec2:${ec2.region}:${await aws.accountId()}:instance/${InstanceId}`,
        associatePublicIpAddress: primary?.Association !== undefined,
        availabilityZone: placement?.AvailabilityZone ?? "",
        creditSpecifications: [],
        disableApiStop: DisableApiStop?.Value ?? false,
        disableApiTermination: DisableApiTermination?.Value ?? false,
        ebsOptimized: instance.EbsOptimized ?? false,
        enclaveOptions: [{ enabled: instance.EnclaveOptions?.Enabled ?? false }],
        hostId: placement?.HostId ?? "",
        hostResourceGroupArn: placement?.HostResourceGroupArn ?? "",
        iamInstanceProfile: instance.IamInstanceProfile?.Arn?.split("/").at(-1) ?? "",
        id: InstanceId,
        instanceState: instance.State?.Name ?? "",
        instanceType: instance.InstanceType ?? "",
        ipv6Addresses: (primary?.Ipv6Addresses ?? []).flatMap(({ Ipv6Address }) => Ipv6Address ?? []),
        keyName: instance.KeyName ?? "",
        launchTime: instance.LaunchTime?.toISOString().replace(/\.\d+Z$/, "Z") ?? "",
        maintenanceOptions: [
            {
                autoRecovery: instance.MaintenanceOptions?.AutoRecovery ?? "default",
                rebootMigration: instance.MaintenanceOptions?.RebootMigration ?? "default",
            },
        ],
        metadataOptions: [
            {
                httpEndpoint: metadata?.HttpEndpoint ?? "enabled",
                httpProtocolIpv6: metadata?.HttpProtocolIpv6 ?? "disabled",
                httpPutResponseHopLimit: metadata?.HttpPutResponseHopLimit ?? 1,
                httpTokens: metadata?.HttpTokens ?? "optional",
                instanceMetadataTags: metadata?.InstanceMetadataTags ?? "disabled",
            },
        ],
        monitoring: ["enabled", "pending"].includes(instance.Monitoring?.State ?? ""),
        networkInterfaceId: primary?.NetworkInterfaceId ?? "",
        outpostArn: instance.OutpostArn ?? "",
        placementGroup: placement?.GroupName ?? "",
        placementGroupId: placement?.GroupId ?? "",
        placementPartitionNumber: placement?.PartitionNumber ?? 0,
        privateDns: instance.PrivateDnsName ?? "",
        privateDnsNameOptions: [
            {
                enableResourceNameDnsARecord: names?.EnableResourceNameDnsARecord ?? false,
                enableResourceNameDnsAaaaRecord: names?.EnableResourceNameDnsAAAARecord ?? false,
                hostnameType: names?.HostnameType ?? "ip-name",
            },
        ],
        privateIp: instance.PrivateIpAddress ?? "",
        publicDns: instance.PublicDnsName ?? "",
        publicIp: instance.PublicIpAddress ?? "",
        secondaryPrivateIps: (primary?.PrivateIpAddresses ?? []).flatMap(({ Primary, PrivateIpAddress }) =>
            Primary ? [] : (PrivateIpAddress ?? []),
        ),
        // Names of groups are for instances outside a VPC, which no longer exist.
        securityGroups: [] as string[],
        sourceDestCheck: instance.SourceDestCheck ?? true,
        subnetId: primary?.SubnetId ?? instance.SubnetId ?? "",
        tenancy: placement?.Tenancy ?? "default",
        vpcSecurityGroupIds: groups.flatMap(({ GroupId }) => GroupId ?? []),
    };
}

/** In base64. */
export async function userDataOf(ec2: Ec2, InstanceId: string): Promise<string> {
    const { UserData } = await ec2.call("DescribeInstanceAttribute", { InstanceId, Attribute: "userData" });
    return UserData?.Value ?? "";
}

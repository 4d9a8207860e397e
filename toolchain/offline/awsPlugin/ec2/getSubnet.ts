import type { Properties } from "../../provider/values";
import type { Aws } from "../aws";
import { unlessMissing } from "../sdk/calls";
import { tagMap } from "../tags";
import { ec2Of, filtersOf, single } from "./filters";

export async function getSubnet(aws: Aws, args: Properties): Promise<Properties> {
    const ec2 = await ec2Of(aws, args);
    const text = (name: string) => args[name] as string | undefined;
    const id = text("id");
    const Filters = filtersOf(args, "tags", {
        availabilityZone: text("availabilityZone"),
        availabilityZoneId: text("availabilityZoneId"),
        defaultForAz: args.defaultForAz === true ? "true" : undefined,
        state: text("state"),
        "vpc-id": text("vpcId"),
        cidrBlock: text("cidrBlock"),
        "ipv6-cidr-block-association.ipv6-cidr-block": text("ipv6CidrBlock"),
    });
    const pages = await unlessMissing(ec2.pages("DescribeSubnets", { Filters, ...(id && { SubnetIds: [id] }) })).catch(
        (error: Error) => {
            throw new Error(`reading EC2 Subnet: ${error.message}`);
        },
    );
    const subnet = single(pages?.flatMap(({ Subnets }) => Subnets ?? []) ?? [], "EC2 Subnet");
    const names = subnet.PrivateDnsNameOptionsOnLaunch;
    const ipv6 = subnet.Ipv6CidrBlockAssociationSet?.find(
        ({ Ipv6CidrBlockState: state }) => state?.State === "associated",
    );
    return {
        ...(args.filters && { filters: args.filters }),
        arn: subnet.SubnetArn ?? "",
        assignIpv6AddressOnCreation: subnet.AssignIpv6AddressOnCreation ?? false,
        availabilityZone: subnet.AvailabilityZone ?? "",
        availabilityZoneId: subnet.AvailabilityZoneId ?? "",
        availableIpAddressCount: subnet.AvailableIpAddressCount ?? 0,
        cidrBlock: subnet.CidrBlock ?? "",
        customerOwnedIpv4Pool: subnet.CustomerOwnedIpv4Pool ?? "",
        defaultForAz: subnet.DefaultForAz ?? false,
        enableDns64: subnet.EnableDns64 ?? false,
        enableLniAtDeviceIndex: subnet.EnableLniAtDeviceIndex ?? 0,
        enableResourceNameDnsARecordOnLaunch: names?.EnableResourceNameDnsARecord ?? false,
        enableResourceNameDnsAaaaRecordOnLaunch: names?.EnableResourceNameDnsAAAARecord ?? false,
        id: subnet.SubnetId ?? "",
        ipv6CidrBlock: ipv6?.Ipv6CidrBlock ?? "",
        ipv6CidrBlockAssociationId: ipv6?.AssociationId ?? "",
        ipv6Native: subnet.Ipv6Native ?? false,
        mapCustomerOwnedIpOnLaunch: subnet.MapCustomerOwnedIpOnLaunch ?? false,
        mapPublicIpOnLaunch: subnet.MapPublicIpOnLaunch ?? false,
        outpostArn: subnet.OutpostArn ?? "",
        ownerId: subnet.OwnerId ?? "",
        privateDnsHostnameTypeOnLaunch: names?.HostnameType ?? "",
        region: ec2.region,
        state: subnet.State ?? "",
        tags: tagMap(subnet.Tags),
        vpcId: subnet.VpcId ?? "",
    };
}

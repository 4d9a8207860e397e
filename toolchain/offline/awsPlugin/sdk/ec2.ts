import {
    DescribeImagesCommand,
    DescribeInstanceAttributeCommand,
    DescribeInstancesCommand,
    DescribeRegionsCommand,
    DescribeSubnetsCommand,
    DescribeVolumesCommand,
    EC2Client,
    paginateDescribeImages,
    paginateDescribeInstances,
    paginateDescribeSubnets,
} from "@aws-sdk/client-ec2";
import { service } from "./calls";

export const ec2 = service(
    "EC2",
    EC2Client,
    {
        DescribeImages: DescribeImagesCommand,
        DescribeInstanceAttribute: DescribeInstanceAttributeCommand,
        DescribeInstances: DescribeInstancesCommand,
        DescribeRegions: DescribeRegionsCommand,
        DescribeSubnets: DescribeSubnetsCommand,
        DescribeVolumes: DescribeVolumesCommand,
    },
    {
        DescribeImages: paginateDescribeImages,
        DescribeInstances: paginateDescribeInstances,
        DescribeSubnets: paginateDescribeSubnets,
    },
);
export type Ec2 = ReturnType<typeof ec2>;

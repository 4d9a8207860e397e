// What the role of the hosts may do, judged as IAM does for statements of this form.
import assert from "node:assert/strict";
import { hostPolicy } from "../../../components/aws/policies";
import { allows } from "../../../lab/aws/policy";

const account = "arn:aws:ec2:eu-central-1:123456789012";
const address = `${account}:elastic-ip/eipalloc-service`;
const [lb1, lb2] = [`${account}:network-interface/eni-1`, `${account}:network-interface/eni-2`] as const;

describe("the role of hosts in EC2", () => {
    const policy = hostPolicy(address, [lb1, lb2]);
    const other = `${account}:elastic-ip/eipalloc-other`;

    for (const [action, resources, region] of [
        ["ec2:DescribeAddresses", ["*"], "eu-central-1"],
        ["ec2:AssociateAddress", [address, lb1], "eu-central-1"],
        ["ec2:AssociateAddress", [address, lb2], "eu-central-1"],
    ] as const) {
        it(`may call ${action} for ${resources.join(" and ")}`, () => {
            assert.ok(allows(policy, action, resources, region));
        });
    }

    for (const [action, resources, region] of [
        ["ec2:AssociateAddress", [other, lb1]],
        ["ec2:AssociateAddress", [address, `${account}:network-interface/eni-other`]],
        ["ec2:AssociateAddress", [address, `${account}:instance/i-1`]],
        ["ec2:AssociateAddress", ["*"]],
        ["ec2:AssociateAddress", [address.replace("123456789012", "210987654321"), lb1]],
        ["ec2:DescribeAddresses", ["*"], "us-east-1"],
        ["ec2:DisassociateAddress", [address]],
        ["ec2:ReleaseAddress", [address]],
        ["ec2:AllocateAddress", ["*"]],
        ["ec2:DescribeInstances", ["*"]],
        ["ec2:DescribeInstanceAttribute", [`${account}:instance/i-1`]],
        ["ec2:AssignPrivateIpAddresses", [lb1]],
        ["ec2:ModifyNetworkInterfaceAttribute", [lb1]],
        ["ec2:TerminateInstances", [`${account}:instance/i-1`]],
        ["ec2:CreateTags", [`${account}:instance/i-1`]],
        ["iam:PassRole", ["*"]],
        ["sts:AssumeRole", ["*"]],
        ["secretsmanager:GetSecretValue", ["*"]],
        ["route53:ChangeResourceRecordSets", ["arn:aws:route53:::hostedzone/Z1"]],
        ["s3:GetObject", ["arn:aws:s3:::bucket/key"]],
    ] as const) {
        it(`must not call ${action} for ${resources.join(" and ")}${region ? ` in ${region}` : ""}`, () => {
            assert.ok(!allows(policy, action, resources, region));
        });
    }
});

// The resource types.
import type { ResourceType } from "../provider/resourceType";
import type { Aws } from "./aws";
import { type AwsType, awsType } from "./awsType";
import { eip, eipAssociation } from "./ec2/eip";
import { instance } from "./ec2/instance";
import { networkInterface } from "./ec2/networkInterface";
import { securityGroup } from "./ec2/securityGroup";
import { securityGroupRule } from "./ec2/securityGroupRule";
import { instanceProfile } from "./iam/instanceProfile";
import { role, rolePolicy } from "./iam/role";
import { route53Record } from "./route53Record";

const types: Readonly<Record<string, AwsType>> = {
    "aws:ec2/eip:Eip": eip,
    "aws:ec2/eipAssociation:EipAssociation": eipAssociation,
    "aws:ec2/instance:Instance": instance,
    "aws:ec2/networkInterface:NetworkInterface": networkInterface,
    "aws:ec2/securityGroup:SecurityGroup": securityGroup,
    "aws:iam/instanceProfile:InstanceProfile": instanceProfile,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": rolePolicy,
    "aws:route53/record:Record": route53Record,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": securityGroupRule("egress"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": securityGroupRule("ingress"),
};

/** The resource types by token. */
export const typesOf = (aws: () => Aws): Record<string, ResourceType> =>
    Object.fromEntries(Object.entries(types).map(([token, type]) => [token, awsType(type, aws)]));

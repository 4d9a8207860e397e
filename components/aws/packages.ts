import { optionalPackage } from "../optionalPackage";

/** What hosts need of `@pulumi/aws`, of which only parts are loaded. */
const loadAws = () => ({
    ...(require("@pulumi/aws/ec2/eip") as typeof import("@pulumi/aws/ec2/eip")),
    ...(require("@pulumi/aws/ec2/eipAssociation") as typeof import("@pulumi/aws/ec2/eipAssociation")),
    ...(require("@pulumi/aws/ec2/getAmi") as typeof import("@pulumi/aws/ec2/getAmi")),
    ...(require("@pulumi/aws/ec2/getSubnet") as typeof import("@pulumi/aws/ec2/getSubnet")),
    ...(require("@pulumi/aws/ec2/instance") as typeof import("@pulumi/aws/ec2/instance")),
    ...(require("@pulumi/aws/ec2/networkInterface") as typeof import("@pulumi/aws/ec2/networkInterface")),
    ...(require("@pulumi/aws/ec2/securityGroup") as typeof import("@pulumi/aws/ec2/securityGroup")),
    ...(require("@pulumi/aws/iam/instanceProfile") as typeof import("@pulumi/aws/iam/instanceProfile")),
    ...(require("@pulumi/aws/iam/role") as typeof import("@pulumi/aws/iam/role")),
    ...(require("@pulumi/aws/iam/rolePolicy") as typeof import("@pulumi/aws/iam/rolePolicy")),
    ...(require("@pulumi/aws/route53/record") as typeof import("@pulumi/aws/route53/record")),
    ...(require("@pulumi/aws/vpc/securityGroupEgressRule") as typeof import("@pulumi/aws/vpc/securityGroupEgressRule")),
    ...(require("@pulumi/aws/vpc/securityGroupIngressRule") as typeof import("@pulumi/aws/vpc/securityGroupIngressRule")),
});

const loadTls = (): typeof import("@pulumi/tls/privateKey") => require("@pulumi/tls/privateKey");

/** The classes and functions that hosts need. */
export type Packages = ReturnType<typeof loadAws> & ReturnType<typeof loadTls>;

/** Loads the optional packages, or says which one is missing: the words after `SUBJECT: `. */
export function loadPackages(): Packages | { readonly problem: string } {
    const aws = optionalPackage("@pulumi/aws", loadAws);
    if ("problem" in aws) return aws;
    const tls = optionalPackage("@pulumi/tls", loadTls);
    return "problem" in tls ? tls : { ...aws, ...tls };
}

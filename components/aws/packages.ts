/** A package that is not installed. */
export class MissingPackage extends Error {}

/** What hosts need of the packages for AWS and for keys. They are optional, and of the large one only parts are loaded. */
export function loadPackages() {
    try {
        return {
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
            ...(require("@pulumi/tls/privateKey") as typeof import("@pulumi/tls/privateKey")),
        };
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const [, name] = /'(@pulumi\/(?:aws|tls))\b/.exec(message) ?? [];
        if (code === "MODULE_NOT_FOUND" && name !== undefined) {
            throw new MissingPackage(`needs the package ${name}, which is not installed; run npm install ${name}`);
        }
        throw error;
    }
}

/** The classes and functions of these packages. */
export type Packages = ReturnType<typeof loadPackages>;

// What the engine does with resources of the stand-in for the aws plugin: one project, whose state is the engine's.
import assert from "node:assert/strict";
import { type Aws, faults } from "../../lab/aws/aws";
import { textsOf } from "../../lab/aws/xml";
import { Project } from "./project";

const PLANTED = "planted-host-key";

/** @param double of AWS, once it has started */
export function engineTests(double: () => Aws): void {
    describe("under the engine", function () {
        this.timeout(120_000);
        const project = new Project();
        let aws: Aws;
        let subnet: string;
        let vpc: string;
        let shown = "";

        before(async () => {
            aws = double();
            ({
                vpc,
                subnets: [subnet],
            } = await aws.network({ cidr: "10.1.0.0/16" }));
            await project.succeed("stack", "init", "dev");
        });
        after(() => project.remove());
        beforeEach(() => aws.calls.reset());

        interface Change {
            readonly ami?: string;
            readonly userData?: string;
            readonly description?: string;
            readonly size?: number;
            /** More of the instance, in TypeScript. */
            readonly more?: string;
        }
        /** Changes that are ignored; the state has no `keyName` among its inputs. */
        const newer = { ami: "ami-1", userData: "other", more: 'keyName: "other"', size: 30 };
        function program(change: Change = {}) {
            const {
                ami = "ami-00000000000086064",
                userData = PLANTED,
                description = "hosts",
                more = "",
                size = 20,
            } = change;
            project.program(`
                import { Eip } from "@pulumi/aws/ec2/eip";
                import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation";
                import { Instance } from "@pulumi/aws/ec2/instance";
                import { NetworkInterface } from "@pulumi/aws/ec2/networkInterface";
                import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
                import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
                const group = new SecurityGroup("hosts", { vpcId: "${vpc}", description: "${description}" });
                new SecurityGroupIngressRule("vrrp", {
                    securityGroupId: group.id, ipProtocol: "112", referencedSecurityGroupId: group.id, description: "VRRP",
                });
                const networkInterface = new NetworkInterface("lb1", {
                    subnetId: "${subnet}", securityGroups: [group.id], privateIpsCount: 1,
                });
                const service = new Eip("service", { domain: "vpc" }, { protect: true });
                const own = new Eip("own", { domain: "vpc" });
                new EipAssociation("own", { allocationId: own.id, networkInterfaceId: networkInterface.id });
                const instance = new Instance("lb1", {
                    ami: "${ami}", instanceType: "c7i.large",
                    primaryNetworkInterface: { networkInterfaceId: networkInterface.id },
                    userData: pulumi.secret("#cloud-config\\n# ${userData}\\n"),
                    rootBlockDevice: { volumeType: "gp3", volumeSize: ${size}, encrypted: true },
                    ${more}
                }, { ignoreChanges: ["ami", "userData", "rootBlockDevice.volumeSize", "keyName"] });
                export const { privateIp } = instance;
                export const name = group.name;`);
        }
        const pulumi = (args: string[], env: Record<string, string> = {}) =>
            project.run([...args, "--color=never"], { env: { ...aws.env, HAPROXY_FLEET_LAB: "1", ...env } });
        async function succeed(...args: string[]): Promise<string> {
            const { code, stdout, stderr } = await pulumi(args);
            assert.equal(code, 0, stdout + stderr);
            return stdout;
        }
        const up = () => succeed("up", "--yes", "--skip-preview");
        const changes = () => aws.calls.all.map(({ action }) => action).filter((action) => !/^Describe/.test(action));

        it("are in the state if they are not made to the end, and are not made again", async () => {
            program();
            // Nothing else asks for volumes.
            aws.fail("DescribeVolumes", { ...faults.unauthorized, times: 1 });
            const { code, stdout, stderr } = await pulumi(["up", "--yes", "--skip-preview"]);
            assert.notEqual(code, 0);
            assert.match(stdout + stderr, /DescribeVolumes, .*UnauthorizedOperation/);
            assert.match(String(project.resource("aws:ec2/instance:Instance").id), /^i-/);
            shown = await up();
            assert.equal(aws.calls.count("RunInstances"), 1);
        });

        it("have names that the plugin makes up, and need nothing more", async () => {
            assert.match(shown, / name *: "hosts-[0-9a-f]{7}"/);
            assert.match(shown, / privateIp *: .*"10\.1\./);
            await succeed("preview", "--expect-no-changes");
        });

        it("have what is secret in the state as an encrypted secret only", async () => {
            assert.ok(!project.stateText().includes(PLANTED));
            const shown = await succeed("stack", "export", "--show-secrets");
            assert.ok(shown.includes(PLANTED));
        });

        it("are changed back after a refresh, without what is ignored", async () => {
            const instance = String(project.resource("aws:ec2/instance:Instance").id);
            const rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
            const group = String(project.resource("aws:ec2/securityGroup:SecurityGroup").id);
            await aws.query("ec2", "StopInstances", { "InstanceId.1": instance });
            const type = { InstanceId: instance, "InstanceType.Value": "t3.micro" };
            await aws.query("ec2", "ModifyInstanceAttribute", type);
            await aws.query("ec2", "StartInstances", { "InstanceId.1": instance });
            await aws.query("ec2", "RevokeSecurityGroupIngress", {
                GroupId: group,
                "SecurityGroupRuleId.1": String(project.resource(rule).id),
            });
            program(newer);
            const text = await succeed("up", "--yes", "--refresh", "--skip-preview");
            assert.match(text, /aws:ec2:Instance +lb1 +updated \(.*\[diff: ~instanceType/);
            assert.match(text, /aws:vpc:SecurityGroupIngressRule +vrrp +created/);
            const made = [
                "AuthorizeSecurityGroupIngress",
                "ModifyInstanceAttribute",
                "StartInstances",
                "StopInstances",
            ];
            assert.deepEqual(
                changes()
                    .filter((action) => action !== "GetCallerIdentity")
                    .sort(),
                made,
            );
        });

        it("are replaced before what they replace is deleted", async () => {
            program({ ...newer, description: "load balancers" });
            await up();
            const order = ["CreateSecurityGroup", "ModifyNetworkInterfaceAttribute", "DeleteSecurityGroup"];
            const found = changes().filter((action) => order.includes(action));
            assert.deepEqual(found, order);
            await succeed("preview", "--expect-no-changes");
        });

        it("cannot be had with credentials that have expired, and the words say so", async () => {
            const end = aws.fail("GetCallerIdentity", faults.tokenExpired);
            const { code, stdout, stderr } = await pulumi(["preview"]);
            end();
            assert.notEqual(code, 0);
            assert.match(stdout + stderr, /The configured AWS credentials are invalid or have expired\./);
        });

        it("stay if they are protected, and are deleted otherwise", async () => {
            const { code, stdout, stderr } = await pulumi(["destroy", "--yes"]);
            assert.notEqual(code, 0);
            assert.match(stdout + stderr, /::service.* cannot be deleted/);
            assert.deepEqual(
                changes().filter((action) => action !== "GetCallerIdentity"),
                [],
            );
            await succeed("destroy", "--yes", "--skip-preview", "--exclude-protected");
            const interfaces = { "Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc };
            const left = await aws.query("ec2", "DescribeNetworkInterfaces", interfaces);
            assert.deepEqual(textsOf(left, "networkInterfaceId"), []);
            const service = String(project.resource("aws:ec2/eip:Eip").id);
            assert.match(await aws.query("ec2", "DescribeAddresses", { "AllocationId.1": service }), /203\.0\.113\./);
        });
    });
}

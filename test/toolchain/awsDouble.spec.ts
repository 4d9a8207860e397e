// The double of AWS: each known fault of moto is gone, calls are counted, and they fail on request.
import assert from "node:assert/strict";
import { type Aws, faults } from "../../lab/aws/aws";
import { splitList, textOf, textsOf } from "../../lab/aws/xml";
import { startDouble } from "../support/double";

describe("double of AWS", () => {
    let aws: Aws;

    before(async function () {
        aws = await startDouble(this);
    });
    after(() => aws?.stop());
    beforeEach(() => aws.calls.reset());

    /** A call as a program makes it. */
    async function call(service: string, form: Record<string, string>): Promise<{ status: number; xml: string }> {
        const scope = `AKIDTEST/20260101/eu-central-1/${service}/aws4_request`;
        const response = await fetch(aws.url, {
            method: "POST",
            headers: {
                authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
                "content-type": "application/x-www-form-urlencoded",
            },
            body: new URLSearchParams({ Version: "2016-11-15", ...form }),
        });
        return { status: response.status, xml: await response.text() };
    }
    const ec2 = (Action: string, form: Record<string, string> = {}) => call("ec2", { Action, ...form });

    describe("pages", () => {
        const filter = { "Filter.1.Name": "tag:run_list", "Filter.1.Value.1": "shop::app" };
        /** The instances on each page. */
        async function pages(form: Record<string, string>): Promise<string[][]> {
            const found: string[][] = [];
            for (let token: string | undefined = ""; token !== undefined; ) {
                const { xml } = await ec2("DescribeInstances", { ...form, ...(token ? { NextToken: token } : {}) });
                found.push(textsOf(xml, "instanceId").filter((id, index, ids) => ids.indexOf(id) === index));
                token = textOf(xml, "nextToken");
            }
            return found;
        }
        let ids: string[];
        before(async () => {
            const tags = { run_list: "shop::app" };
            ids = [...(await aws.instances({ tags, count: 7 })), ...(await aws.instances({ tags, count: 4 }))];
        });

        it("of instances, not of reservations", async () => {
            const found = await pages({ ...filter, MaxResults: "5" });
            assert.deepEqual(
                found.map((page) => page.length),
                [5, 5, 1],
            );
            assert.deepEqual(found.flat().sort(), [...ids].sort());
            assert.deepEqual(
                aws.calls.all.map(({ page }) => page),
                [1, 2, 3],
            );
        });

        it("of 1,000 unless the call asks for less, and all at once for a call by ids", async function () {
            this.timeout(60_000);
            const many = await aws.instances({ tags: { run_list: "many::app" }, count: 101 });
            // moto ends pages after 100 reservations.
            for (const id of many.slice(0, 2)) await aws.query("ec2", "TerminateInstances", { "InstanceId.1": id });
            const form = { "Filter.1.Name": "tag:run_list", "Filter.1.Value.1": "many::app" };
            assert.deepEqual(
                (await pages(form)).map((page) => page.length),
                [101],
            );
            const byId = Object.fromEntries(many.map((id, index) => [`InstanceId.${index + 1}`, id]));
            assert.deepEqual(
                (await pages(byId)).map((page) => page.length),
                [101],
            );
        });

        it("of other lists too, and never of a size that AWS refuses", async () => {
            const tags = { ...filter, "Filter.1.Name": "value" };
            const first = await ec2("DescribeTags", { ...tags, MaxResults: "10" });
            const rest = await ec2("DescribeTags", { ...tags, NextToken: textOf(first.xml, "nextToken") ?? "" });
            assert.deepEqual(
                [...textsOf(first.xml, "resourceId"), ...textsOf(rest.xml, "resourceId")].sort(),
                [...ids].sort(),
            );
            assert.equal(textsOf(first.xml, "resourceId").length, 10);
            for (const MaxResults of ["4", "1001", "x"]) {
                const { status, xml } = await ec2("DescribeInstances", { MaxResults });
                assert.deepEqual([status, textOf(xml, "Code")], [400, "InvalidParameterValue"], MaxResults);
            }
        });

        it("show what has changed since", async () => {
            const [id = ""] = ids;
            await aws.tag(id, { run_list: undefined, "a<b": "c&d" });
            assert.equal((await pages(filter)).flat().length, ids.length - 1);
            const { xml } = await ec2("DescribeTags", { "Filter.1.Name": "resource-id", "Filter.1.Value.1": id });
            assert.deepEqual([textsOf(xml, "key"), textsOf(xml, "value")], [["a&lt;b"], ["c&amp;d"]]);
            await aws.tag(id, { run_list: "shop::app" });
        });
    });

    describe("security group rules", () => {
        it("may be for a protocol without ports, and change", async () => {
            const { vpc } = await aws.network();
            const group = { GroupName: "lb", GroupDescription: "lb", VpcId: vpc };
            const GroupId = textOf((await ec2("CreateSecurityGroup", group)).xml, "groupId") ?? "";
            const vrrp = { "IpPermissions.1.IpProtocol": "112", "IpPermissions.1.Groups.1.GroupId": GroupId };
            const made = await ec2("AuthorizeSecurityGroupIngress", { GroupId, ...vrrp });
            assert.equal(made.status, 200, made.xml);
            const id = textOf(made.xml, "securityGroupRuleId") ?? "";
            const { xml } = await ec2("DescribeSecurityGroupRules", { "SecurityGroupRuleId.1": id });
            const shown = ["ipProtocol", "fromPort", "toPort"].map((element) => textOf(xml, element));
            assert.deepEqual(shown, ["112", "-1", "-1"]);
            const removed = await ec2("RevokeSecurityGroupIngress", { GroupId, "SecurityGroupRuleId.1": id });
            assert.equal(removed.status, 200, removed.xml);

            const of = { ...vrrp, "IpPermissions.1.Groups.1.Description": "Of & each other" };
            const second =
                textOf((await ec2("AuthorizeSecurityGroupIngress", { GroupId, ...of })).xml, "securityGroupRuleId") ??
                "";
            const described = async () => {
                const { xml } = await ec2("DescribeSecurityGroupRules", { "SecurityGroupRuleId.1": second });
                const source =
                    textOf(xml, "referencedGroupInfo") ?? /<referencedGroupInfo>.*?<groupId>([^<]*)/.exec(xml)?.[1];
                return [textOf(xml, "description"), source, textOf(xml, "ipProtocol")];
            };
            assert.deepEqual(await described(), ["Of &amp; each other", GroupId, "112"]);
            const other = { GroupName: "other", GroupDescription: "other", VpcId: vpc };
            const otherId = textOf((await ec2("CreateSecurityGroup", other)).xml, "groupId") ?? "";
            const rule = { IpProtocol: "112", ReferencedGroupId: otherId, Description: "Of the other" };
            const changed = await ec2("ModifySecurityGroupRules", {
                GroupId,
                "SecurityGroupRule.1.SecurityGroupRuleId": second,
                ...Object.fromEntries(
                    Object.entries(rule).map(([name, value]) => [
                        `SecurityGroupRule.1.SecurityGroupRule.${name}`,
                        value,
                    ]),
                ),
            });
            assert.equal(changed.status, 200, changed.xml);
            assert.deepEqual(await described(), ["Of the other", otherId, "112"]);
        });
    });

    describe("interfaces and groups", () => {
        it("are deleted only if no instance uses them", async () => {
            const { vpc, subnets } = await aws.network();
            const group = { GroupName: "used", GroupDescription: "used", VpcId: vpc };
            const GroupId = textOf((await ec2("CreateSecurityGroup", group)).xml, "groupId") ?? "";
            const made = await ec2("CreateNetworkInterface", { SubnetId: subnets[0], "SecurityGroupId.1": GroupId });
            const NetworkInterfaceId = textOf(made.xml, "networkInterfaceId") ?? "";
            const one = { ImageId: "ami-00000000000086064", MinCount: "1", MaxCount: "1" };
            const device = {
                "NetworkInterface.1.DeviceIndex": "0",
                "NetworkInterface.1.NetworkInterfaceId": NetworkInterfaceId,
            };
            const instance = textOf((await ec2("RunInstances", { ...one, ...device })).xml, "instanceId") ?? "";
            const code = async (action: string, form: Record<string, string>) => {
                const { status, xml } = await ec2(action, form);
                return status === 200 ? "done" : textOf(xml, "Code");
            };
            assert.equal(await code("DeleteNetworkInterface", { NetworkInterfaceId }), "InvalidParameterValue");
            const shown = async () => {
                const { xml } = await ec2("DescribeNetworkInterfaces", { "NetworkInterfaceId.1": NetworkInterfaceId });
                return [textsOf(xml, "status").at(-1), textOf(xml, "instanceId")];
            };
            assert.deepEqual(await shown(), ["in-use", instance]);
            await ec2("TerminateInstances", { "InstanceId.1": instance });
            assert.deepEqual(await shown(), ["available", undefined]);
            assert.equal(await code("DeleteSecurityGroup", { GroupId }), "DependencyViolation");
            assert.equal(await code("DeleteNetworkInterface", { NetworkInterfaceId }), "done");
            assert.equal(await code("DeleteSecurityGroup", { GroupId }), "done");
        });
    });

    describe("addresses", () => {
        let hosts: { id: string; primary: string; secondary: string }[];
        let own: { allocation: string; address: string };
        let service: { allocation: string; address: string };
        const allocate = async () => {
            const tag = { "TagSpecification.1.Tag.1.Key": "environment", "TagSpecification.1.Tag.1.Value": "prod" };
            const type = { "TagSpecification.1.ResourceType": "elastic-ip" };
            const { xml } = await ec2("AllocateAddress", { Domain: "vpc", ...type, ...tag });
            return { allocation: textOf(xml, "allocationId") ?? "", address: textOf(xml, "publicIp") ?? "" };
        };
        const associate = (form: Record<string, string>) => ec2("AssociateAddress", form);
        /** The public address of each private address of an interface, as a call for interfaces shows it. */
        async function publicAddresses(id: string): Promise<Record<string, string | undefined>> {
            const { xml } = await ec2("DescribeNetworkInterfaces", { "NetworkInterfaceId.1": id });
            const items = splitList(xml, "privateIpAddressesSet")?.items ?? [];
            return Object.fromEntries(
                items.map((item) => [textOf(item, "privateIpAddress"), textOf(item, "publicIp")]),
            );
        }
        const described = async ({ allocation }: { allocation: string }) => {
            const { xml } = await ec2("DescribeAddresses", { "AllocationId.1": allocation });
            const fields = xml.replace(/<tagSet>.*<\/tagSet>/, "");
            return ["associationId", "networkInterfaceId", "privateIpAddress"].map((name) => textOf(fields, name));
        };

        before(async () => {
            const { subnets } = await aws.network();
            hosts = await Promise.all(
                subnets.map(async (SubnetId) => {
                    const { xml } = await ec2("CreateNetworkInterface", {
                        SubnetId,
                        SecondaryPrivateIpAddressCount: "1",
                    });
                    const [primary = "", secondary = ""] = (splitList(xml, "privateIpAddressesSet")?.items ?? []).map(
                        (item) => textOf(item, "privateIpAddress"),
                    );
                    return { id: textOf(xml, "networkInterfaceId") ?? "", primary, secondary };
                }),
            );
            [own, service] = [await allocate(), await allocate()];
        });

        it("are associated with the private address that is named", async () => {
            const [a, b] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
            await associate({ AllocationId: own.allocation, NetworkInterfaceId: a.id, PrivateIpAddress: a.primary });
            const toA = {
                AllocationId: service.allocation,
                NetworkInterfaceId: a.id,
                PrivateIpAddress: a.secondary,
                AllowReassociation: "true",
            };
            const first = textOf((await associate(toA)).xml, "associationId");
            assert.match(service.address, /^203\.0\.113\./);
            assert.deepEqual(await described(service), [first, a.id, a.secondary]);
            assert.deepEqual(await publicAddresses(a.id), { [a.primary]: own.address, [a.secondary]: service.address });
            const again = textOf((await associate(toA)).xml, "associationId");
            assert.equal(again, first, "an association that is there already stays");

            const { AllowReassociation: _, ...toB } = {
                ...toA,
                NetworkInterfaceId: b.id,
                PrivateIpAddress: b.secondary,
            };
            const refused = await associate(toB);
            assert.deepEqual([refused.status, textOf(refused.xml, "Code")], [400, "Resource.AlreadyAssociated"]);
            const moved = await associate({ ...toB, AllowReassociation: "true" });
            const second = textOf(moved.xml, "associationId");
            assert.deepEqual(await described(service), [second, b.id, b.secondary]);
            assert.notEqual(second, first);
            assert.deepEqual(await publicAddresses(a.id), { [a.primary]: own.address, [a.secondary]: undefined });
            const found = await ec2("DescribeAddresses", {
                "Filter.1.Name": "association-id",
                "Filter.1.Value.1": second ?? "",
            });
            assert.deepEqual(textsOf(found.xml, "allocationId"), [service.allocation]);
        });

        it("leave the interface that they are moved from", async () => {
            const [a, b] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
            await associate({ AllocationId: own.allocation, NetworkInterfaceId: b.id, AllowReassociation: "true" });
            assert.deepEqual(await publicAddresses(a.id), { [a.primary]: undefined, [a.secondary]: undefined });
            assert.deepEqual(await publicAddresses(b.id), { [b.primary]: own.address, [b.secondary]: service.address });
        });

        it("are not associated with an address that the interface does not have", async () => {
            const [a, b] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
            const wrong = { AllocationId: own.allocation, NetworkInterfaceId: a.id, PrivateIpAddress: b.primary };
            const { status, xml } = await associate({ ...wrong, AllowReassociation: "true" });
            assert.deepEqual([status, textOf(xml, "Code")], [400, "InvalidParameterValue"]);
        });

        it("are released only if nothing has them", async () => {
            for (const address of [own, service]) {
                const inUse = await ec2("ReleaseAddress", { AllocationId: address.allocation });
                assert.equal(textOf(inUse.xml, "Code"), "InvalidIPAddress.InUse");
                const [AssociationId = ""] = await described(address);
                assert.equal((await ec2("DisassociateAddress", { AssociationId })).status, 200);
                assert.deepEqual(await described(address), [undefined, undefined, undefined]);
                assert.equal((await ec2("ReleaseAddress", { AllocationId: address.allocation })).status, 200);
            }
        });

        it("may be secondary ones of an instance's own interface", async () => {
            const { subnets } = await aws.network();
            const form = {
                ImageId: "ami-00000000000086064",
                MinCount: "1",
                MaxCount: "1",
                "NetworkInterface.1.DeviceIndex": "0",
                "NetworkInterface.1.SubnetId": subnets[0],
                "NetworkInterface.1.SecondaryPrivateIpAddressCount": "1",
            };
            const { xml } = await ec2("RunInstances", form);
            const shown = await ec2("DescribeInstances", { "InstanceId.1": textOf(xml, "instanceId") ?? "" });
            assert.equal(splitList(shown.xml, "privateIpAddressesSet")?.items.length, 2);
        });
    });

    describe("images", () => {
        it("have the newest of each owner's", async () => {
            for (const [owner, pattern, newest] of [
                ["099720109477", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-*", /20261112$/],
                ["099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", /20261110$/],
                ["136693071363", "debian-12-amd64-*", /20261109-2641$/],
                ["136693071363", "debian-13-arm64-*", /20261116-2646$/],
            ] as const) {
                const { xml } = await ec2("DescribeImages", {
                    "Owner.1": owner,
                    "Filter.1.Name": "name",
                    "Filter.1.Value.1": pattern,
                });
                const items = splitList(xml, "imagesSet")?.items ?? [];
                const [last] = items.sort((a, b) =>
                    (textOf(a, "creationDate") ?? "") < (textOf(b, "creationDate") ?? "") ? 1 : -1,
                );
                assert.match(textOf(last ?? "", "name") ?? "", newest);
                assert.equal(items.length, 2);
            }
        });
    });

    describe("calls", () => {
        it("are counted by service and action, without those of tests", async () => {
            await aws.instances({ tags: {} });
            await ec2("DescribeVpcs");
            await ec2("DescribeVpcs", { "Filter.1.Name": "vpc-id", "Filter.1.Value.1": "vpc-1" });
            await call("sts", { Action: "GetCallerIdentity", Version: "2011-06-15" });
            assert.deepEqual(aws.calls.table(), { "ec2.DescribeVpcs": 2, "sts.GetCallerIdentity": 1 });
            assert.equal(aws.calls.count("DescribeVpcs"), 2);
            assert.equal(aws.calls.all[1]?.parameters["Filter.1.Name"], "vpc-id");
        });

        it("fail as the service's protocol has it, as often as a test asks for", async () => {
            aws.fail("DescribeVpcs", { ...faults.throttled, times: 2 });
            const end = aws.fail("sts.GetCallerIdentity", faults.tokenExpired);
            const outcome = async ({ status, xml }: Awaited<ReturnType<typeof call>>) => [
                status,
                textOf(xml, "Code"),
                /^<\?xml[^>]*>\s*<(\w+)/.exec(xml)?.[1],
            ];
            for (const _ of [1, 2])
                assert.deepEqual(await outcome(await ec2("DescribeVpcs")), [503, "RequestLimitExceeded", "Response"]);
            assert.equal((await ec2("DescribeVpcs")).status, 200);
            const identity = () => call("sts", { Action: "GetCallerIdentity", Version: "2011-06-15" });
            assert.deepEqual(await outcome(await identity()), [403, "ExpiredToken", "ErrorResponse"]);
            end();
            assert.equal((await identity()).status, 200);
            assert.deepEqual(
                aws.calls.all.map(({ status }) => status),
                [503, 503, 200, 403, 200],
            );
        });

        it("fail for one page, or without an answer", async () => {
            const form = { "Filter.1.Name": "tag:run_list", "Filter.1.Value.1": "shop::app", MaxResults: "5" };
            const end = aws.fail("DescribeInstances", { ...faults.unavailable, page: 2 });
            const first = await ec2("DescribeInstances", form);
            assert.equal(first.status, 200);
            const second = { ...form, NextToken: textOf(first.xml, "nextToken") ?? "" };
            assert.equal((await ec2("DescribeInstances", second)).status, 503);
            end();
            assert.equal((await ec2("DescribeInstances", second)).status, 200);
            aws.fail("*", { ...faults.dropped, times: 1 });
            await assert.rejects(ec2("DescribeVpcs"), /fetch failed/);
            assert.equal((await ec2("DescribeVpcs")).status, 200);
        });

        it("of secrets are answered in JSON", async () => {
            await aws.secret("pem", "first");
            await aws.secret("pem", "second");
            const { SecretString } = await aws.secretsManager("GetSecretValue", { SecretId: "pem" });
            assert.equal(SecretString, "second");
            aws.fail("secretsmanager.GetSecretValue", { ...faults.tokenExpired, times: 1 });
            const response = await fetch(aws.url, {
                method: "POST",
                headers: {
                    authorization:
                        "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=none",
                    "content-type": "application/x-amz-json-1.1",
                    "x-amz-target": "secretsmanager.GetSecretValue",
                },
                body: JSON.stringify({ SecretId: "pem" }),
            });
            assert.deepEqual([response.status, (await response.json()).__type], [403, "ExpiredToken"]);
        });

        it("reach zones, and other accounts and regions", async () => {
            const zone = await aws.hostedZone("example.com");
            assert.deepEqual(await aws.records(zone), []);
            const where = { region: "eu-west-1", account: "222222222222" };
            const [id = ""] = await aws.instances({ tags: { run_list: "far::app" } }, where);
            assert.match(await aws.query("ec2", "DescribeInstances", {}, where), new RegExp(id));
            assert.doesNotMatch((await ec2("DescribeInstances")).xml, new RegExp(id));
        });
    });
});

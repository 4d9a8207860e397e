import assert from "node:assert/strict";
import { type Company, names } from "../../../lab/aws/company";
import { textOf, textsOf } from "../../../lab/aws/xml";
import type { AwsStack } from "./awsStack";
import { lastEdits } from "./changes";
import { serviceAddress } from "./provisioning";

export function destruction(company: () => Company, prod: () => AwsStack): void {
    it("loses nothing while the address and the names are protected", async () => {
        company().aws.calls.reset();
        const { code, text } = await prod().pulumi("destroy", "--yes");
        assert.notEqual(code, 0, text);
        assert.match(text, /::prod-edge-(service-address|role-policy|name-)\S* cannot be deleted/);
        assert.deepEqual(company().changes(), []);
        for (const host of Object.values((await prod().outputs()).addresses))
            assert.equal((await company().get(host, names.docs)).status, 200);
    });

    it("leaves nothing without protection, though the service address leads to a host", async () => {
        const { aws, zone, lab } = company();
        const { address = "" } = (await prod().outputs()).services.edge ?? {};
        assert.match(await serviceAddress(aws, address), /<associationId>eipassoc-/);
        prod().edit(...lastEdits, ["dns: { zone", "protect: false, dns: { zone"]);
        await prod().up("--skip-preview");
        await prod().succeed("destroy", "--yes", "--skip-preview", "--refresh");
        assert.deepEqual(await aws.records(zone), []);
        assert.deepEqual(textsOf(await aws.query("ec2", "DescribeAddresses"), "publicIp"), []);
        assert.deepEqual(
            lab.hosts.filter(({ name }) => name.startsWith("host")).map(({ power }) => power),
            ["off", "off", "off"],
        );
        const groups = await aws.query("ec2", "DescribeSecurityGroups", {
            "Filter.1.Name": "description",
            "Filter.1.Value.1": "HAProxy hosts",
        });
        assert.deepEqual(textsOf(groups, "groupId"), []);
    });

    it("gives the host of a terminated instance to the next one with a fresh disk", async () => {
        const { aws, network } = company();
        const made = await aws.query("ec2", "CreateNetworkInterface", { SubnetId: network.subnets[0] });
        const id = textOf(made, "networkInterfaceId") ?? "";
        assert.ok((await aws.hostOf(id).read("etc/haproxy/haproxy.cfg"))?.includes("frontend"));
        await aws.query("ec2", "RunInstances", {
            ImageId: "ami-00000000000086064",
            MinCount: 1,
            MaxCount: 1,
            "NetworkInterface.1.DeviceIndex": 0,
            "NetworkInterface.1.NetworkInterfaceId": id,
        });
        await aws.booted();
        assert.equal(await aws.hostOf(id).read("etc/haproxy/haproxy.cfg"), undefined);
        assert.equal(await aws.hostOf(id).read("root/.ssh/authorized_keys"), undefined);
    });
}

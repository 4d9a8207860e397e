import assert from "node:assert/strict";
import { textsOf } from "../../../lab/aws/xml";
import { type AwsStack, type Company, names } from "./awsStack";

export function destruction(company: () => Company, prod: () => AwsStack): void {
    it("loses nothing while the address and the names are protected", async () => {
        company().aws.calls.reset();
        const { code, text } = await prod().pulumi("destroy", "--yes");
        assert.notEqual(code, 0, text);
        assert.match(text, /prod-edge-service-address.* cannot be deleted|is protected/);
        assert.deepEqual(company().changes(), []);
        for (const host of Object.values((await prod().outputs()).addresses))
            assert.equal((await company().get(host, names.docs)).status, 200);
    });

    it("leaves nothing without protection", async () => {
        await prod().succeed("state", "unprotect", "--all", "--yes");
        await prod().succeed("destroy", "--yes", "--skip-preview");
        const { aws, zone, lab } = company();
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
}

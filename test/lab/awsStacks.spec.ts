// prod and staging, as they are in the checkout, through the real engine: on the double of AWS, whose instances are hosts of the lab.
import assert from "node:assert/strict";
import { Company, hostsFor, names } from "../../lab/aws/company";
import { describeLab, withLab } from "../support/lab";
import { skip } from "../support/skip";
import { AwsStack } from "./awsStacks/awsStack";

describeLab("stacks on AWS", () => {
    const pool = ["host1", "host2", "host3"];
    const lab = withLab(hostsFor(pool));
    let company: Company;
    let prod: AwsStack;

    before(async function () {
        this.timeout(600_000);
        const found = await Company.create(lab(), pool);
        if (typeof found === "string") return skip(this, found);
        company = found;
        await company.app("ecom-platform");
        await company.app("ecom-docs");
        await company.certificate();
        prod = new AwsStack(company, "prod");
        await prod.create();
    });
    after(async () => {
        prod?.remove();
        await company?.stop();
    });

    it("previews", async () => {
        console.log(await prod.preview());
        console.log(company.aws.calls.table());
    });
    it("up", async function () {
        this.timeout(600_000);
        console.log(await prod.up("--skip-preview"));
        console.log(company.aws.calls.table());
        console.log(await prod.outputs());
        const { addresses } = await prod.outputs();
        for (const address of Object.values(addresses))
            console.log(await company.get(address, names.platform), await company.get(address, names.docs));
    });
    it("nothing", async () => {
        console.log(await prod.preview("--diff"));
    });
    it("refresh", async () => {
        console.log(await prod.succeed("refresh", "--yes"));
        console.log(await prod.preview("--diff"));
        assert.ok(true);
    });
});

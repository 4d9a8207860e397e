// prod and staging, as they are in the checkout, through the real engine: on the double of AWS, whose instances are hosts of the lab.
import { Company, hostsFor } from "../../lab/aws/company";
import { describeLab, withLab } from "../support/lab";
import { skip } from "../support/skip";
import { apiFaults } from "./awsStacks/apiFaults";
import { AwsStack } from "./awsStacks/awsStack";
import { changes } from "./awsStacks/changes";
import { destruction } from "./awsStacks/destruction";
import { provisioning } from "./awsStacks/provisioning";

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

    describe("provisioned", () =>
        provisioning(
            () => company,
            () => prod,
        ));
    describe("changed", () =>
        changes(
            () => company,
            () => prod,
        ));
    describe("while AWS", () =>
        apiFaults(
            () => company,
            () => prod,
        ));
    describe("destroyed", () =>
        destruction(
            () => company,
            () => prod,
        ));
});

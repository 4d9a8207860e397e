// What the stacks register of AWS, judged by Terraform's AWS provider, because the double of AWS accepts what AWS refuses. Pulumi's
// provider 7.x is made from 6.x of it; machines have 5.x. test/support/terraformJson.ts has the differences that matter.
import assert from "node:assert/strict";
import { type Aws, startAws } from "../../lab/aws/aws";
import { textOf } from "../../lab/aws/xml";
import { withProbeReplies } from "../support/probeReplies";
import { skip } from "../support/skip";
import { outputs, runStack, type StackName } from "../support/stackProgram";
import { findTerraform, Terraform } from "../support/terraform";
import { idReference, imageReference, outputReferences, terraformJson } from "../support/terraformJson";

const stacks: readonly StackName[] = ["staging", "prod"];

/** A resource of prod with a fault. */
interface Mistake {
    readonly type: string;
    readonly change: Readonly<Record<string, unknown>>;
    /** What the provider says. */
    readonly says: RegExp;
}

/**
 * What the provider leaves to AWS, so that nothing here sees it: names of protocols and instance types, ports of a protocol that has none,
 * a record without `ttl`, characters of descriptions.
 */
const ingress = "aws_vpc_security_group_ingress_rule";
const mistakes: Readonly<Record<string, Mistake>> = {
    "rule-for-nobody": { type: ingress, change: { cidr_ipv4: undefined }, says: /Exactly one/ },
    "port-out-of-range": { type: ingress, change: { to_port: 65536 }, says: /65535/ },
    "network-with-bits-after-the-prefix": { type: ingress, change: { cidr_ipv4: "10.0.0.1/8" }, says: /CIDR/ },
    "port-as-text": { type: ingress, change: { to_port: "https" }, says: /number/ },
    "attribute-that-instances-lack": { type: "aws_instance", change: { hop_limit: 1 }, says: /hop_limit/ },
    "option-of-metadata-that-does-not-exist": {
        type: "aws_instance",
        change: { metadata_options: [{ http_tokens: "always" }] },
        says: /http_tokens/,
    },
    "volume-type-with-a-typo": {
        type: "aws_instance",
        change: { root_block_device: [{ volume_type: "gp33" }] },
        says: /volume_type/,
    },
    "group-of-an-instance-with-its-own-interface": {
        type: "aws_instance",
        change: { vpc_security_group_ids: ["sg-0a1b2c3d"] },
        says: /conflicts/,
    },
    "ignored-attribute-that-instances-lack": {
        type: "aws_instance",
        change: { lifecycle: { ignore_changes: ["image"] } },
        says: /image/,
    },
    "lifetime-of-a-record-without-values": {
        type: "aws_route53_record",
        change: { records: undefined },
        says: /records/,
    },
    "record-of-an-unknown-type": { type: "aws_route53_record", change: { type: "ANAME" }, says: /type/ },
    "policy-that-is-no-policy": { type: "aws_iam_role_policy", change: { policy: "{" }, says: /policy/ },
    "role-for-nobody": { type: "aws_iam_role", change: { assume_role_policy: undefined }, says: /assume_role_policy/ },
    "address-outside-of-vpcs": { type: "aws_eip", change: { domain: "vcp" }, says: /domain/ },
    "interface-without-a-subnet": {
        type: "aws_network_interface",
        change: { subnet_id: undefined },
        says: /subnet_id/,
    },
};

describe("Terraform's AWS provider", () => {
    withProbeReplies();
    let aws: Aws;
    let terraform: Terraform;

    before(async function () {
        this.timeout(300_000); // The first time, pip installs the double.
        const installed = findTerraform("5.");
        if (typeof installed === "string") return skip(this, installed);
        const started = await startAws();
        if (typeof started === "string") return skip(this, started);
        aws = started;
        terraform = new Terraform(installed, aws.env);
        await succeed("init");
    });
    after(async () => {
        terraform?.remove();
        await aws?.stop();
    });

    async function succeed(...args: string[]): Promise<string> {
        const { code, text } = await terraform.run(...args, "-no-color", "-input=false");
        assert.equal(code, 0, `terraform ${args.join(" ")}:\n${text}`);
        return text;
    }

    /** What a stack registers, with the double's ids in its config. */
    async function registered(stack: StackName, change: Readonly<Record<string, string>>) {
        const images: Record<string, Record<string, unknown>> = {};
        const run = await runStack(stack, {
            change,
            id: idReference,
            outputs: (type, name) => ({ ...outputs(type, name), ...outputReferences(type, name) }),
            call(token, inputs) {
                if (token !== "aws:ec2/getAmi:getAmi") return undefined;
                const [owner = ""] = inputs.owners as string[];
                images[owner] = inputs;
                return { id: imageReference(owner) };
            },
        });
        return terraformJson(run, images);
    }

    it("accepts what staging and prod register, makes it, and sees no difference afterwards", async function () {
        this.timeout(180_000);
        const zone = await aws.hostedZone("example.com");
        for (const stack of stacks) {
            const { vpc, subnets } = await aws.network();
            const group = { GroupName: "bastion", GroupDescription: "bastion", VpcId: vpc };
            const bastion = textOf(await aws.query("ec2", "CreateSecurityGroup", group), "groupId") ?? "";
            const [subnetA, subnetB] = subnets;
            const change = { vpc, subnetA, subnetB, zone, bastionSecurityGroup: bastion };
            terraform.write(stack, await registered(stack, change));
        }
        const applied = await succeed("apply", "-auto-approve");
        assert.doesNotMatch(applied, /Warning/);
        assert.match(applied, /Apply complete! Resources: \d+ added, 0 changed, 0 destroyed/);
        assert.match(await succeed("plan"), /No changes\. Your infrastructure matches the configuration\./);
    });

    it("refuses planted mistakes, each for itself", async function () {
        this.timeout(60_000);
        const { resource } = await registered("prod", {});
        for (const [file, { type, change }] of Object.entries(mistakes)) {
            const [right] = Object.values(resource[type] ?? {});
            assert.ok(right, `prod has a resource of the type ${type}`);
            terraform.write(file, { resource: { [type]: { [file]: { ...right, ...change } } } });
        }
        const found = await terraform.validate();
        const refused = [...found].map(([file, diagnostics]) => {
            const texts = diagnostics.map(({ summary, detail }) => `${summary} ${detail}`);
            return [file, texts.some((text) => mistakes[file]?.says.test(text)) || texts];
        });
        assert.deepEqual(
            Object.fromEntries(refused),
            Object.fromEntries(Object.keys(mistakes).map((file) => [file, true])),
        );
    });
});

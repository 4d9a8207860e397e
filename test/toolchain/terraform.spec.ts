// What the stacks register of AWS, judged by Terraform's AWS provider, because the double of AWS accepts what AWS refuses. Pulumi's
// provider 7.x is made from 6.x of it; machines have 5.x. test/support/terraformJson.ts has the differences that matter.
import assert from "node:assert/strict";
import { Ec2Hosts } from "../../components/aws";
import type { Aws } from "../../lab/aws/aws";
import { textOf } from "../../lab/aws/xml";
import { awsMocks } from "../support/awsMocks";
import { startDouble } from "../support/double";
import { mockEngine, type Recording, settled } from "../support/mocks";
import { withProbeReplies } from "../support/probeReplies";
import { skip } from "../support/skip";
import { exampleConfig } from "../support/stackConfig";
import { runStack, type StackRunOptions, stacksOnAws } from "../support/stackRun";
import { findTerraform, Terraform } from "../support/terraform";
import { idReference, imageReference, outputReferences, terraformJson } from "../support/terraformJson";

/** Ids and outputs that are references. */
type Mocks = Required<Pick<StackRunOptions, "id" | "outputs" | "call">>;

/** A resource of staging with a fault. */
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
    "rule-without-a-source": { type: ingress, change: { cidr_ipv4: undefined }, says: /Exactly one/ },
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
        change: {
            network_interface: [{ network_interface_id: "eni-0a1b2c3d", device_index: 0 }],
            vpc_security_group_ids: ["sg-0a1b2c3d"],
        },
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
    "role-that-nothing-can-assume": {
        type: "aws_iam_role",
        change: { assume_role_policy: undefined },
        says: /assume_role_policy/,
    },
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
        const installed = findTerraform("5.");
        if (typeof installed === "string") return skip(this, installed);
        aws = await startDouble(this);
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

    /** What a program registers, as a configuration. */
    async function registered(program: (mocks: Mocks) => Promise<Recording>) {
        const images: Record<string, Record<string, unknown>> = {};
        const recording = await program({
            id: idReference,
            outputs: (type, name) => ({ ...awsMocks.outputs(type, name), ...outputReferences(type, name) }),
            call(token, inputs) {
                if (token !== "aws:ec2/getAmi:getAmi") return undefined;
                const [owner = ""] = inputs.owners as string[];
                images[owner] = inputs;
                return { id: imageReference(owner) };
            },
        });
        return terraformJson(recording, images);
    }

    /** Hosts with everything that stacks leave out. */
    async function everything(
        { call, ...mocks }: Mocks,
        vpc: string,
        subnet: string,
        zone: string,
    ): Promise<Recording> {
        const recording = await mockEngine({
            ...mocks,
            call: (token, inputs) => call(token, inputs) ?? awsMocks.call(token, inputs),
        });
        const key = exampleConfig.sshPublicKeys ?? "";
        new Ec2Hosts("all", {
            environment: "test",
            vpc,
            hosts: { lb1: { subnet, generation: 2, instanceType: "c7g.medium" } },
            image: { owner: "210987654321", name: "debian-13-arm64-*", architecture: "arm64" },
            diskGiB: 8,
            ports: [8443],
            clients: ["192.0.2.7", "198.51.100.0/24", "2001:DB8:0::/48", "2001:db8:1::1"],
            ssh: { user: "ops", authorizedKeys: JSON.parse(key), from: ["2001:db8:2::/64"] },
            dns: { zone, names: ["*.all.example.com", "all.example.com"], ttl: 60 },
            runList: [],
            tags: { team: "Shop & Söhne", "cost:center": "1/2 = ${half}" },
            protect: false,
        });
        await settled();
        return recording;
    }

    it("accepts what staging, prod and hosts register, makes it, and sees no difference afterwards", async function () {
        this.timeout(180_000);
        const zone = await aws.hostedZone("example.com");
        const write = async (name: string, program: (mocks: Mocks) => Promise<Recording>) => {
            const configuration = await registered(program);
            terraform.write(name, configuration);
            return Object.values(configuration.resource).flatMap(Object.keys).length;
        };
        let count = 0;
        for (const stack of stacksOnAws) {
            const { vpc, subnets } = await aws.network();
            const group = { GroupName: "bastion", GroupDescription: "bastion", VpcId: vpc };
            const bastion = textOf(await aws.query("ec2", "CreateSecurityGroup", group), "groupId") ?? "";
            const [subnetA, subnetB] = subnets;
            const change = { vpc, subnetA, subnetB, zone, bastionSecurityGroup: bastion };
            count += await write(stack, (mocks) => runStack(stack, { change, ...mocks }));
        }
        const { vpc, subnets } = await aws.network();
        count += await write("all", (mocks) => everything(mocks, vpc, subnets[0], zone));
        const applied = await succeed("apply", "-auto-approve");
        assert.doesNotMatch(applied, /Warning/);
        assert.ok(applied.includes(`Apply complete! Resources: ${count} added, 0 changed, 0 destroyed.`), applied);
        assert.match(await succeed("plan"), /No changes\. Your infrastructure matches the configuration\./);
    });

    it("refuses planted mistakes, each for itself", async function () {
        this.timeout(60_000);
        const { resource } = await registered((mocks) => runStack("staging", mocks));
        for (const [file, { type, change }] of Object.entries(mistakes)) {
            const right = Object.values(resource[type] ?? {}).find((one) => type !== ingress || "cidr_ipv4" in one);
            assert.ok(right, `staging has a resource of the type ${type}`);
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

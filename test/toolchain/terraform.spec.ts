// What stacks register of AWS, judged by Terraform's AWS provider, which Pulumi's is made from. Pulumi has 7.x, made from 6.x; machines
// have 5.x. The differences that matter are in test/support/terraformJson.ts.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { Ec2Hosts } from "../../components/aws/index";
import { type Aws, startAws } from "../../lab/aws/aws";
import { mockEngine, restoreLog, settled } from "../support/mocks";
import { skip } from "../support/skip";
import { findTerraform, Terraform } from "../support/terraform";
import { type Call, lookedUp, references, terraformJson } from "../support/terraformJson";

describe("Terraform's AWS provider", () => {
    let aws: Aws | undefined;
    let terraform: Terraform | undefined;

    before(async function () {
        this.timeout(300_000); // The first time, pip installs the double.
        const installed = findTerraform("5.");
        if (typeof installed === "string") return skip(this as unknown as Mocha.Context, installed);
        const started = await startAws();
        if (typeof started === "string") return skip(this as unknown as Mocha.Context, started);
        aws = started;
        terraform = new Terraform(installed, aws.env);
    });
    after(async () => {
        restoreLog();
        terraform?.remove();
        await aws?.stop();
    });

    it("works", async function () {
        this.timeout(200_000);
        assert.ok(aws && terraform);
        const { vpc, subnets } = await aws.network();
        const zone = await aws.hostedZone("example.com");
        const calls: Call[] = [];
        const recording = await mockEngine({
            ...references,
            outputs: (type, name) => type.startsWith("tls") ? { privateKeyOpenssh: require("fs").readFileSync("/tmp/orc/k","utf8"), publicKeyOpenssh: "x" } : references.outputs(type, name),
            call: (token, inputs) => {
                if (token === "aws:ec2/getAmi:getAmi") return { id: lookedUp(calls.push({ token, inputs }) - 1) };
                return { availabilityZone: inputs.id };
            },
        });
        new Ec2Hosts("edge", {
            environment: "prod",
            vpc,
            hosts: { lb1: { subnet: subnets[0] }, lb2: { subnet: subnets[1] } },
            ssh: { user: "deploy", authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Bb9oTz4ofg4D4jpHy7Wn3K0YkVUTdSDlXw0VjTTkh ops"], from: ["192.0.2.0/24"] },
            dns: { zone, names: ["www.example.com"] },
        } as any);
        await settled();
        const json = terraformJson(recording, calls);
        console.log(JSON.stringify(json, undefined, 1), recording.messages);
        terraform.write("prod", json);
        for (const args of [["init"], ["apply", "-auto-approve", "-no-color"], ["plan", "-detailed-exitcode", "-no-color"]]) {
            const t = Date.now();
            const { code, text } = await terraform.run(...args);
            console.log(args.join(" "), code, Date.now() - t, code && text);
        }
        console.log(aws.calls.table());
        void generateKeyPairSync;
    });
});

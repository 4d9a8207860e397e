// Certificates from providers under the real CLI: keys and certificates of the tls plugin, secrets of a simulated AWS.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Aws, startAws } from "../../lab/aws/aws";
import { pulumiInstall, repo } from "../../toolchain/environment.mjs";
import { skip } from "../support/skip";
import { Project } from "./project";

const module = (path: string) => JSON.stringify(join(repo, "components", path));
const dayMs = 86_400_000;

/** What the program shows of each source: the texts as they are, for the test only. */
type Shown = Record<string, { pem?: string; chain?: string; key?: string; problem?: string }>;

describe("certificates from providers", () => {
    const project = new Project();
    let aws: Aws | undefined;
    let whyNoAws = "";
    const started = Date.now();
    const later = (days: number) => new Date(started + days * dayMs).toISOString();

    before(async function () {
        this.timeout(300_000); // The first time, pip installs moto.
        const found = await startAws();
        if (typeof found === "string") whyNoAws = found;
        else aws = found;
        await project.succeed("stack", "init", "dev");
    });
    after(async () => {
        await aws?.stop();
        project.remove();
    });

    const program = (certificates: string, authorities = "{}", more = "") =>
        project.program(`
            import { Provider } from "@pulumi/aws/provider";
            import { certificateParts } from ${module("tls/sources")};
            class Balancer extends pulumi.ComponentResource {
                readonly shown: pulumi.Output<object>;
                constructor(name: string, certificates: any, authorities: any = {}, options = {}) {
                    super("test:index:Balancer", name, {}, options);
                    const parts = certificateParts(certificates, authorities, { name, parent: this });
                    this.shown = pulumi.output({ ...parts.certificates, ...parts.authorities });
                    this.registerOutputs({});
                }
            }
            export let { shown } = new Balancer("edge", ${certificates}, ${authorities});
            ${more}`);
    const made = `{
        own: { selfSigned: { names: ["dev.example.com"], key: "rsa" } },
        shop: { issuedBy: "internal", names: ["shop.internal", "Bücher.example", "192.0.2.7"] },
    }`;
    const lab = { HAPROXY_FLEET_LAB: "1" };
    const pulumi = (args: string[], env: Record<string, string | undefined> = {}) =>
        project.run([...args, "--color=never"], { env: { ...aws?.env, ...lab, ...env } });
    async function succeed(args: string[], env?: Record<string, string | undefined>): Promise<string> {
        const { code, stdout, stderr } = await pulumi(args, env);
        assert.equal(code, 0, stdout + stderr);
        return stdout;
    }
    const up = (env?: Record<string, string | undefined>) => succeed(["up", "--yes", "--skip-preview"], env);
    const shown = async () =>
        JSON.parse(await succeed(["stack", "output", "shown", "--json", "--show-secrets"])) as Shown;
    const certificate = (pem: string | undefined) => new X509Certificate(pem ?? "");

    it("are children of a fleet, which is registered without waiting for them", async function () {
        this.timeout(60_000);
        project.program(`
            import { LoadBalancerFleet } from ${module("index")};
            const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
            new LoadBalancerFleet("edge", {
                hosts: { lb1: { connection: { address: "192.0.2.1", hostKey } } },
                certificates: { shop: { issuedBy: "internal", names: ["shop.test"] } },
                authorities: { internal: { private: { commonName: "Example internal" } } },
                services: [
                    { name: "shop", hosts: ["shop.test"], port: 80, tls: true, servers: [{ name: "s1", address: "192.0.2.2" }] },
                ],
                probe: false,
            });`);
        const preview = await succeed(["preview"]);
        for (const name of ["edge-internal_ca-cert", "edge-shop-cert", "edge-lb1-converge"])
            assert.ok(preview.includes(name), preview);
    });

    it("are unknown in a preview that would make them, and made by an up", async function () {
        this.timeout(60_000);
        program(made, `{ internal: { private: { commonName: "Example internal" } } }`);
        const preview = await succeed(["preview", "--diff"]);
        assert.match(preview, /shown *: \[unknown\]/);
        const text = await up();
        assert.doesNotMatch(preview + text, /PRIVATE KEY/);
        const { own, shop, internal } = await shown();
        assert.equal(certificate(own?.pem).subjectAltName, "DNS:dev.example.com");
        const leaf = certificate(shop?.pem);
        assert.equal(leaf.subjectAltName, "DNS:shop.internal, DNS:xn--bcher-kva.example, IP Address:192.0.2.7");
        assert.equal(shop?.chain, internal?.pem);
        assert.ok(leaf.verify(certificate(internal?.pem).publicKey));
        assert.match(shop?.key ?? "", /^-----BEGIN EC PRIVATE KEY-----/);
        assert.match(own?.key ?? "", /^-----BEGIN RSA PRIVATE KEY-----/);
    });

    it("have their keys in the state as encrypted secrets only", async () => {
        const keys = Object.values(await shown()).flatMap(({ key = "" }) => key.split("\n").slice(1, 3));
        const state = project.stateText();
        assert.equal(keys.filter((line) => line !== "").length >= 3, true);
        for (const text of ["PRIVATE KEY", ...keys.filter((line) => line !== "")])
            assert.ok(!state.includes(text), `the state has ${text}`);
    });

    it("stay until the time of their renewal", async function () {
        this.timeout(60_000);
        // The real plugin has the machine's clock only.
        await succeed(["preview", "--expect-no-changes"], { HAPROXY_FLEET_LAB_CLOCK: later(59) });
    });

    it("are renewed by an up within a third of their time, with the keys that they have", async function () {
        if (pulumiInstall().full) return skip(this, "the real plugin has the machine's clock only");
        this.timeout(60_000);
        const before = await shown();
        const text = await up({ HAPROXY_FLEET_LAB_CLOCK: later(61) });
        assert.match(text, /Resources:\n {4}\+-2 replaced\n/);
        assert.match(text, /edge-shop-cert.*\[diff: ~readyForRenewal\]/);
        const { own, shop, internal } = await shown();
        assert.deepEqual([own?.key, shop?.key, internal], [before.own?.key, before.shop?.key, before.internal]);
        const days = (Date.parse(certificate(shop?.pem).validTo) - started) / dayMs;
        assert.ok(Math.abs(days - 151) < 0.1, `${days} days`);
    });

    it("come with their authority when it is renewed, and also suit the one before", async function () {
        if (pulumiInstall().full) return skip(this, "the real plugin has the machine's clock only");
        this.timeout(60_000);
        const before = await shown();
        await up({ HAPROXY_FLEET_LAB_CLOCK: later(2500) });
        const { shop, internal } = await shown();
        assert.notEqual(internal?.pem, before.internal?.pem);
        for (const authority of [internal, before.internal])
            assert.ok(certificate(shop?.pem).verify(certificate(authority?.pem).publicKey));
    });

    it("come from AWS Secrets Manager, and every secret that cannot be read is named", async function () {
        if (!aws) return skip(this, whyNoAws);
        this.timeout(60_000);
        const { own, shop } = await shown();
        const secrets = {
            pem: `${own?.pem}${own?.key}`,
            json: JSON.stringify({ certificate: shop?.pem, chain: shop?.chain, key: shop?.key }),
            staged: "replaced",
        };
        for (const [Name, SecretString] of Object.entries(secrets)) {
            await aws.secretsManager("CreateSecret", { Name, SecretString, ClientRequestToken: Name.padEnd(32, "0") });
        }
        const next = { SecretId: "staged", SecretString: secrets.pem, ClientRequestToken: "2".padEnd(32, "0") };
        await aws.secretsManager("PutSecretValue", next);
        program(`{
            pem: { secretsManager: "pem" },
            json: { secretsManager: "json", region: "eu-central-1" },
            staged: { secretsManager: "staged" },
            older: { secretsManager: "staged", versionId: "${"staged".padEnd(32, "0")}" },
            missing: { secretsManager: "missing" },
            stage: { secretsManager: "pem", versionStage: "AWSPENDING" },
            elsewhere: { secretsManager: "pem", region: "eu-west-1" },
        }`);
        const text = await up();
        assert.doesNotMatch(text, /PRIVATE KEY/);
        const missing = (name: string) => ({
            problem: `secret ${name} of AWS Secrets Manager is not there, or has no such version; check its name, version and region`,
        });
        assert.deepEqual(await shown(), {
            pem: { pem: secrets.pem },
            json: { pem: shop?.pem, chain: shop?.chain, key: shop?.key },
            staged: { pem: secrets.pem },
            older: { problem: "its secret is neither PEM nor a JSON object; store one of them" },
            missing: missing("missing"),
            stage: missing("pem"),
            elsewhere: missing("pem"),
        });
        assert.doesNotMatch(project.stateText(), /PRIVATE KEY/);
    });

    it("say what AWS answers to who may not read a secret, or that it is not reached", async function () {
        this.timeout(60_000);
        // As AWS answers. moto's refusal is XML, which no client of this service reads.
        const words =
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:GetSecretValue";
        const refusing = createServer((_, response) => {
            response.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
            response.end(JSON.stringify({ __type: "AccessDeniedException", Message: words }));
        }).listen(0, "127.0.0.1");
        try {
            await once(refusing, "listening");
            const { port } = refusing.address() as AddressInfo;
            program(
                "{}",
                "{}",
                `
                const balancer = (name: string, secretsmanager: string) => {
                    const settings = { skipCredentialsValidation: true, skipRequestingAccountId: true, maxRetries: 1 };
                    const args = { region: "eu-west-1", accessKey: "AKIDTEST", secretKey: "test", ...settings };
                    const provider = new Provider(name, { ...args, endpoints: [{ secretsmanager }] });
                    const certificates = { [name]: { secretsManager: "pem" } };
                    return new Balancer(name, certificates, {}, { providers: [provider] }).shown;
                };
                const outputs = [balancer("denied", "http://127.0.0.1:${port}"), balancer("unreached", "http://127.0.0.1:1")];
                shown = pulumi.all(outputs).apply((all) => Object.assign({}, ...all));`,
            );
            await up({ AWS_ENDPOINT_URL: undefined });
        } finally {
            refusing.close();
        }
        const { denied, unreached } = await shown();
        const begin =
            "secret pem of AWS Secrets Manager must not be read; allow secretsmanager:GetSecretValue to the program's AWS credentials (";
        assert.ok(denied?.problem?.startsWith(begin) && denied.problem.includes(words), denied?.problem);
        assert.match(
            unreached?.problem ?? "",
            /^secret pem of AWS Secrets Manager cannot be read \(.*(ECONNREFUSED|refused).*\); check the region and /,
        );
    });

    it("are refused by the stand-ins that have no lab", async function () {
        if (pulumiInstall().full) return skip(this, "the real plugins are for real stacks");
        this.timeout(60_000);
        // The failure of one is a value; that of the other fails the program.
        program(`{ pem: { secretsManager: "pem" } }`);
        await up({ HAPROXY_FLEET_LAB: undefined });
        assert.match(
            (await shown()).pem?.problem ?? "",
            /cannot be read \(aws: this is a stand-in .* HAPROXY_FLEET_LAB is not 1; /,
        );
        program(`{ own: { selfSigned: { names: ["a.example"] } } }`);
        const { code, stdout, stderr } = await pulumi(["preview"], { HAPROXY_FLEET_LAB: undefined });
        assert.notEqual(code, 0);
        assert.match(
            stdout + stderr,
            /error: tls: this is a stand-in for the plugin, which makes keys .* HAPROXY_FLEET_LAB is not 1; /,
        );
    });
});

// Ec2Hosts under the real engine, which continues on errors as our wrapper lets it: no host is deleted before its successor works.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Aws, faults } from "../../lab/aws/aws";
import { repo } from "../../toolchain/environment.mjs";
import { startDouble } from "../support/double";
import { Project } from "./project";

const face = JSON.stringify(join(repo, "components/aws/index"));
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Bb9oTz4ofg4D4jpHy7Wn3K0YkVUTdSDlXw0VjTTkh ops";

describe("hosts in EC2 under the engine", () => {
    const project = new Project();
    let aws: Aws;
    let network: { vpc: string; subnets: string[] };

    before(async function () {
        aws = await startDouble(this);
        network = await aws.network();
        await project.succeed("stack", "init", "dev");
    });
    after(async () => {
        await aws?.stop();
        project.remove();
    });

    /** Declares two hosts, and what depends on the first as its converge does. */
    function declare(changes: { lb1?: object; ssh?: object; image?: string } = {}): void {
        const [a, b] = network.subnets;
        const ssh = { user: "deploy", authorizedKeys: [key], from: ["198.51.100.0/24"], ...changes.ssh };
        const hosts = { lb1: { subnet: a, ...changes.lb1 }, lb2: { subnet: b } };
        const args = { environment: "prod", vpc: network.vpc, hosts, ssh, image: changes.image };
        project.program(`
            import { CertRequest, PrivateKey } from "@pulumi/tls";
            import { Ec2Hosts } from ${face};
            const { hosts } = new Ec2Hosts("edge", ${JSON.stringify(args)} as any);
            const { privateKeyPem } = new PrivateKey("key", { algorithm: "ED25519" });
            new CertRequest("converge", { privateKeyPem, subject: { commonName: hosts.lb1.address } });
            export const { lb1 } = hosts;`);
    }
    const run = (...args: string[]) =>
        project.run([...args, "--color=never"], {
            env: { ...aws.env, HAPROXY_FLEET_LAB: "1", PULUMI_CONTINUE_ON_ERROR: "true" },
        });
    const up = () => run("up", "--yes", "--skip-preview");
    /** What is in the state of the first host, and how many instances run. */
    async function left() {
        const { checkpoint } = JSON.parse(project.stateText()) as {
            checkpoint: { latest: { resources: { urn: string }[] } };
        };
        const names = checkpoint.latest.resources.map(({ urn }) => urn.split("::").at(-1) ?? "");
        const running = { "Filter.1.Name": "instance-state-name", "Filter.1.Value.1": "running" };
        const found = await aws.query("ec2", "DescribeInstances", running);
        return {
            lb1: names.filter((name) => name.startsWith("edge-lb1-")).sort(),
            running: found.match(/<instanceId>/g)?.length,
        };
    }
    const kinds = ["host-key", "instance", "interface", "own-address", "own-address-association"];
    const generation = (suffix: string) => kinds.map((kind) => `edge-lb1-${kind}${suffix}`);

    it("stay as they are for a newer image, other user data and another subnet", async function () {
        this.timeout(120_000);
        declare();
        const { code, stdout, stderr } = await up();
        assert.equal(code, 0, stdout + stderr);
        declare({
            image: "debian-12",
            ssh: { authorizedKeys: [key, key.replace("ops", "other")] },
            lb1: { subnet: network.subnets[1] },
        });
        const preview = await run("preview", "--expect-no-changes");
        assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    });

    it("keep the former generation, however often the next one cannot be made", async function () {
        this.timeout(120_000);
        const end = aws.fail("RunInstances", faults.unauthorized);
        declare({ lb1: { generation: 2 } });
        for (const attempt of ["first", "second"]) {
            const { code, stdout, stderr } = await up();
            assert.notEqual(code, 0, attempt);
            assert.match(
                stdout + stderr,
                /error: edge: edge-lb1-instance-2.* could not be made or changed, so that nothing is deleted;/,
            );
            const { lb1, running } = await left();
            assert.ok(
                generation("").every((name) => lb1.includes(name)),
                `${attempt}: ${lb1}`,
            );
            assert.ok(!lb1.includes("edge-lb1-instance-2"));
            assert.equal(running, 2);
        }
        end();
    });

    it("are replaced then: the new one is made and converged, and only then the old one is deleted", async function () {
        this.timeout(120_000);
        const { code, stdout, stderr } = await up();
        assert.equal(code, 0, stdout + stderr);
        const at = (line: RegExp) => {
            const position = stdout.search(line);
            assert.notEqual(position, -1, `${line} in ${stdout}`);
            return position;
        };
        const order = [
            at(/\+ +aws:ec2:Instance edge-lb1-instance-2 created /),
            at(/CertRequest converge (created|replaced)/),
            at(/- +aws:ec2:Instance edge-lb1-instance deleting/),
            at(/- +aws:ec2:EipAssociation edge-lb1-own-address-association deleting/),
            at(/- +aws:ec2:NetworkInterface edge-lb1-interface deleting/),
        ];
        assert.deepEqual(
            order,
            [...order].sort((a, b) => a - b),
            stdout,
        );
        assert.deepEqual(await left(), { lb1: generation("-2"), running: 2 });
        const preview = await run("preview", "--expect-no-changes");
        assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    });

    it("outlast a program without them while the service address is protected, also without a preview", async function () {
        this.timeout(120_000);
        project.program("export const nothing = undefined;");
        aws.calls.reset();
        const { code, stdout, stderr } = await up();
        assert.notEqual(code, 0, stdout + stderr);
        assert.match(stdout + stderr, /edge-role-policy" cannot be deleted\n +because it is protected/);
        const changed = aws.calls.all
            .map(({ action }) => action)
            .filter((action) => !/^(Describe|Get|List)/.test(action));
        assert.deepEqual(changed, []);
        assert.deepEqual(await left(), { lb1: generation("-2"), running: 2 });
    });
});

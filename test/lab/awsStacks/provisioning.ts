import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Aws } from "../../../lab/aws/aws";
import { type Company, names } from "../../../lab/aws/company";
import { textOf } from "../../../lab/aws/xml";
import type { Host } from "../../../lab/host";
import { assertHidden } from "../../support/planted";
import { ask, until } from "../../support/traffic";
import { AwsStack, planted } from "./awsStack";

/** What AWS says of the service address. */
export const serviceAddress = (aws: Aws, address: string) =>
    aws.query("ec2", "DescribeAddresses", { "PublicIp.1": address });

const roleOf = async (host: Host) => (await host.exec("/usr/local/libexec/haproxy-fleet/pair state")).stdout.trim();

/** Everything from nothing, and then nothing more. */
export function provisioning(company: () => Company, prod: () => AwsStack): void {
    it("is planned for staging, without a certificate and a bastion", async () => {
        await company().app("ecom-platform", "staging");
        await company().app("ecom-docs", "staging");
        const staging = new AwsStack(company(), "staging");
        try {
            await staging.create();
            const text = await staging.preview();
            assert.match(text, /aws:ec2:Instance staging-edge-lb2-instance create/);
            assert.doesNotMatch(text, /certificates:|security-group create/);
            assert.equal(company().aws.calls.count("GetSecretValue"), 0);
        } finally {
            staging.remove();
        }
    });

    it("is planned, and nothing made", async () => {
        const text = await prod().preview();
        assert.match(text, /Resources:\n +\+ \d+ to create\n/);
        assert.deepEqual(company().changes(), []);
    });

    it("gives two hosts that serve the names of prod by TLS", async () => {
        const text = await prod().up("--skip-preview");
        assert.match(text, /Resources:\n +\+ \d+ created\n/);
        const { aws } = company();
        const { addresses, services } = await prod().outputs();
        assert.deepEqual(Object.keys(addresses), ["lb1", "lb2"]);
        const { address } = services.edge ?? assert.fail("no service");
        for (const host of Object.values(addresses)) {
            for (const [service, name] of [
                ["ecom-platform", names.platform],
                ["ecom-docs", names.docs],
            ] as const) {
                const { status, body, certificate } = await company().get(host, name);
                const apps = company().apps.filter((app) => app.service === service && app.environment === "prod");
                assert.deepEqual([status, certificate], [200, company().leaf.sha256]);
                assert.ok(
                    apps.some((app) => app.address === body),
                    `${body} is no server of ${service}`,
                );
            }
            const { status, headers } = await ask(host, "/", { host: names.platform });
            assert.deepEqual([status, headers.location], [308, `https://${names.platform}/`]);
        }
        await until("the service address leads to the MASTER", async () => {
            const leadsTo = textOf(await serviceAddress(aws, address), "networkInterfaceId");
            return leadsTo !== undefined && (await roleOf(aws.hostOf(leadsTo))) === "MASTER\tall";
        });
        assert.deepEqual(
            await aws.records(company().zone),
            [names.docs, names.platform].map((name) => ({ name: `${name}.`, type: "A", ttl: 300, values: [address] })),
        );
    });

    it("keeps the keys of hosts and certificates secret", async () => {
        const { addresses } = await prod().outputs();
        const keys = await Promise.all(
            Object.entries(addresses).map(async ([name, address]) => {
                const host = company().lab.hosts.find((host) => host.address === address);
                const key = (await host?.readFile("/etc/ssh/ssh_host_ed25519_key"))?.toString() ?? "";
                // The first line of each key says whose it may be, and the next ones are alike.
                return [name, key.split("\n").slice(3, 5).join("\n")];
            }),
        );
        const secrets: Record<string, string> = {
            ...planted,
            ...Object.fromEntries(keys),
            certificate: company().leaf.key.split("\n")[1] ?? "",
        };
        for (const secret of Object.values(secrets)) assert.ok(secret.length > 8);
        assertHidden(prod().said, secrets, "what the CLI says");
        const folder = join(prod().directory, ".pulumi");
        for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }))
            if (file.isFile())
                assertHidden(readFileSync(join(file.parentPath, file.name), "utf8"), secrets, `state in ${file.name}`);
    });

    it("is no work a second time, also after a refresh", async () => {
        company().aws.calls.reset();
        await prod().succeed("refresh", "--yes");
        await prod().nothingToDo();
        assert.deepEqual(company().changes(), []);
    });
}

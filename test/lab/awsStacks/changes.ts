import assert from "node:assert/strict";
import { textOf } from "../../../lab/aws/xml";
import { restartTraces } from "../../support/smallLoadBalancer";
import { until } from "../../support/traffic";
import { type AwsStack, type Company, names } from "./awsStack";

/** One change of each sort, each in an up of its own. */
export function changes(company: () => Company, prod: () => AwsStack): void {
    /** Both load balancers. */
    const hosts = async () => Object.values((await prod().outputs()).addresses);
    const labHost = (address: string) =>
        company().lab.hosts.find((host) => host.address === address) ?? assert.fail(`no host ${address}`);
    beforeEach(() => company().aws.calls.reset());

    it("sends requests to an app server more, and serves a renewed certificate", async () => {
        const app = await company().app("ecom-platform");
        const { sha256 } = await company().certificate();
        const text = await prod().up("--skip-preview");
        // The fleet shows its files, and each host is converged.
        assert.match(text, /Resources:\n +~ 3 updated\n/);
        for (const host of await hosts()) {
            await until(`${app.address} answers through ${host}`, async () => {
                return (await company().get(host, names.platform)).body === app.address;
            });
            assert.equal((await company().get(host, names.docs)).certificate, sha256, host);
        }
        assert.deepEqual(company().changes(), []);
    });

    it("changes a rule alone", async () => {
        const group = { GroupName: "bastion2", GroupDescription: "Bastion", VpcId: company().network.vpc };
        const made = await company().aws.query("ec2", "CreateSecurityGroup", group);
        prod().configure({ bastionSecurityGroup: textOf(made, "groupId") });
        const before = await Promise.all((await hosts()).map((host) => restartTraces(labHost(host))));
        const text = await prod().up("--skip-preview");
        assert.match(text, /Resources:\n +~ 1 updated\n/);
        assert.deepEqual(company().changes(), ["ModifySecurityGroupRules"]);
        const after = await Promise.all((await hosts()).map((host) => restartTraces(labHost(host))));
        assert.deepEqual(after, before);
    });

    it("stops and starts instances of another type one after the other, and they serve again", async () => {
        prod().edit(['vpc: { config: "vpc" },', 'vpc: { config: "vpc" }, instanceType: "c7i.xlarge",']);
        const text = await prod().up("--skip-preview");
        assert.match(text, /Resources:\n +~ 2 updated\n/);
        const change = ["StopInstances", "ModifyInstanceAttribute", "StartInstances"];
        assert.deepEqual(company().changes(), [...change, ...change]);
        for (const host of await hosts())
            await until(`${host} serves again`, async () => (await company().get(host, names.docs)).status === 200);
    });

    it("replaces a host by its next generation, which serves before the former one is gone", async () => {
        const { lb1: former = "", lb2: other = "" } = (await prod().outputs()).addresses;
        prod().edit(
            ['vpc: { config: "vpc" },', 'vpc: { config: "vpc" }, instanceType: "c7i.xlarge",'],
            ['lb1: { subnet: { config: "subnetA" }', 'lb1: { generation: 2, subnet: { config: "subnetA" }'],
        );
        const load = new Requests(company(), [former, other]);
        const text = await prod()
            .up("--skip-preview")
            .finally(() => load.stop());
        assert.match(text, /prod-edge-lb1-instance-2 created/);
        assert.deepEqual(load.failures(other), []);
        assert.deepEqual(load.failures(former), []);
        const { lb1: next = "", lb2 } = (await prod().outputs()).addresses;
        assert.equal(lb2, other);
        assert.notEqual(next, former);
        assert.equal((await company().get(next, names.platform)).status, 200);
        assert.equal(labHost(former).power, "off");
    });
}

/** Asks load balancers again and again, each until its instance is terminated. */
class Requests {
    private readonly failed = new Map<string, string[]>();
    private running = true;

    constructor(
        private readonly company: Company,
        hosts: readonly string[],
    ) {
        for (const host of hosts) {
            this.failed.set(host, []);
            void this.ask(host);
        }
    }

    failures(host: string): string[] {
        return this.failed.get(host) ?? assert.fail(host);
    }

    stop(): void {
        this.running = false;
    }

    private async ask(host: string): Promise<void> {
        while (this.running) {
            const said = await this.company.get(host, names.platform).then(
                ({ status }) => (status === 200 ? undefined : `status ${status}`),
                (error: Error) => error.message,
            );
            // AWS counts a call when it has answered; the power is off before.
            const off = this.company.lab.hosts.find(({ address }) => address === host)?.power !== "running";
            if (off) return;
            if (said && this.running) this.failures(host).push(said);
            await new Promise((resolve) => setTimeout(resolve, 100));
        }
    }
}

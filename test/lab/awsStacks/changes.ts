import assert from "node:assert/strict";
import { type Company, names } from "../../../lab/aws/company";
import { textOf } from "../../../lab/aws/xml";
import { sleep } from "../../../lab/machine/exec";
import { restartTraces } from "../../support/smallLoadBalancer";
import { until } from "../../support/traffic";
import type { AwsStack } from "./awsStack";

/** What is edited in the data of prod by the end. */
export const lastEdits: readonly [from: string, to: string][] = [
    ['vpc: { config: "vpc" },', 'vpc: { config: "vpc" }, instanceType: "c7i.xlarge",'],
    ['lb1: { subnet: { config: "subnetA" }', 'lb1: { generation: 2, subnet: { config: "subnetA" }'],
];

/** One change of each sort. */
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

    describe("with a host's next generation", () => {
        let former: string;
        let other: string;
        before(async () => {
            ({ lb1: former = "", lb2: other = "" } = (await prod().outputs()).addresses);
            prod().edit(...lastEdits);
        });

        it("keeps the former host if AWS has none for the next one", async () => {
            const message = "You have requested more vCPU capacity than your current vCPU limit allows.";
            const end = company().aws.fail("RunInstances", { code: "VcpuLimitExceeded", message });
            const { code, text } = await prod().pulumi("up", "--yes", "--skip-preview").finally(end);
            assert.notEqual(code, 0, text);
            assert.match(text, /VcpuLimitExceeded/);
            assert.doesNotMatch(text, /'connection' is required/);
            assert.match(
                text,
                /prod-edge-lb1-instance-2, prod-edge-lb2-instance, .* could not be made or changed, so that nothing is deleted; /,
            );
            assert.deepEqual(
                company()
                    .changes()
                    .filter((action) => /^(Terminate|Delete|Release|Stop)/.test(action)),
                [],
            );
            assert.equal((await company().get(former, names.platform)).status, 200);
        });

        it("ends the former host when the next one serves, and no request fails", async () => {
            const load = new Requests(company(), [former, other], company().lab.host("host3").address);
            await prod()
                .up("--skip-preview")
                .finally(() => load.stop());
            assert.deepEqual(load.failures, []);
            assert.equal(load.successor, 200);
            const { lb1: next = "", lb2 } = (await prod().outputs()).addresses;
            assert.deepEqual([next, lb2], [company().lab.host("host3").address, other]);
            assert.equal(labHost(former).power, "off");
        });
    });
}

/** Asks load balancers again and again, each until its power is off. */
class Requests {
    readonly failures: string[] = [];
    /** Status that the successor answers with as soon as the power of a host is off. */
    successor: number | undefined;
    private running = true;
    private readonly asking: Promise<unknown>;

    constructor(
        private readonly company: Company,
        hosts: readonly string[],
        private readonly next: string,
    ) {
        this.asking = Promise.all(hosts.map((host) => this.ask(host)));
    }

    async stop(): Promise<void> {
        this.running = false;
        await this.asking;
    }

    private async ask(host: string): Promise<void> {
        const isOn = () => this.company.lab.hosts.find(({ address }) => address === host)?.power === "running";
        while (this.running && isOn()) {
            const said = await this.company.get(host, names.platform, 5000).then(
                ({ status }) => (status === 200 ? undefined : `status ${status}`),
                (error: Error) => error.message,
            );
            await sleep(said ? 1000 : 100);
            // While the power is cut, some processes end before others.
            if (said && isOn()) this.failures.push(`${host}: ${said}`);
        }
        if (!isOn()) this.successor = (await this.company.get(this.next, names.platform)).status;
    }
}

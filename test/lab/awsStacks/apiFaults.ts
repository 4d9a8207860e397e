import assert from "node:assert/strict";
import { faults } from "../../../lab/aws/aws";
import type { AwsStack, Company } from "./awsStack";

/** What AWS refuses, or what is lost there. Each ends an up before a host is touched. */
export function apiFaults(company: () => Company, prod: () => AwsStack): void {
    /** How many logins the sshd of each load balancer has accepted. */
    async function logins(): Promise<number[]> {
        const { addresses } = await prod().outputs();
        const hosts = company().lab.hosts.filter(({ address }) => Object.values(addresses).includes(address));
        const count = "journalctl --sync; journalctl -q -o cat -t sshd | grep -c '^Accepted' || true";
        return Promise.all(hosts.map(async (host) => Number((await host.exec(count)).stdout)));
    }

    /** Runs an up that fails. */
    async function failingUp(): Promise<string> {
        company().aws.calls.reset();
        const before = await logins();
        const { code, text } = await prod().pulumi("up", "--yes", "--skip-preview");
        assert.notEqual(code, 0, text);
        assert.deepEqual([await logins(), company().changes()], [before, []], text);
        return text;
    }

    it("throttles the search", async () => {
        const end = company().aws.fail("DescribeInstances", faults.throttled);
        const text = await failingUp().finally(end);
        console.log(text);
    });

    it("has credentials that have expired", async () => {
        const ends = [company().aws.fail("ec2.*", faults.expired), company().aws.fail("*", faults.tokenExpired)];
        const text = await failingUp().finally(() => {
            for (const end of ends) end();
        });
        console.log(text);
    });

    it("loses the tag of the only server of a service", async () => {
        const [docs] = company().apps.filter(({ service }) => service === "ecom-docs");
        const { instance = "" } = docs ?? {};
        await company().aws.tag(instance, { run_list: undefined });
        const text = await failingUp();
        console.log(text);
        await company().aws.tag(instance, { run_list: "base,ecom-docs::app" });
    });
}

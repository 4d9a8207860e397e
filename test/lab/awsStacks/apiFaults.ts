import assert from "node:assert/strict";
import { faults } from "../../../lab/aws/aws";
import type { Company } from "../../../lab/aws/company";
import type { AwsStack } from "./awsStack";

/** What AWS refuses, or what is lost there. Each ends an up before a host is touched. */
export function apiFaults(company: () => Company, prod: () => AwsStack): void {
    /** How many logins the sshd of each load balancer has accepted. */
    async function logins(): Promise<number[]> {
        const { addresses } = await prod().outputs();
        const hosts = company().lab.hosts.filter(({ address }) => Object.values(addresses).includes(address));
        assert.equal(hosts.length, 2);
        const count = "journalctl --sync; journalctl -q -o cat -t sshd | grep -c '^Accepted' || true";
        return Promise.all(hosts.map(async (host) => Number((await host.exec(count)).stdout)));
    }

    /** Runs an up that fails with these words, and neither logs in to a host nor changes anything in AWS. */
    async function failsUp(words: RegExp): Promise<void> {
        company().aws.calls.reset();
        const before = await logins();
        const { code, text } = await prod().pulumi("up", "--yes", "--skip-preview");
        assert.notEqual(code, 0, text);
        assert.match(text, words);
        assert.deepEqual([await logins(), company().changes()], [before, []], text);
    }

    it("throttles the search", async () => {
        const end = company().aws.fail("DescribeInstances", faults.throttled);
        await failsUp(
            /EC2 in eu-central-1, account 123456789012: getInstances .*DescribeInstances: RequestLimitExceeded .*; run again later, /,
        ).finally(end);
    });

    it("does not accept credentials that have expired", async () => {
        const ends = [company().aws.fail("ec2.*", faults.expired), company().aws.fail("*", faults.tokenExpired)];
        await failsUp(/The configured AWS credentials are invalid or have expired\.\n +Please see /).finally(() => {
            for (const end of ends) end();
        });
    });

    it("has lost the tag of the only server of a service", async () => {
        const { instance } = company().apps.find(({ service }) => service === "ecom-docs") ?? assert.fail();
        await company().aws.tag(instance, { run_list: undefined });
        await failsUp(
            /no node has the tag ecom-docs::app in the environment prod of EC2 in eu-central-1, account 123456789012 .*; add the tag /,
        );
        await company().aws.tag(instance, { run_list: "base,ecom-docs::app" });
        await prod().nothingToDo();
    });
}

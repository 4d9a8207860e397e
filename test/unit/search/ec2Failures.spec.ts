import assert from "node:assert/strict";
import {
    failureOf,
    GET_INSTANCE,
    GET_INSTANCES,
    GET_RESOURCES,
    type Inputs,
    provider,
    row,
} from "../../support/ec2Provider";
import { restoreLog } from "../../support/mocks";

describe("a search in EC2 that fails", () => {
    after(restoreLog);

    const failing = (message: (inputs: Inputs) => string) => (token: string, inputs: Inputs) => {
        if (/getInstances|getResources|getInstance:/.test(token)) throw new Error(message(inputs));
        return undefined;
    };
    const api = (code: string, text: string, action = "DescribeInstances") =>
        `invocation of ${GET_INSTANCES} returned an error: invoking ${GET_INSTANCES}: 1 error occurred:\n\t* reading EC2 Instances: ` +
        `operation error EC2: ${action}, https response error StatusCode: 403, RequestID: 5d0f, api error ${code}: ${text}\n\n`;

    it("says which call, account and region it was, and what to do", async () => {
        const cases: [message: string, words: string][] = [
            [
                api("UnauthorizedOperation", "You are not authorized to perform this operation."),
                "DescribeInstances: UnauthorizedOperation (You are not authorized to perform this operation); " +
                    "allow ec2:DescribeInstances to the identity whose credentials the program uses",
            ],
            [
                api(
                    "UnauthorizedOperation",
                    "You are not authorized to perform this operation. User: arn:aws:iam::1:user/ci is not authorized to perform: " +
                        "ec2:DescribeVolumes because no policy allows it. Encoded authorization failure message: AAAA_bbb-",
                    "DescribeVolumes",
                ),
                "DescribeVolumes: UnauthorizedOperation (You are not authorized to perform this operation. User: arn:aws:iam::1:user/ci " +
                    "is not authorized to perform: ec2:DescribeVolumes because no policy allows it); " +
                    "allow ec2:DescribeVolumes to the identity whose credentials the program uses",
            ],
            [
                api("RequestLimitExceeded", "Request limit exceeded."),
                "DescribeInstances: RequestLimitExceeded (Request limit exceeded); " +
                    "run again later, because all programs of an account share its limit of calls",
            ],
            [
                api("RequestExpired", "Request has expired."),
                "DescribeInstances: RequestExpired (Request has expired); " +
                    "get new credentials, for example with aws sso login, and check this machine's clock",
            ],
            [
                api("AuthFailure", "AWS was not able to validate the provided access credentials"),
                "DescribeInstances: AuthFailure (AWS was not able to validate the provided access credentials); " +
                    "correct the credentials, or enable the region in the account",
            ],
            [
                "The configured AWS credentials are invalid or have expired.\nPlease see https://www.pulumi.com/registry/ for more information " +
                    "about providing credentials.\nNEW: You can use",
                "The configured AWS credentials are invalid or have expired; " +
                    "get new credentials, for example with aws sso login, and check this machine's clock",
            ],
            [
                "No valid credential sources found.\n",
                "No valid credential sources found; give the program credentials: set AWS_PROFILE, or run aws sso login",
            ],
            [
                "AWS account ID not allowed: 1",
                "AWS account ID not allowed: 1; correct the account that is declared, or use credentials of it",
            ],
            ['The AWS profile "x" was not found.', 'The AWS profile "x" was not found; correct the profile'],
            [
                "Cannot assume IAM Role. operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 1, " +
                    "api error AccessDenied: no",
                "AssumeRole: AccessDenied (no); correct the role, allow sts:AssumeRole for it, and name the program's identity in its trust policy",
            ],
            ["invalid AWS Region: x", "invalid AWS Region: x; set or correct the region"],
            [
                "dial tcp 127.0.0.1:1: connect: connection refused",
                "dial tcp 127.0.0.1:1: connect: connection refused; check the region, the credentials and the network, then run again",
            ],
        ];
        for (const [message, words] of cases) {
            await provider({ answer: failing(() => message) });
            assert.deepEqual(await failureOf(), [
                `EC2 in eu-central-1, account 123456789012: getInstances for shop::app, docs::app: ${words}`,
            ]);
        }
    });

    it("reports all places and calls at once, also if the account cannot be found out", async () => {
        const { calls } = await provider({
            answer: (token, inputs) => {
                if (/getCallerIdentity|getRegion/.test(token)) throw new Error("no");
                const text = JSON.stringify(inputs.filters);
                if (inputs.region === "eu-west-3") return undefined;
                throw new Error(api(text.includes("docs::app") ? "Throttling" : "Unavailable", `in ${inputs.region}`));
            },
        });
        const facilities = { a: { region: "eu-west-1" }, b: { region: "eu-west-2" }, c: { region: "eu-west-3" } };
        const lines = await failureOf({ facilities });
        assert.deepEqual(
            lines.map((line) => line.split(" (")[0]),
            ["a in eu-west-1", "b in eu-west-2"].flatMap((place) => [
                `EC2 of the facility ${place}, account unknown: getInstances for shop::app: DescribeInstances: Unavailable`,
                `EC2 of the facility ${place}, account unknown: getInstances for docs::app: DescribeInstances: Throttling`,
            ]),
        );
        assert.equal(calls.filter(({ token }) => token === "getCallerIdentity").length, 2);
    });

    it("is no empty list either if the tags or one instance cannot be read", async () => {
        const read = { port: "port" };
        await provider({
            rows: [row("i-1", "10.0.0.1")],
            answer: (token) => {
                if (token !== GET_RESOURCES) return undefined;
                throw new Error(
                    "operation error Resource Groups Tagging API: GetResources, https response error StatusCode: 400, RequestID: a-b, " +
                        "AccessDeniedException: User is not authorized to perform: tag:GetResources",
                );
            },
        });
        assert.deepEqual(await failureOf({ read }), [
            "EC2 in eu-central-1, account 123456789012: getResources for tags of instances: GetResources: AccessDeniedException " +
                "(User is not authorized to perform: tag:GetResources); allow tag:GetResources to the identity whose credentials the program uses",
        ]);
        const many = Array.from({ length: 30 }, (_, n) =>
            row(`i-${n + 10}`, `10.0.0.${n}`, "shop::app", { port: "80" }),
        );
        const { calls } = await provider({
            rows: many,
            answer: (token) => {
                if (token !== GET_INSTANCE) return undefined;
                throw new Error(api("RequestLimitExceeded", "Request limit exceeded."));
            },
        });
        const [line = "", ...others] = await failureOf({ read });
        assert.match(line, /getInstance for i-10, i-11, .*: DescribeInstances: RequestLimitExceeded \(/);
        assert.deepEqual(others, []);
        // Those under way, and no more: each would be tried many times by the provider.
        assert.equal(calls.filter(({ token }) => token === "getInstance").length, 8);
    });

    it("says that a preview does not know the provider's settings", async () => {
        await provider({ preview: true, answer: (token) => (token === GET_INSTANCES ? {} : undefined) });
        assert.deepEqual(await failureOf(), [
            "EC2 in eu-central-1, account 123456789012: getInstances for shop::app, docs::app: " +
                "the settings of the provider are known only after an up; give it plain values, or create with --target what they come from",
        ]);
    });

    it("lists 20 issues and says how many more there are", async () => {
        await provider({ rows: Array.from({ length: 30 }, (_, n) => row(`i-${n + 10}`, `10.0.0.${n}`)) });
        const lines = await failureOf({ read: { port: "port" } });
        assert.deepEqual([lines.length, lines.at(-1)], [21, "and 10 more like these"]);
    });
});

// aws.getCallerIdentity and aws.getRegion.
import type { Properties } from "../provider/values";
import type { Aws } from "./aws";

export async function getCallerIdentity(aws: Aws): Promise<Properties> {
    const sts = await aws.sts();
    try {
        const { Account = "", Arn = "", UserId = "" } = await sts.call("GetCallerIdentity", {});
        return { accountId: Account, arn: Arn, id: Account, userId: UserId };
    } catch (error) {
        throw new Error(`reading STS Caller Identity: ${(error as Error).message}`);
    }
}

/** Makes no call, as the real one, which has a list of all regions. */
export async function getRegion(aws: Aws, args: Properties): Promise<Properties> {
    const { region, name, endpoint } = args as Record<string, string | undefined>;
    const own = aws.settings.region(region ?? name ?? /^ec2\.([^.]+)\./.exec(endpoint ?? "")?.[1]);
    return { description: own, endpoint: `ec2.${own}.amazonaws.com`, id: own, name: own, region: own };
}

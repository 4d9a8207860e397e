// Functions of aws.secretsmanager.
import type { Properties } from "../provider/values";
import type { Aws } from "./aws";
import { AwsError } from "./sdk/calls";

/** Outputs and errors are those of the real provider. */
export async function getSecretVersion(aws: Aws, args: Properties): Promise<Properties> {
    const { secretId, versionId, versionStage, region } = args as Record<string, string | undefined>;
    const secrets = await aws.secretsManager(region);
    const version = versionId ?? versionStage ?? "AWSCURRENT";
    try {
        const found = await secrets.call("GetSecretValue", {
            SecretId: secretId,
            ...(versionId ? { VersionId: versionId } : { VersionStage: version }),
        });
        return {
            arn: found.ARN ?? "",
            createdDate: found.CreatedDate?.toISOString() ?? "",
            id: `${secretId}|${version}`,
            region: secrets.region,
            secretArn: found.ARN ?? "",
            secretBinary: Buffer.from(found.SecretBinary ?? []).toString(),
            secretId: secretId ?? "",
            secretString: found.SecretString ?? "",
            versionId: found.VersionId ?? "",
            ...(versionId ? {} : { versionStage: version }),
            versionStages: found.VersionStages ?? [],
        };
    } catch (error) {
        const { code, message } = error as AwsError;
        const isMissing =
            code === "ResourceNotFoundException" ||
            (code === "InvalidRequestException" && /was (deleted|marked for deletion)/.test(message));
        const reason = error instanceof AwsError && isMissing ? "couldn't find resource" : message;
        throw new Error(`reading Secrets Manager Secret Version (${secretId}|${version}): ${reason}`);
    }
}

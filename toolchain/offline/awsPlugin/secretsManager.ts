// Functions of aws.secretsmanager.
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Properties } from "../provider/values";
import type { ClientSettings } from "./settings";

/** Outputs and errors are those of the real provider. */
export async function getSecretVersion(settings: ClientSettings, args: Properties): Promise<Properties> {
    const { secretId, versionId, versionStage, region } = args as Record<string, string | undefined>;
    const config = settings.client("secretsmanager", region);
    const client = new SecretsManagerClient(config);
    const version = versionId ?? versionStage ?? "AWSCURRENT";
    try {
        const found = await client.send(
            new GetSecretValueCommand({
                SecretId: secretId,
                ...(versionId ? { VersionId: versionId } : { VersionStage: version }),
            }),
        );
        return {
            arn: found.ARN ?? "",
            createdDate: found.CreatedDate?.toISOString() ?? "",
            id: `${secretId}|${version}`,
            region: config.region,
            secretArn: found.ARN ?? "",
            secretBinary: Buffer.from(found.SecretBinary ?? []).toString(),
            secretId: secretId ?? "",
            secretString: found.SecretString ?? "",
            versionId: found.VersionId ?? "",
            ...(versionId ? {} : { versionStage: version }),
            versionStages: found.VersionStages ?? [],
        };
    } catch (error) {
        const { name, message } = error as Error;
        const isMissing =
            name === "ResourceNotFoundException" ||
            (name === "InvalidRequestException" && /was (deleted|marked for deletion)/.test(message));
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
        const reason = isMissing
            ? "couldn't find resource"
            : `operation error Secrets Manager: GetSecretValue, https response error StatusCode: ${status}, api error ${name}: ${message}`;
        throw new Error(
            `invoking aws:secretsmanager/getSecretVersion:getSecretVersion: 1 error occurred:\n` +
                `\t* reading Secrets Manager Secret Version (${secretId}|${version}): ${reason}\n\n`,
        );
    } finally {
        client.destroy();
    }
}

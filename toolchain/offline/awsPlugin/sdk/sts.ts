import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { service } from "./calls";

export const sts = service(
    "STS",
    STSClient,
    { AssumeRole: AssumeRoleCommand, GetCallerIdentity: GetCallerIdentityCommand },
    {},
);

import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { service } from "./calls";

export const secretsManager = service(
    "Secrets Manager",
    SecretsManagerClient,
    { GetSecretValue: GetSecretValueCommand },
    {},
);

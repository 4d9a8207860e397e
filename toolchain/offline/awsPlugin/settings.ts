// The provider's configuration: where to call, as whom, and what every resource gets.
import type { Properties } from "../provider/values";

/** What a client of the AWS SDK is made with. */
export interface ClientConfig {
    readonly region: string;
    readonly endpoint: string;
    /** @default - as the SDK finds them: in the environment, in files */
    readonly credentials?: Credentials | (() => Promise<Credentials & { readonly expiration?: Date }>);
    /** Of the files of the AWS command line. */
    readonly profile?: string;
    /** How often a call is tried. @default - as the SDK does */
    readonly maxAttempts?: number;
}

export interface Credentials {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
}

/** A role to call as. */
export interface AssumedRole {
    readonly roleArn?: string;
    readonly sessionName?: string;
    readonly externalId?: string;
}

/** The services that are called, as the provider's endpoints name them, and as the SDK spells them in names of variables. */
const services = {
    ec2: "EC2",
    iam: "IAM",
    resourcegroupstaggingapi: "RESOURCE_GROUPS_TAGGING_API",
    route53: "ROUTE_53",
    secretsmanager: "SECRETS_MANAGER",
    sts: "STS",
};
export type ServiceName = keyof typeof services;

/** Settings with an effect here, or without one with any simulator. */
const texts = ["accessKey", "profile", "region", "retryMode", "secretKey", "token"] as const;
const others = [
    "allowedAccountIds",
    "assumeRoles",
    "defaultTags",
    "endpoints",
    "forbiddenAccountIds",
    "maxRetries",
    "skipCredentialsValidation",
    "skipMetadataApiCheck",
    "skipRegionValidation",
    "skipRequestingAccountId",
] as const;
type Other = (typeof others)[number];

/** The settings of this process. */
export class Settings {
    private readonly texts: Partial<Record<(typeof texts)[number], string>> = {};
    private readonly others: Partial<Record<Other, unknown>> = {};

    /** @throws if there is a setting that this stand-in does not have */
    constructor(config: Properties) {
        for (const [name, value] of Object.entries(config)) {
            if (name.startsWith("__") || ["version", "pluginDownloadURL"].includes(name) || value === "") continue;
            if ((texts as readonly string[]).includes(name)) {
                this.texts[name as "region"] = String(value);
            } else if ((others as readonly string[]).includes(name)) {
                // All but texts arrive as JSON.
                this.others[name as Other] = typeof value === "string" ? JSON.parse(value) : value;
            } else {
                const has = [...texts, ...others].join(", ");
                throw new Error(
                    `aws: this stand-in does not have the setting ${name}, but ${has} only; install Pulumi to use the real plugin`,
                );
            }
        }
    }

    private list<T>(name: Other): readonly T[] {
        return (this.others[name] as T[] | undefined) ?? [];
    }

    /** Whether a check is switched off. */
    skips(name: "skipCredentialsValidation" | "skipRequestingAccountId"): boolean {
        return this.others[name] === true;
    }

    get assumedRoles(): readonly AssumedRole[] {
        return this.list("assumeRoles");
    }

    get defaultTags(): Readonly<Record<string, string>> {
        return (this.others.defaultTags as { tags?: Record<string, string> } | undefined)?.tags ?? {};
    }

    /** @throws if the account must not be used */
    requireAccount(id: string): void {
        const allowed = this.list<string>("allowedAccountIds");
        if (this.list<string>("forbiddenAccountIds").includes(id) || (allowed.length > 0 && !allowed.includes(id))) {
            throw new Error(`AWS account ID not allowed: ${id}`);
        }
    }

    /** @throws if there is no region */
    region(given?: string): string {
        const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
        const region = given ?? this.texts.region ?? AWS_REGION ?? AWS_DEFAULT_REGION;
        if (!region) {
            throw new Error("aws: no region; set aws:region in the stack's config, or AWS_REGION");
        }
        return region;
    }

    /**
     * For the client of a service, without roles.
     * @param region given with a call. @default - that of the provider
     * @throws if there is no region, or no endpoint: this stand-in calls no real AWS
     */
    client(service: ServiceName, region?: string): ClientConfig {
        const { accessKey, secretKey, token, profile } = this.texts;
        const variable = process.env[`AWS_ENDPOINT_URL_${services[service]}`];
        // As in the real provider, the last entry wins.
        const endpoints = this.list<Record<string, string>>("endpoints").flatMap((entry) => entry[service] || []);
        const endpoint = endpoints.at(-1) ?? variable ?? process.env.AWS_ENDPOINT_URL;
        if (!endpoint) {
            throw new Error(
                `aws: no endpoint of ${service}; this stand-in calls no real AWS: set AWS_ENDPOINT_URL to a simulator, or endpoints ` +
                    "of the provider, or install Pulumi to use the real plugin",
            );
        }
        const attempts = Number(this.others.maxRetries ?? 0);
        return {
            region: this.region(region),
            endpoint,
            ...(profile && { profile }),
            ...(attempts > 0 && { maxAttempts: attempts }),
            ...(accessKey &&
                secretKey && {
                    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey, sessionToken: token },
                }),
        };
    }
}

// The provider's configuration: where to call, and as whom.
import type { Properties } from "../provider/values";

/** What a client of the AWS SDK is made with. */
export interface ClientConfig {
    readonly region: string;
    readonly endpoint: string;
    /** @default - as the SDK finds them: in the environment, in files */
    readonly credentials?: {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken?: string;
    };
}

/** The settings of this process. */
export interface ClientSettings {
    /** Takes the provider's configuration. */
    configure(config: Properties): void;
    /**
     * For the client of a service.
     * @param service its name among the provider's endpoints, such as `secretsmanager`
     * @param region given with a call. @default - that of the provider
     * @throws if there is no region, or no endpoint: this stand-in calls no real AWS
     */
    client(service: string, region?: string): ClientConfig;
}

export function clientSettings(): ClientSettings {
    let config: Properties = {};
    const text = (name: string) => {
        const value = config[name];
        return typeof value === "string" && value !== "" ? value : undefined;
    };
    return {
        configure(given) {
            config = given;
        },
        client(service, region) {
            const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL } = process.env;
            const usedRegion = region ?? text("region") ?? AWS_REGION ?? AWS_DEFAULT_REGION;
            if (!usedRegion) {
                throw new Error("aws: no region; set aws:region in the stack's config, or AWS_REGION");
            }
            const ownVariable = process.env[`AWS_ENDPOINT_URL_${serviceVariables[service] ?? service.toUpperCase()}`];
            const endpoint = endpointIn(config.endpoints, service) ?? ownVariable ?? AWS_ENDPOINT_URL;
            if (!endpoint) {
                throw new Error(
                    `aws: no endpoint of ${service}; this stand-in calls no real AWS: set AWS_ENDPOINT_URL to a simulator, or endpoints ` +
                        "of the provider, or install Pulumi to use the real plugin",
                );
            }
            const [accessKeyId, secretAccessKey, sessionToken] = [text("accessKey"), text("secretKey"), text("token")];
            const credentials =
                accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined;
            return { region: usedRegion, endpoint, ...(credentials && { credentials }) };
        },
    };
}

/** How the SDK spells services in names of variables, if not as one word. */
const serviceVariables: Record<string, string> = { secretsmanager: "SECRETS_MANAGER" };

/** Objects arrive as JSON. As in the real provider, the last entry wins. */
function endpointIn(given: unknown, service: string): string | undefined {
    const endpoints = (typeof given === "string" ? JSON.parse(given) : (given ?? [])) as Record<string, string>[];
    return endpoints.flatMap((entry) => entry[service] || []).at(-1);
}

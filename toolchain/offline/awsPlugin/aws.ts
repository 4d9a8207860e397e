// The services of AWS, each loaded when it is first called: every preview starts this plugin, and the SDK takes its time.
import type { Ec2 } from "./sdk/ec2";
import { type AssumedRole, type ClientConfig, type Credentials, type ServiceName, Settings } from "./settings";

const expiryMarginMs = 5 * 60_000;

/** AWS, as the provider's configuration says. */
export class Aws {
    private readonly services = new Map<string, unknown>();
    private account?: Promise<string>;

    constructor(readonly settings: Settings = new Settings({})) {}

    ec2(region?: string): Promise<Ec2> {
        return this.service("ec2", region, async () => (await import("./sdk/ec2.js")).ec2);
    }
    iam() {
        return this.service("iam", undefined, async () => (await import("./sdk/iam.js")).iam);
    }
    route53() {
        return this.service("route53", undefined, async () => (await import("./sdk/route53.js")).route53);
    }
    tagging(region?: string) {
        return this.service("resourcegroupstaggingapi", region, async () => (await import("./sdk/tagging.js")).tagging);
    }
    secretsManager(region?: string) {
        return this.service(
            "secretsmanager",
            region,
            async () => (await import("./sdk/secretsManager.js")).secretsManager,
        );
    }
    sts() {
        return this.service("sts", undefined, async () => (await import("./sdk/sts.js")).sts);
    }

    /**
     * The id of the account, for ARNs.
     * @throws if the account must not be used
     */
    accountId(): Promise<string> {
        this.account ??= this.findAccount();
        return this.account;
    }

    private async findAccount(): Promise<string> {
        let id = "";
        if (!this.settings.skips("skipRequestingAccountId")) {
            const sts = await this.sts();
            id = (await sts.call("GetCallerIdentity", {})).Account ?? "";
        }
        this.settings.requireAccount(id);
        return id;
    }

    /** @throws if the credentials are no good, or their account must not be used, in the words of the real provider */
    async validate(): Promise<void> {
        if (!this.settings.skips("skipCredentialsValidation")) {
            const sts = await this.sts();
            await sts.call("GetCallerIdentity", {}).catch(({ message }: Error) => {
                const isOld = /security token included in the request is (invalid|expired)/.test(message);
                throw new Error(
                    isOld ? invalidCredentials : `unable to validate AWS credentials.\nDetails: ${message}\n`,
                );
            });
        }
        await this.accountId();
    }

    private async service<T>(
        name: ServiceName,
        region: string | undefined,
        load: () => Promise<(config: ClientConfig) => T>,
    ): Promise<T> {
        const config = this.settings.client(name, region);
        const key = `${name} ${config.region}`;
        if (!this.services.has(key)) {
            const make = await load();
            this.services.set(key, make(await this.asRole(config)));
        }
        return this.services.get(key) as T;
    }

    /** The configuration with the credentials of the last of the roles, each of which assumes the next. */
    private async asRole(config: ClientConfig): Promise<ClientConfig> {
        const roles = this.settings.assumedRoles.filter(({ roleArn }) => roleArn);
        if (roles.length === 0) return config;
        const { sts } = await import("./sdk/sts.js");
        return roles.reduce<ClientConfig>((before, role) => {
            const calls = sts({ ...this.settings.client("sts"), credentials: before.credentials });
            return { ...config, credentials: renewing(() => assume(calls, role)) };
        }, config);
    }
}

type Sts = Awaited<ReturnType<Aws["sts"]>>;
type Expiring = Credentials & { readonly expiration?: Date };

async function assume(sts: Sts, { roleArn, sessionName, externalId }: AssumedRole): Promise<Expiring> {
    const RoleSessionName = sessionName ?? `haproxy-fleet-${process.pid}`;
    try {
        const { Credentials: got } = await sts.call("AssumeRole", {
            RoleArn: roleArn,
            RoleSessionName,
            ExternalId: externalId,
        });
        return {
            accessKeyId: got?.AccessKeyId ?? "",
            secretAccessKey: got?.SecretAccessKey ?? "",
            sessionToken: got?.SessionToken,
            expiration: got?.Expiration,
        };
    } catch (error) {
        throw new Error(`Cannot assume IAM Role (${roleArn}): ${(error as Error).message}`);
    }
}

/** Credentials that are fetched once, and again shortly before they expire. */
function renewing(fetch: () => Promise<Expiring>): () => Promise<Expiring> {
    let got: Promise<Expiring> | undefined;
    return async () => {
        const { expiration } = (await got) ?? {};
        if (!got || (expiration && expiration.getTime() - Date.now() < expiryMarginMs)) got = fetch();
        return got;
    };
}

const invalidCredentials = `The configured AWS credentials are invalid or have expired.
Please see https://www.pulumi.com/registry/packages/aws/installation-configuration/ for more information about providing credentials.`;

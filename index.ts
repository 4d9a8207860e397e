import * as pulumi from "@pulumi/pulumi";
import { LoadBalancer } from "./components";
import { compose } from "./program/compose";
import { loadStack } from "./program/load";
import { warnOfPlainSecrets } from "./program/plainSecrets";
import { standalone } from "./program/standalone";

const config = new pulumi.Config();
const { hosts, haproxy, options, secrets } = orRunError(() =>
    compose(standalone(loadStack(pulumi.getStack())), (name) => config.getSecret(name) !== undefined),
);

const settings = {
    probe: config.getBoolean("probe") ?? true,
    requireAnswer: config.getBoolean("requireAnswer") ?? runsInCi(),
    takeOver: config.getBoolean("takeOver") ?? false,
    allowShrink: config.getBoolean("allowShrink") ?? false,
    acceptDown: config
        .get("acceptDown")
        ?.split(/[\s,]+/)
        .filter(Boolean),
};
const slots = Object.fromEntries(secrets.map((name) => [name, config.requireSecret(name)]));

const privateKeyPassword = config.getSecret("sshPrivateKeyPassword");
const fleet = hosts.map(({ name, privateKey: fileText, connection: login }) => {
    const privateKey = fileText === undefined ? config.getSecret("sshPrivateKey") : pulumi.secret(fileText);
    const connection = { ...login, privateKey, privateKeyPassword };
    return new LoadBalancer(name, { connection, haproxy, slots, ...options, ...settings });
});

const secretKeys = ["sshPrivateKey", "sshPrivateKeyPassword", ...secrets];
warnOfPlainSecrets(config.name, secretKeys);
warnOfUnknownKeys([...Object.keys(settings), ...secretKeys]);

/** Addresses of the load balancers, by name. */
export const addresses = Object.fromEntries(hosts.map(({ name }, n) => [name, fleet[n]?.address]));

/** CI systems set `CI`; a preview there must not pass because it could not look. */
function runsInCi(): boolean {
    return !["", "0", "false"].includes(process.env.CI ?? "");
}

/** Errors in the data are reported without a stack trace. */
function orRunError<T>(compute: () => T): T {
    try {
        return compute();
    } catch (error) {
        throw new pulumi.RunError((error as Error).message);
    }
}

/** Warns of unknown config keys, because a misspelt key would silently have no effect. */
function warnOfUnknownKeys(known: string[]): void {
    const prefix = `${config.name}:`;
    const keys = Object.keys(pulumi.runtime.allConfig()).filter((key) => key.startsWith(prefix));
    const unknown = keys.map((key) => key.slice(prefix.length)).filter((key) => !known.includes(key));
    if (unknown.length > 0) {
        const [s, them, key] = unknown.length === 1 ? ["", "it", unknown[0]] : ["s", "them", "KEY"];
        const remedy = `correct ${them}, or remove ${them} with npm run pulumi -- config rm ${key} --stack ${pulumi.getStack()}`;
        const names = unknown.map((name) => JSON.stringify(name)).join(", ");
        void pulumi.log.warn(`unknown config key${s} ${names} (known: ${known.join(", ")}); ${remedy}`);
    }
}

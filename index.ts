import * as pulumi from "@pulumi/pulumi";
import { LoadBalancer, secretsIn } from "./components";
import { loadFleet } from "./program/load";

const config = new pulumi.Config();
const { stack, hosts, haproxy, warnings } = orRunError(() =>
    loadFleet(pulumi.getStack(), (name) => config.getSecret(name) !== undefined),
);

for (const warning of warnings) {
    void pulumi.log.warn(warning);
}

const slots = Object.fromEntries(secretsIn(haproxy).map((name) => [name, config.requireSecret(name)]));
const settings = {
    probe: config.getBoolean("probe") ?? true,
    takeOver: config.getBoolean("takeOver") ?? false,
    allowShrink: config.getBoolean("allowShrink") ?? false,
};
const { allowWarnings, oldWorkers } = stack.haproxy;
const options = { haproxy, allowWarnings, oldWorkers, slots, ...settings };

const privateKeyPassword = config.getSecret("sshPrivateKeyPassword");
const fleet = hosts.map(({ name, key, ...login }) => {
    const privateKey = key === undefined ? config.getSecret("sshPrivateKey") : pulumi.secret(key);
    return new LoadBalancer(name, { connection: { ...login, privateKey, privateKeyPassword }, ...options });
});

warnOfUnread(["sshPrivateKey", "sshPrivateKeyPassword", ...Object.keys(settings), ...Object.keys(slots)]);

/** Where the load balancers are, by name. */
export const addresses = Object.fromEntries(hosts.map(({ name }, n) => [name, fleet[n]?.address]));
/** What the last converge did on each. */
export const lastRuns = Object.fromEntries(hosts.map(({ name }, n) => [name, fleet[n]?.lastRun]));

/** Faults of data are told without a stack trace. */
function orRunError<T>(load: () => T): T {
    try {
        return load();
    } catch (error) {
        throw new pulumi.RunError((error as Error).message);
    }
}

/** A misspelt key would do nothing, in silence. */
function warnOfUnread(read: string[]): void {
    const prefix = `${config.name}:`;
    const given = Object.keys(pulumi.runtime.allConfig()).filter((key) => key.startsWith(prefix));
    for (const key of given.map((name) => name.slice(prefix.length)).filter((name) => !read.includes(name))) {
        const remedy = `correct it, or take it out with pulumi config rm ${key}`;
        void pulumi.log.warn(`nothing reads ${key} of the config (there are ${read.join(", ")}): ${remedy}`);
    }
}

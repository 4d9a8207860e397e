import * as pulumi from "@pulumi/pulumi";
import { fromServices, LoadBalancer, type Service, search, secretsIn, serversFor } from "./components";
import { loadInventory, loadStack, loginOn } from "./stacks/load";

const config = new pulumi.Config();
const { stack, hosts, haproxy } = orRunError(() => {
    const stack = loadStack(pulumi.getStack());
    const inventory = loadInventory(stack);
    const { environment } = stack;
    const servers = ({ name, tag = `${name}::app`, port, backupFacility }: Service) =>
        serversFor(inventory, { tag, environment, port, backupFacility });
    return {
        stack,
        hosts: search(inventory, { tag: stack.loadBalancers.tag, environment }).map((node) => loginOn(node, stack.ssh)),
        haproxy: fromServices(stack.haproxy, stack.services, servers, stack.stats),
    };
});

const slots = valuesOf(secretsIn(haproxy));
const probe = config.getBoolean("probe") ?? true;
const takeOver = config.getBoolean("takeOver") ?? false;
const allowShrink = config.getBoolean("allowShrink") ?? false;
const { allowWarnings, oldWorkers } = stack.haproxy;
const options = { haproxy, allowWarnings, oldWorkers, allowShrink, slots, probe, takeOver };

const privateKeyPassword = config.getSecret("sshPrivateKeyPassword");
const fleet = hosts.map(({ name, key, ...login }) => {
    const privateKey = key === undefined ? config.getSecret("sshPrivateKey") : pulumi.secret(key);
    return new LoadBalancer(name, { connection: { ...login, privateKey, privateKeyPassword }, ...options });
});

/** Where the load balancers are, by name. */
export const addresses = Object.fromEntries(hosts.map(({ name }, n) => [name, fleet[n]?.address]));
/** What the last converge did on each. */
export const lastRuns = Object.fromEntries(hosts.map(({ name }, n) => [name, fleet[n]?.lastRun]));

/** What the stack's config holds for the secrets that its file names. */
function valuesOf(names: string[]): Record<string, pulumi.Output<string>> {
    const values = names.map((name) => [name, config.getSecret(name)] as const);
    const missing = values.filter(([, value]) => value === undefined);
    if (missing.length > 0) {
        const stack = pulumi.getStack();
        const lines = missing.map(
            ([name]) =>
                `stacks/${stack}.ts names the secret ${name}, which the stack's config does not have: ` +
                `pulumi config set --secret ${name} --stack ${stack}`,
        );
        throw new pulumi.RunError(lines.join("\n"));
    }
    return Object.fromEntries(values) as Record<string, pulumi.Output<string>>;
}

/** Faults of data are told without a stack trace. */
function orRunError<T>(load: () => T): T {
    try {
        return load();
    } catch (error) {
        throw new pulumi.RunError((error as Error).message);
    }
}

import {
    type BalancedServices,
    type HostConnection,
    type Inventory,
    type LoadBalancerArgs,
    type Node,
    parseInventory,
    type Service,
    search,
    secretsIn,
    serversFor,
} from "../components";
import { compileServices, isError, searchedMaxShrinkPercent, withoutIgnored } from "../components/haproxy";
import type { LoadedStack } from "./load";
import type { Stack } from "./schema";

/** What a stack declares, with the hosts and servers that its searches find. */
export interface Fleet {
    readonly hosts: readonly Host[];
    /** What each host balances. */
    readonly haproxy: BalancedServices;
    readonly options: Pick<LoadBalancerArgs, "ignoreIssues" | "allowWarnings" | "oldWorkers" | "bake">;
    /** Names of the secrets in the configuration. */
    readonly secrets: readonly string[];
}

/** A load balancer of the fleet. */
export interface Host {
    readonly name: string;
    readonly connection: Omit<HostConnection, "privateKey" | "privateKeyPassword"> & { readonly address: string };
    /** Text of the private key's file. @default - the stack names no file */
    readonly privateKey?: string;
}

/**
 * Composes the fleet of a stack: searches hosts and servers, and validates the configuration.
 *
 * @param hasSecret Returns whether the stack's config has a secret.
 * @throws {Error} With every error in inventory, hosts, services, configuration and secrets, one per line.
 */
export function compose(loaded: LoadedStack, hasSecret: (name: string) => boolean): Fleet {
    const { stack, name: stackName, source } = loaded;
    const { environment, loadBalancers } = stack;
    const errors: string[] = [];
    const attempt = <T>(compute: () => T): T | undefined => {
        try {
            return compute();
        } catch (error) {
            errors.push((error as Error).message);
            return undefined;
        }
    };
    const inventory = attempt(() => inventoryOf(loaded));
    const nodes = inventory && attempt(() => search(inventory, { tag: loadBalancers.tag, environment }));
    const hosts = (nodes ?? []).flatMap((node) => attempt(() => connectionTo(node, loaded)) ?? []);
    const services = stack.services.map((service, i) =>
        service.servers || !inventory
            ? service
            : (attempt(() => withServers(service, inventory, environment, `${source}: services[${i}]`)) ?? service),
    );
    const { ignoreIssues, allowWarnings, oldWorkers, bake, ...settings } = stack.haproxy;
    const { config, validate } = compileServices(settings, services, () => undefined, stack.stats);
    const issues = withoutIgnored(validate(config), ignoreIssues);
    errors.push(...issues.filter(isError).map(({ path, message }) => `${source}: ${path}: ${message}`));
    const secrets = [...new Set([...secretsIn(config), ...namedSecrets(stack)])];
    for (const name of secrets.filter((secret) => !hasSecret(secret))) {
        const remedy = `set it with npm run pulumi -- config set --secret ${name} --stack ${stackName}`;
        errors.push(`${source}: secret ${name}: it is not in the config of the stack; ${remedy}`);
    }
    if (errors.length > 0) {
        throw new Error([...new Set(errors)].join("\n"));
    }
    return {
        hosts,
        haproxy: { ...settings, services, stats: stack.stats },
        options: { ignoreIssues, allowWarnings, oldWorkers, bake },
        secrets,
    };
}

/** The secrets that services and the statistics page name, whether or not these compile. */
function namedSecrets({ services, stats }: Stack): string[] {
    const users = [...services.flatMap(({ basicAuth }) => basicAuth?.users ?? []), ...[stats?.auth ?? []].flat()];
    return users.flatMap((user) => ("passwordSecret" in user ? [user.passwordSecret] : []));
}

/** The nodes that a stack searches, from the file that it names or from its own data. */
function inventoryOf({ stack, source, files }: LoadedStack): Inventory {
    const { file, nodes = [] } = stack.inventory;
    if (file === undefined) {
        return { nodes, source };
    }
    const text = files.get(file);
    if (text === undefined) {
        const remedy = file.startsWith(".lab/")
            ? "start the lab with npm run lab -- up"
            : "write it, or correct the path";
        throw new Error(`${source}: inventory.file: ${file} does not exist; ${remedy}`);
    }
    return parseInventory(text, file);
}

/** The service with the servers that the search finds: it may find too few, so they are guarded. */
function withServers(service: Service, inventory: Inventory, environment: string, subject: string): Service {
    const { name, tag = `${name}::app`, port, backupFacility } = service;
    const { maxShrinkPercent = searchedMaxShrinkPercent, backups = backupFacility !== undefined } = service;
    try {
        const servers = serversFor(inventory, { tag, environment, port, backupFacility });
        return { ...service, servers, maxShrinkPercent, backups };
    } catch (error) {
        throw new Error(`${subject}: ${(error as Error).message}`);
    }
}

/**
 * How to connect to a node.
 *
 * @throws {Error} If the node has no host key, or the file of the private key does not exist.
 */
function connectionTo({ name, address, ssh }: Node, { stack, source, files }: LoadedStack): Host {
    const { user, become, bastion, privateKeyFile } = stack.ssh;
    if (ssh === undefined) {
        const remedy = `add the key that ssh-keyscan -t ed25519 ${address} prints, after comparing it with the host's`;
        throw new Error(`${source}: node ${name}: it is a load balancer without ssh.hostKey; ${remedy}`);
    }
    const privateKey = privateKeyFile === undefined ? undefined : files.get(privateKeyFile);
    if (privateKeyFile !== undefined && privateKey === undefined) {
        throw new Error(`${source}: ssh.privateKeyFile: ${privateKeyFile} does not exist; correct the path`);
    }
    return { name, connection: { address, user, become, bastion, ...ssh }, privateKey };
}

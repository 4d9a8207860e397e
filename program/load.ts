import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HaproxyConfig } from "../components/haproxy/model";
import { secretsIn } from "../components/haproxy/model/strings";
import { compileServices, isError } from "../components/haproxy/services/compile";
import type { Issue } from "../components/haproxy/validate/index";
import { type Inventory, type Node, parseInventory, search, serversFor } from "../components/search/inventory";
import { parseStack, type Stack } from "./schema";

const stacksDirectory = join(__dirname, "..", "stacks");

/** A stack, and what comes of it. */
export interface Fleet {
    readonly stack: Stack;
    /** How the load balancers are logged in on. */
    readonly hosts: readonly ReturnType<typeof loginOn>[];
    readonly haproxy: HaproxyConfig;
    /** What is only probably a mistake in the services; the model's is told by who converges it. */
    readonly warnings: readonly string[];
}

/**
 * A stack with the hosts and servers that it searches for, and the configuration that its services come to.
 *
 * @param hasSecret Whether the stack's config has a secret.
 * @throws {Error} With every fault in the form of its file, as data of another form cannot be searched by. Else with every fault in
 * inventory, hosts, services, model and secrets, one a line.
 */
export function loadFleet(name: string, hasSecret: (key: string) => boolean): Fleet {
    const stack = loadStack(name);
    const place = `stacks/${name}.ts`;
    const { environment, loadBalancers } = stack;
    const faults: string[] = [];
    const attempt = <T>(load: () => T): T | undefined => {
        try {
            return load();
        } catch (error) {
            faults.push((error as Error).message);
            return undefined;
        }
    };
    const inventory = attempt(() => loadInventory(stack, place));
    const nodes = inventory && attempt(() => search(inventory, { tag: loadBalancers.tag, environment }));
    const hosts = (nodes ?? []).flatMap((node) => attempt(() => loginOn(node, stack.ssh, place)) ?? []);
    const { config, issues, issuesIn } = compileServices(
        stack.haproxy,
        stack.services,
        ({ name, tag = `${name}::app`, port, backupFacility }) =>
            inventory && serversFor(inventory, { tag, environment, port, backupFacility }),
        stack.stats,
    );
    const words = ({ path, message }: Issue) => `${place}: ${path}: ${message}`;
    faults.push(...issuesIn(config).filter(isError).map(words));
    for (const key of secretsIn(config).filter((key) => !hasSecret(key))) {
        faults.push(
            `${place} names the secret ${key}, which the stack's config does not have: ` +
                `pulumi config set --secret ${key} --stack ${name}`,
        );
    }
    if (faults.length > 0) {
        throw new Error([...new Set(faults)].join("\n"));
    }
    return { stack, hosts, haproxy: config, warnings: issues.map(words) };
}

/**
 * The data of a stack: `stacks/<name>.ts`, checked.
 *
 * @throws {Error} If there is no such file, or with every fault in it.
 */
function loadStack(name: string): Stack {
    const file = join(stacksDirectory, `${name}.ts`);
    if (!existsSync(file)) {
        const others = readdirSync(stacksDirectory)
            .filter((entry) => entry.endsWith(".ts"))
            .map((entry) => entry.slice(0, -3));
        throw new Error(
            `no data for the stack ${name}: write stacks/${name}.ts (there are ${others.join(", ")}), or select another stack`,
        );
    }
    const { default: data } = require(file) as { default?: unknown };
    if (data === undefined) {
        throw new Error(
            `stacks/${name}.ts exports nothing by default: end it with "export default" and the name of its data`,
        );
    }
    return parseStack(data, `stacks/${name}.ts`);
}

/**
 * The nodes that a stack searches, from its file or its own data.
 *
 * @throws {Error} If the file cannot be read, or with every fault in it.
 */
function loadInventory({ inventory }: Stack, place: string): Inventory {
    if (inventory.file === undefined) {
        return { nodes: inventory.nodes ?? [], place };
    }
    if (!existsSync(inventory.file)) {
        const remedy = inventory.file.startsWith(".lab/") ? "start the lab with npm run lab -- up" : "write it";
        throw new Error(`${place}: inventory.file: ${inventory.file} does not exist: ${remedy}, or correct the path`);
    }
    return parseInventory(readFileSync(inventory.file, "utf8"), inventory.file);
}

/**
 * How a node is logged in on; `key` is what the stack's file of the private key holds, if it names one.
 *
 * @throws {Error} If the node has no host key, or there is no such file.
 */
function loginOn(
    { name, address, ssh }: Node,
    { user = "root", privateKeyFile, ...others }: Stack["ssh"],
    place: string,
) {
    if (ssh === undefined) {
        throw new Error(
            `${place}: the node ${name} is to be converged, but its entry in the inventory has no ssh.hostKey: ` +
                `add the key that ssh-keyscan -t ed25519 ${address} prints, if it is the host's own`,
        );
    }
    if (privateKeyFile !== undefined && !existsSync(privateKeyFile)) {
        throw new Error(`${place}: ssh.privateKeyFile: ${privateKeyFile} does not exist: correct the path`);
    }
    const key = privateKeyFile === undefined ? undefined : readFileSync(privateKeyFile, "utf8");
    return { name, address, user, ...ssh, ...others, key };
}

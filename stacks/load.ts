import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Inventory, type Node, parseInventory } from "../components/search/inventory";
import { parseStack, type Stack } from "./schema";

/**
 * The data of a stack: `stacks/<name>.ts`, checked.
 *
 * @throws {Error} If there is no such file, or with every fault in it.
 */
export function loadStack(name: string): Stack {
    const file = join(__dirname, `${name}.ts`);
    if (!existsSync(file)) {
        const others = readdirSync(__dirname)
            .filter((entry) => entry.endsWith(".ts") && !["load.ts", "schema.ts"].includes(entry))
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
export function loadInventory({ inventory, environment }: Stack): Inventory {
    if (inventory.file === undefined) {
        return { nodes: inventory.nodes ?? [], place: `stacks/${environment}.ts` };
    }
    if (!existsSync(inventory.file)) {
        const remedy = inventory.file.startsWith(".lab/") ? "start the lab with npm run lab -- up" : "write it";
        throw new Error(`the inventory ${inventory.file} does not exist: ${remedy}, or correct inventory.file`);
    }
    return parseInventory(readFileSync(inventory.file, "utf8"), inventory.file);
}

/**
 * How a node is logged in on; `key` is what the stack's file of the private key holds, if it names one.
 *
 * @throws {Error} If the node has no host key, or there is no such file.
 */
export function loginOn({ name, address, ssh }: Node, { user = "root", privateKeyFile, ...others }: Stack["ssh"]) {
    if (ssh === undefined) {
        throw new Error(`the node ${name} is to be converged, but has no ssh.hostKey in the inventory: add it`);
    }
    if (privateKeyFile !== undefined && !existsSync(privateKeyFile)) {
        throw new Error(`the private key ${privateKeyFile} does not exist: correct ssh.privateKeyFile`);
    }
    const key = privateKeyFile === undefined ? undefined : readFileSync(privateKeyFile, "utf8");
    return { name, address, user, ...ssh, ...others, key };
}

import { ec2Inventory, type Inventory, type Node, parseInventory } from "../components/search";
import type { LoadedStack } from "./load";
import { groupsOf } from "./schema";

/** The instances that EC2 has, or why they cannot be had. */
export type FoundNodes = { readonly inventory: Inventory } | { readonly problem: string };

/** Searches EC2 for the tags of a stack's servers, if the stack says so. Load balancers need a host key, which no instance shows. */
export async function searchEc2({ stack, source }: LoadedStack): Promise<FoundNodes | undefined> {
    const { ec2 } = stack.inventory;
    if (ec2 === undefined) {
        return undefined;
    }
    const tags = groupsOf(stack).flatMap(({ group: { services } }) =>
        services.flatMap(({ servers, name, tag = `${name}::app` }) => (servers ? [] : [tag])),
    );
    if (tags.length === 0) {
        return undefined;
    }
    try {
        return { inventory: await ec2Inventory({ ...ec2, environment: stack.environment, tags }) };
    } catch (error) {
        const lines = (error as Error).message.split("\n");
        return { problem: lines.map((line) => `${source}: inventory.ec2: ${line}`).join("\n") };
    }
}

/**
 * The nodes of a stack: from its data, from the file that it names, and from EC2. A node that is also an instance, by its address in the
 * environment, has the run lists of both.
 *
 * @throws {Error} If there are none, because the file does not exist or EC2 could not be searched.
 */
export function inventoryOf(loaded: LoadedStack, ec2: FoundNodes | undefined): Inventory {
    if (ec2 !== undefined && "problem" in ec2) {
        throw new Error(ec2.problem);
    }
    const declared = declaredNodes(loaded);
    if (ec2 === undefined) {
        return declared;
    }
    const { nodes, source } = ec2.inventory;
    const isSame = (node: Node) => (other: Node) =>
        node.address === other.address && node.environment === other.environment;
    const both = declared.nodes.map((node) => {
        const instance = nodes.find(isSame(node));
        const runList = [...new Set([...node.runList, ...(instance?.runList ?? [])])];
        return instance ? { ...instance, ...node, runList } : node;
    });
    return {
        nodes: [...both, ...nodes.filter((node) => !declared.nodes.some(isSame(node)))],
        source: declared.nodes.length > 0 ? `${declared.source} and ${source}` : source,
    };
}

function declaredNodes({ stack, source, files }: LoadedStack): Inventory {
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

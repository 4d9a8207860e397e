import { z } from "zod";
import type { Server } from "../haproxy/model";
import { type Node, nodesSchema } from "./nodeSchema";
import { faultsOf } from "./zodErrors";

export type { Node } from "./nodeSchema";

/** Nodes to search in. */
export interface Inventory {
    readonly nodes: readonly Node[];
    /** Where they come from, for messages. */
    readonly place: string;
}

/** What to search for: `service` stands for the tag `<service>::app`. */
export type Query = { readonly environment: string } & ({ readonly service: string } | { readonly tag: string });

const inventorySchema = z.strictObject({ nodes: nodesSchema });

/**
 * Reads the text of an inventory file, `{"nodes": [...]}`.
 *
 * @throws {Error} With every fault, one a line.
 */
export function parseInventory(text: string, place: string): Inventory {
    let data: unknown;
    try {
        data = JSON.parse(text);
    } catch (error) {
        throw new Error(`${place}: not JSON: ${(error as Error).message}`);
    }
    const { success, data: inventory, error } = inventorySchema.safeParse(data);
    if (!success) {
        throw new Error(faultsOf(error, inventorySchema, data, place).join("\n"));
    }
    return { nodes: inventory.nodes, place };
}

/**
 * The nodes with a tag in their run list, in one environment, sorted by name.
 *
 * @throws {Error} If there is none: nothing may be converged from an empty result. The message says what does exist.
 */
export function search({ nodes, place }: Inventory, query: Query): Node[] {
    const { environment } = query;
    const tag = "tag" in query ? query.tag : `${query.service}::app`;
    const found = nodes.filter((node) => node.environment === environment && node.runList.includes(tag));
    if (found.length === 0) {
        const inEnvironment = nodes.filter((node) => node.environment === environment);
        throw new Error(
            `no node for tag ${tag} in environment ${environment} of ${place}: ` +
                `it has environments ${list(nodes.map((node) => node.environment))}; ` +
                `${environment} has tags ${list(inEnvironment.flatMap((node) => node.runList))}; ` +
                "add the tag to a node's runList or correct the search",
        );
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The servers of a backend by search, sorted by name. Those in the facility `backupFacility` are backups.
 *
 * @throws {Error} As {@link search}, and if that facility has none of them, or all.
 */
export function serversFor(
    inventory: Inventory,
    query: Query & { readonly port: number; readonly backupFacility?: string },
): Server[] {
    const { port, backupFacility } = query;
    const found = search(inventory, query);
    const backups = found.filter(({ facility }) => backupFacility !== undefined && facility === backupFacility);
    if (backupFacility !== undefined && (backups.length === 0 || backups.length === found.length)) {
        const which = backups.length === 0 ? "no server" : "every server";
        throw new Error(
            `${which} for ${"tag" in query ? query.tag : `${query.service}::app`} is in the backup facility ${backupFacility} of ` +
                `${inventory.place}: the facilities are ${list(found.map(({ facility = "(none)" }) => facility))}; ` +
                "correct backupFacility, or the nodes' facility",
        );
    }
    return found.map((node) => ({
        name: node.name,
        address: node.address,
        port,
        ...(backups.includes(node) && { backup: true }),
    }));
}

function list(names: readonly string[]): string {
    return names.length === 0 ? "(none)" : [...new Set(names)].sort().join(", ");
}

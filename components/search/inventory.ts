import { z } from "zod";
import { anyText, assertForm, formOf, text } from "../forms";
import type { Server } from "../haproxy";
import { type Node, nodesSchema, port } from "./nodeSchema";

export type { Node, NodeLogin } from "./nodeSchema";

/** Nodes to search in. */
export interface Inventory {
    /** Names and addresses are unique in each environment. */
    readonly nodes: readonly Node[];
    /** File or other origin of the nodes, for messages. */
    readonly source: string;
}

/** What to search for: nodes of one environment with one tag. */
export type Query = {
    /** Environment of the nodes. */
    readonly environment: string;
} & (
    | {
          /** Name of a service: its nodes have the tag `<service>::app`. */
          readonly service: string;
      }
    | {
          /** Tag in the run list of the nodes. */
          readonly tag: string;
      }
);

/** A query for servers. */
export type ServerQuery = Query & {
    /** Port of the servers, unless their nodes have another. */
    readonly port: number;
    /** Servers in this facility are backups. @default - none is */
    readonly backupFacility?: string;
};

const fileForm = formOf<Pick<Inventory, "nodes">>()(z.strictObject({ nodes: nodesSchema }));
const inventoryForm = formOf<Inventory>()(z.strictObject({ nodes: nodesSchema, source: text }));
const queryMessage = "expected environment, and either service or tag";
const queryForm = formOf<Query>()(
    z.union([z.strictObject({ environment: text, service: text }), z.strictObject({ environment: text, tag: text })], {
        message: queryMessage,
    }),
);
const serverShape = { environment: text, port, backupFacility: text.optional() };
const serverQueryForm = formOf<ServerQuery>()(
    z.union([z.strictObject({ ...serverShape, service: text }), z.strictObject({ ...serverShape, tag: text })], {
        message: `${queryMessage}, and port`,
    }),
);

/** Nodes that stand for others, which only a preview can find. Their facilities are not known. */
const placeholders = new WeakSet<Node>();

/** Marks a node as a placeholder. */
export function placeholderNode(node: Node): Node {
    placeholders.add(node);
    return node;
}

/** Inventories whose form has been judged, because each is searched once per service. */
const judged = new WeakSet<Inventory>();

/**
 * Reads the text of an inventory file, `{"nodes": [...]}`.
 *
 * @param source Its path, for messages.
 * @throws {Error} If it is not JSON. Else with every issue of form, one per line.
 * @example
 * ```typescript
 * import { readFileSync } from "node:fs";
 * import { search } from "haproxy-fleet";
 *
 * export const inventory = search.parseInventory(readFileSync("nodes.json", "utf8"), "nodes.json");
 * ```
 */
export function parseInventory(text: string, source: string): Inventory {
    assertForm(anyText, source, "source");
    assertForm(anyText, text, source);
    let data: unknown;
    try {
        data = JSON.parse(text);
    } catch (error) {
        throw new Error(`${source}: not JSON: ${(error as Error).message}`);
    }
    assertForm(fileForm, data, source);
    const inventory = { nodes: (data as { nodes: Node[] }).nodes, source };
    judged.add(inventory);
    return inventory;
}

/**
 * The nodes with a tag in their run list, in one environment, sorted by name.
 *
 * @throws {Error} If the arguments do not have their form, or if there is no such node: nothing may be converged from an empty result.
 * The message lists the environments and tags that exist.
 * @example
 * ```typescript
 * import { search } from "haproxy-fleet";
 *
 * const inventory: search.Inventory = {
 *     nodes: [{ name: "shop1", address: "192.0.2.21", environment: "prod", runList: ["shop::app"] }],
 *     source: "the nodes of this program",
 * };
 * export const nodes = search.search(inventory, { environment: "prod", service: "shop" });
 * ```
 */
export function search(inventory: Inventory, query: Query): Node[] {
    assertInventory(inventory);
    assertForm(queryForm, query, "query");
    const { nodes, source } = inventory;
    const { environment } = query;
    const tag = tagOf(query);
    const found = nodes.filter((node) => node.environment === environment && node.runList.includes(tag));
    if (found.length === 0) {
        const inEnvironment = nodes.filter((node) => node.environment === environment);
        throw new Error(
            `no node has the tag ${tag} in the environment ${environment} of ${source}, ` +
                `which has environments ${list(nodes.map((node) => node.environment))}, ` +
                `and in ${environment} the tags ${list(inEnvironment.flatMap((node) => node.runList))}; ` +
                "add the tag to the run list of a node, or correct the search",
        );
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The servers of a backend by search, sorted by name.
 *
 * @throws {Error} As {@link search}, and if the backup facility has none of the servers, or all.
 * @example
 * ```typescript
 * import { haproxy, search } from "haproxy-fleet";
 *
 * const inventory: search.Inventory = {
 *     nodes: [{ name: "shop1", address: "192.0.2.21", environment: "prod", runList: ["shop::app"] }],
 *     source: "the nodes of this program",
 * };
 * const servers = search.serversFor(inventory, { environment: "prod", service: "shop", port: 8080 });
 * export const backend: haproxy.Backend = { name: "shop", servers };
 * ```
 */
export function serversFor(inventory: Inventory, query: ServerQuery): Server[] {
    assertInventory(inventory);
    assertForm(serverQueryForm, query, "query");
    const { port, backupFacility, ...others } = query;
    const found = search(inventory, others);
    const backups = found.filter(({ facility }) => backupFacility !== undefined && facility === backupFacility);
    const isJudged = backupFacility !== undefined && !found.some((node) => placeholders.has(node));
    if (isJudged && (backups.length === 0 || backups.length === found.length)) {
        const which = backups.length === 0 ? "no server" : "every server";
        throw new Error(
            `${which} for ${tagOf(query)} is in the backup facility ${backupFacility} of ${inventory.source}, ` +
                `where they have the facilities ${list(found.map(({ facility = "(none)" }) => facility))}; ` +
                "correct backupFacility, or facility of the nodes",
        );
    }
    return found.map((node) => ({
        name: node.name,
        address: node.address,
        port: node.port ?? port,
        ...(node.weight !== undefined && { weight: node.weight }),
        ...(backups.includes(node) && { backup: true }),
    }));
}

function assertInventory(inventory: Inventory): void {
    if (!judged.has(inventory)) {
        assertForm(inventoryForm, inventory, "inventory");
        judged.add(inventory);
    }
}

function tagOf(query: Query): string {
    return "tag" in query ? query.tag : `${query.service}::app`;
}

function list(names: readonly string[]): string {
    return names.length === 0 ? "(none)" : [...new Set(names)].sort().join(", ");
}

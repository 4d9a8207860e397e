import { readFileSync } from "node:fs";
import local from "../../stacks/local";
import type { InventoryNode } from "../inventory";
import type { Lab } from "../lab";

/** The data of the stack. */
export const STACK_FILE = "stacks/local.ts";

/** Key of Datadog's API key in the stack's config. */
export const API_KEY = local.datadog?.apiKey.secret ?? "";

/** Key of the command that tells people, in the stack's config. */
export const ALERT_COMMAND = local.alert?.command.secret ?? "";

/** Host names of all services. */
export const hostNames = local.services.flatMap(({ hosts = [] }) => hosts);

export function nodes(lab: Lab): InventoryNode[] {
    return (JSON.parse(readFileSync(lab.inventoryPath, "utf8")) as { nodes: InventoryNode[] }).nodes;
}

export const tagged = (lab: Lab, tag: string) => nodes(lab).filter(({ runList }) => runList.includes(tag));

/** What Pulumi calls a load balancer: by its group, and its name in the inventory. */
export const resourceName = ({ name }: InventoryNode) => `edge-${name}`;

export const loadBalancers = (lab: Lab) => tagged(lab, "haproxy::lb");

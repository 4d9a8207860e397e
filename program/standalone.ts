import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import { placeholderHostKey } from "./configValues";
import type { LoadedStack } from "./load";
import { type GroupPair, groupsOf } from "./schema";

/** Nodes that are never connected to: a pair has two. */
const placeholder = { name: "placeholder", address: "192.0.2.1" };
const second = { name: "placeholder2", address: "192.0.2.2" };

/**
 * The stack as a check without hosts can have it: without private key and bastion, with placeholders for the nodes of a lab that was
 * not started; of these it warns. In previews and ups, the stack as it is.
 */
export function standalone(loaded: LoadedStack): LoadedStack {
    if (onlyDeclared() !== "check") {
        return loaded;
    }
    const { stack } = loaded;
    const { privateKeyFile: _, bastion: __, ...ssh } = stack.ssh;
    const { file } = stack.inventory;
    if (!file?.startsWith(".lab/") || loaded.files.has(file)) {
        return { ...loaded, stack: { ...stack, ssh } };
    }
    const { environment } = stack;
    const groups = groupsOf(stack);
    const tagsOf = (some: typeof groups) =>
        some.flatMap(({ group: { loadBalancers } }) => ("tag" in loadBalancers ? [loadBalancers.tag] : []));
    const node = { environment, ssh: { hostKey: placeholderHostKey } };
    const nodes = [
        { ...node, ...placeholder, runList: tagsOf(groups) },
        { ...node, ...second, runList: tagsOf(groups.filter(({ group: { pair } }) => pair?.addresses)) },
    ];
    const filled = groups.map(({ name, group: { hosts: _, pair, services, ...group } }) => {
        const servers = services.map((each) => ({ servers: [placeholder], ...each }));
        // What names hosts is left out: an elastic IP address leads to those of the lab, and one of them may stand by or be preferred.
        const { standby: __, first: ___, ...shared } = pair ?? {};
        return [name, { ...group, services: servers, ...(pair?.addresses && { pair: shared as GroupPair }) }] as const;
    });
    const replaced = { environment, ssh, inventory: { nodes }, groups: Object.fromEntries(filled) };
    void pulumi.log.warn(`${file} does not exist, so each service is checked with a placeholder as its server`);
    return { ...loaded, stack: replaced };
}

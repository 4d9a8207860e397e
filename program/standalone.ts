import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import { placeholderHostKey } from "./configValues";
import type { LoadedStack } from "./load";
import { type Group, groupsOf } from "./schema";

/** A node that is never connected to. */
const placeholder = { name: "placeholder", address: "192.0.2.1" };
const ssh = { hostKey: placeholderHostKey };

/**
 * The stack as a check without hosts can have it: without private key and bastion, with placeholders for the nodes of a lab that was
 * not started; of these it warns. In previews and ups, the stack as it is.
 */
export function standalone(loaded: LoadedStack): LoadedStack {
    if (onlyDeclared() !== "check") {
        return loaded;
    }
    const { stack } = loaded;
    const { privateKeyFile: _, bastion: __, ...login } = stack.ssh;
    return withoutLab({ ...loaded, stack: { ...stack, ssh: login } });
}

/** Placeholders in place of the nodes of a lab that was not started. */
function withoutLab(loaded: LoadedStack): LoadedStack {
    const { stack } = loaded;
    const { file } = stack.inventory;
    if (!file?.startsWith(".lab/") || loaded.files.has(file)) {
        return loaded;
    }
    const groups = groupsOf(stack);
    const node = {
        ...placeholder,
        environment: stack.environment,
        runList: groups.flatMap(({ group: { loadBalancers } }) => ("tag" in loadBalancers ? [loadBalancers.tag] : [])),
        ssh,
    };
    const filled = groups.map(({ name, group: { hosts: _, services, ...group } }) => {
        return [name, { ...group, services: services.map((each) => ({ servers: [placeholder], ...each })) }] as const;
    });
    void pulumi.log.warn(`${file} does not exist, so each service is checked with a placeholder as its server`);
    return { ...loaded, stack: withGroups(stack, { nodes: [node] }, filled) };
}

function withGroups(
    { environment, ssh: login }: LoadedStack["stack"],
    inventory: LoadedStack["stack"]["inventory"],
    groups: readonly (readonly [string, Group])[],
): LoadedStack["stack"] {
    return { environment, ssh: login, inventory, groups: Object.fromEntries(groups) };
}

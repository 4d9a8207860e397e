import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import type { LoadedStack } from "./load";
import { type Group, groupsOf } from "./schema";
import { placeholderHostKey } from "./settings";

/** A node that is never connected to. */
const placeholder = { name: "placeholder", address: "192.0.2.1" };
const ssh = { hostKey: placeholderHostKey };

/**
 * The stack as a check without hosts can have it: without private key and bastion, with placeholders for the hosts that it provisions,
 * and for the nodes of a lab that was not started; of these it warns. In previews and ups, the stack as it is.
 */
export function standalone(loaded: LoadedStack): LoadedStack {
    if (onlyDeclared() !== "check") {
        return loaded;
    }
    const { stack } = loaded;
    const { privateKeyFile: _, bastion: __, ...login } = stack.ssh;
    return withoutLab(withoutProvisioning({ ...loaded, stack: { ...stack, ssh: login } }));
}

/** Nodes in place of the hosts that a stack provisions. */
function withoutProvisioning(loaded: LoadedStack): LoadedStack {
    const { stack } = loaded;
    const { environment, inventory } = stack;
    const provisioned = groupsOf(stack).flatMap(({ name, group: { loadBalancers } }) =>
        "ec2" in loadBalancers
            ? [{ group: name, tag: `${name}::placeholder`, hosts: Object.keys(loadBalancers.ec2.hosts) }]
            : [],
    );
    if (provisioned.length === 0) {
        return loaded;
    }
    const nodes = provisioned.flatMap(({ tag, hosts }, g) =>
        hosts.map((name, n) => ({ name, address: `192.0.2.${64 * g + n + 1}`, environment, runList: [tag], ssh })),
    );
    const groups = groupsOf(stack).map(({ name, group }) => {
        const found = provisioned.find((one) => one.group === name);
        return [name, found ? { ...group, loadBalancers: { tag: found.tag } } : group] as const;
    });
    return {
        ...loaded,
        stack: withGroups(stack, { ...inventory, nodes: [...(inventory.nodes ?? []), ...nodes] }, groups),
    };
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

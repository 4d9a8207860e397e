import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import { placeholderHostKey } from "./configValues";
import type { LoadedStack } from "./load";
import { groupsOf } from "./schema";

/** A node that is never connected to. */
const placeholder = { name: "placeholder", address: "192.0.2.1" };

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
    const groups = groupsOf(stack);
    const node = {
        ...placeholder,
        environment: stack.environment,
        runList: groups.flatMap(({ group: { loadBalancers } }) => ("tag" in loadBalancers ? [loadBalancers.tag] : [])),
        ssh: { hostKey: placeholderHostKey },
    };
    const filled = groups.map(({ name, group: { hosts: _, services, ...group } }) => {
        return [name, { ...group, services: services.map((each) => ({ servers: [placeholder], ...each })) }] as const;
    });
    const { environment } = stack;
    const replaced = { environment, ssh, inventory: { nodes: [node] }, groups: Object.fromEntries(filled) };
    void pulumi.log.warn(`${file} does not exist, so each service is checked with a placeholder as its server`);
    return { ...loaded, stack: replaced };
}

import * as pulumi from "@pulumi/pulumi";
import { perProgram } from "./perProgram";

/** How many hooks of each name there are: the engine knows a hook by its name alone. */
const names = perProgram(() => new Map<string, number>());

/** Whether there are hooks: not in unit tests with mocks. */
export function hasHooks(): boolean {
    const monitor = pulumi.runtime.getMonitor() as { readonly registerResourceHook?: unknown } | undefined;
    return typeof monitor?.registerResourceHook === "function";
}

/** Hooks, if there are any, that run before a resource is created or updated; the change fails if `check` throws. */
export function beforeChange(name: string, check: () => void): pulumi.ResourceHookBinding | undefined {
    if (!hasHooks()) {
        return undefined;
    }
    const others = names().get(name) ?? 0;
    names().set(name, others + 1);
    const hook = new pulumi.ResourceHook(others === 0 ? name : `${name} (${others + 1})`, check);
    return { beforeCreate: [hook], beforeUpdate: [hook] };
}

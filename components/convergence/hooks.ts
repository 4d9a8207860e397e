import * as pulumi from "@pulumi/pulumi";

/** Whether there are hooks: not in unit tests with mocks, and not with releases of the SDK before 3.182. */
export function hasHooks(): boolean {
    const monitor = pulumi.runtime.getMonitor() as { readonly registerResourceHook?: unknown } | undefined;
    return pulumi.ResourceHook !== undefined && typeof monitor?.registerResourceHook === "function";
}

/** Hooks, if there are any, that run before a resource is created or updated; the change fails if `check` throws. */
export function beforeChange(name: string, check: () => void): pulumi.ResourceHookBinding | undefined {
    if (!hasHooks()) {
        return undefined;
    }
    const hook = new pulumi.ResourceHook(name, check);
    return { beforeCreate: [hook], beforeUpdate: [hook] };
}

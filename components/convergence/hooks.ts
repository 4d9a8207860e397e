import * as pulumi from "@pulumi/pulumi";

/**
 * Hooks that run before a resource is created or updated; the change fails if `check` throws. None in unit tests with mocks, which have
 * no hooks, and with releases of the SDK before 3.182.
 */
export function beforeChange(name: string, check: () => void): pulumi.ResourceHookBinding | undefined {
    const monitor = pulumi.runtime.getMonitor() as { readonly registerResourceHook?: unknown } | undefined;
    if (pulumi.ResourceHook === undefined || typeof monitor?.registerResourceHook !== "function") {
        return undefined;
    }
    const hook = new pulumi.ResourceHook(name, check);
    return { beforeCreate: [hook], beforeUpdate: [hook] };
}

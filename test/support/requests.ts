import * as pulumi from "@pulumi/pulumi";

/** The options of a registration that mocks do not see. */
export interface RequestedOptions {
    /** Names of the resources that it depends on, sorted. */
    readonly dependsOn: string[];
    readonly protect: boolean;
    readonly ignoreChanges: string[];
    readonly secretOutputs: string[];
}

interface Request {
    getName(): string;
    getDependenciesList(): string[];
    getProtect(): boolean;
    getIgnorechangesList(): string[];
    getAdditionalsecretoutputsList(): string[];
}

/** Collects the options of what is registered from now on, by name. Call it after the mocks are set. */
export function requestedOptions(): Map<string, RequestedOptions> {
    const options = new Map<string, RequestedOptions>();
    const monitor = pulumi.runtime.getMonitor() as unknown as {
        registerResource(request: Request, ...others: unknown[]): unknown;
    };
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, ...others) => {
        options.set(request.getName(), {
            dependsOn: request
                .getDependenciesList()
                .map((urn) => urn.split("::").slice(3).join("::"))
                .sort(),
            protect: request.getProtect(),
            ignoreChanges: request.getIgnorechangesList(),
            secretOutputs: request.getAdditionalsecretoutputsList(),
        });
        return register(request, ...others);
    };
    return options;
}

/** URNs of everything that is registered, without project and stack: `TYPE OF PARENT$TYPE::NAME`, sorted. */
export function registeredUrns(): string[] {
    const monitor = pulumi.runtime.getMonitor() as unknown as { getRegisteredResources(): Map<string, unknown> };
    return [...monitor.getRegisteredResources().keys()].map((urn) => urn.split("::").slice(2).join("::")).sort();
}

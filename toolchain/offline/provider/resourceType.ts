// What a stand-in says about its resource types and functions; protocol.ts speaks for it with the engine.
import type { Log } from "./log";
import type { Change, Properties } from "./values";

/** What is wrong with a property. */
export interface Failure {
    /** The name of an input, never a field in it. */
    readonly property: string;
    readonly reason: string;
}

/** How a property differs. */
export interface Difference {
    readonly change: Change;
    /** Whether the resource is replaced because of it. */
    readonly replaces: boolean;
}

/** One call of the engine about one resource. */
export interface Call {
    readonly urn: string;
    /** Whether nothing may be done: what an up would find out is unknown then. */
    readonly preview: boolean;
    /** Aborted if the user interrupts, or if the engine has given up. */
    readonly signal: AbortSignal;
    readonly log: Log;
}

/** What the names are made of that a plugin makes up. */
export interface Naming {
    /** That of the resource in the program. */
    readonly name: string;
    /** The inputs that it has so far. */
    readonly olds: Properties;
    /** Seven hexadecimal digits. */
    readonly random: string;
}

/** A resource type. States have all inputs and all outputs. */
export interface ResourceType {
    /** The inputs with what the plugin fills in, or what is wrong with them. */
    check(
        news: Properties,
        naming: Naming,
    ): { readonly inputs: Properties } | { readonly failures: readonly Failure[] };
    /**
     * By path, as in diffProperties().
     * @param ignored paths in `ignoreChanges`; at these, the inputs are as the state, if that has them
     */
    diff(state: Properties, inputs: Properties, ignored: readonly string[]): ReadonlyMap<string, Difference>;
    /** The state; the id may be any text in a preview. */
    create(inputs: Properties, call: Call): Promise<{ readonly id: string; readonly state: Properties }>;
    /** The new state. @default - not called, because every change replaces the resource */
    update?(state: Properties, inputs: Properties, call: Call): Promise<Properties>;
    /** @default - there is nothing to delete */
    delete?(state: Properties, call: Call): Promise<void>;
    /** The state as it is now; undefined if the resource is gone. @default - what is recorded */
    read?(state: Properties): Promise<Properties | undefined>;
    /** The inputs of a resource that is imported. @default - it cannot be imported */
    inputsOf?(state: Properties): Properties;
}

/** A function, such as `aws:secretsmanager/getSecretVersion:getSecretVersion`, without secrets in its arguments. */
export type ProviderFunction = (args: Properties) => Promise<Properties>;

/** A stand-in for a provider plugin. */
export interface Provider {
    /** As in `pulumi-resource-NAME`. */
    readonly name: string;
    readonly version: string;
    /** By type, such as `tls:index/privateKey:PrivateKey`. */
    readonly types: Readonly<Record<string, ResourceType>>;
    /** By token. */
    readonly functions: Readonly<Record<string, ProviderFunction>>;
    /** Whether it gets secrets wrapped, and has to return them so. Otherwise the engine itself keeps track of secrets. */
    readonly acceptsSecrets: boolean;
    /**
     * Takes the provider's configuration, before anything else happens.
     * @throws if the provider must not run
     */
    configure?(config: Properties): void;
    /**
     * Tries the provider's configuration, if all of it is known.
     * @throws if nothing can be done with it
     */
    checkConfig?(config: Properties): Promise<void>;
}

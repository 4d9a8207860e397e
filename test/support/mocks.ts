import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";

/** How the engine marks secrets among the inputs of a registration. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** A registration as the engine would get it. */
export interface Registration {
    type: string;
    name: string;
    custom: boolean;
    inputs: Record<string, unknown>;
    options: RegistrationOptions;
}

/** Options of a registration. Other resources are here by their names. */
export interface RegistrationOptions {
    /** "" for the stack. */
    parent: string;
    /** What it waits for, declared or by its inputs, sorted. */
    dependencies: string[];
    protect: boolean;
    ignoreChanges: string[];
    /** Outputs that are secret whatever the provider says. */
    secretOutputs: string[];
}

/** What a program has registered and logged since its mocks were set. */
export interface Recording {
    registrations: Registration[];
    messages: { severity: "info" | "warn" | "error"; text: string }[];
}

/** Settings of the simulated engine. */
export interface MockOptions {
    /** Whether it is a preview, where outputs of resources are unknown. @default false */
    preview?: boolean;
    /** Whether everything exists already, so that a preview knows the outputs, too. @default false */
    existing?: boolean;
    /** @default "dev" */
    stack?: string;
    /** Config by full key, `haproxy-fleet:probe`. @default {} */
    config?: Record<string, string>;
    /** Keys of it that are secret. @default [] */
    secretConfig?: string[];
    /** Resolves when a resource of this name is created. @default - at once */
    creation?: (name: string) => Promise<void> | undefined;
    /** What the command of this name prints there. @default - nothing */
    stderr?: (name: string) => string;
    /** Id of a resource, in an up. @default - its name and "-id" */
    id?: (type: string, name: string) => string;
    /** What a provider adds to a resource of this type, in an up. @default - nothing */
    outputs?: (type: string, name: string) => Record<string, unknown>;
    /** Answers a call of a provider's function. @default - throws, since few components call any */
    call?: (
        token: string,
        inputs: Record<string, unknown>,
        provider?: string,
    ) => Record<string, unknown> | Promise<Record<string, unknown>>;
}

/**
 * Sets Pulumi's mocks: nothing is created, every registration and every message to the engine is recorded.
 */
export async function mockEngine(options: MockOptions = {}): Promise<Recording> {
    const recording: Recording = { registrations: [], messages: [] };
    let registering = noOptions;
    await pulumi.runtime.setMocks(
        {
            async newResource({ type, name, custom = true, inputs, id }: MockResourceArgs) {
                const registration = { type, name, custom, inputs, options: registering };
                await options.creation?.(name);
                recording.registrations.push(registration);
                const printed = { stdout: "changed: nothing", stderr: options.stderr?.(name) ?? "" };
                const isNew = options.preview && !options.existing;
                const outputs = isNew || !custom ? {} : { ...printed, ...options.outputs?.(type, name) };
                const ownId = isNew ? undefined : (options.id?.(type, name) ?? `${name}-id`);
                return { id: custom ? id || ownId : undefined, state: { ...inputs, ...outputs } };
            },
            async call({ token, inputs, provider }) {
                if (!options.call) throw new Error(`unexpected call of ${token}`);
                return options.call(token, inputs, provider);
            },
        },
        "haproxy-fleet",
        options.stack ?? "dev",
        options.preview ?? false,
    );
    onRegistration((request) => {
        registering = optionsOf(request);
    });
    pulumi.runtime.setAllConfig(options.config ?? {}, options.secretConfig);
    for (const severity of ["info", "warn", "error"] as const) {
        replaceLog(severity, async (text) => {
            recording.messages.push({ severity, text });
        });
    }
    return recording;
}

/** The parts of a request to register a resource that mocks leave out. */
interface RegisterRequest {
    getParent(): string;
    getDependenciesList(): string[];
    getProtect(): boolean;
    getIgnorechangesList(): string[];
    getAdditionalsecretoutputsList(): string[];
}

const noOptions: RegistrationOptions = {
    parent: "",
    dependencies: [],
    protect: false,
    ignoreChanges: [],
    secretOutputs: [],
};

/** Looks at each request before the mocks get it: they are called at once, before anything else can happen. */
function onRegistration(look: (request: RegisterRequest) => void): void {
    type Register = (request: RegisterRequest, callback: unknown) => unknown;
    const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Register };
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, callback) => {
        look(request);
        return register(request, callback);
    };
}

function optionsOf(request: RegisterRequest): RegistrationOptions {
    const name = (urn: string) => urn.split("::").slice(3).join("::");
    const parent = request.getParent();
    return {
        parent: parent.includes("::pulumi:pulumi:Stack::") ? "" : name(parent),
        dependencies: request.getDependenciesList().map(name).sort(),
        protect: request.getProtect(),
        ignoreChanges: request.getIgnorechangesList(),
        secretOutputs: request.getAdditionalsecretoutputsList(),
    };
}

const originals = new Map<string, unknown>();

/** Mocks have no engine that would take messages, so the functions of `pulumi.log` themselves are replaced. */
function replaceLog(name: "info" | "warn" | "error", log: (text: string) => Promise<void>): void {
    const module = pulumi.log as unknown as Record<string, unknown>;
    if (!originals.has(name)) originals.set(name, module[name]);
    module[name] = log;
}

/** Restores `pulumi.log`; call it in `after`. */
export function restoreLog(): void {
    for (const [name, original] of originals) (pulumi.log as unknown as Record<string, unknown>)[name] = original;
}

/** The one registration of a name and type. */
export function registered({ registrations }: Recording, type: string, name: string): Registration {
    const found = registrations.filter((one) => one.type === type && one.name === name);
    assert.equal(found.length, 1, `${type} ${name} among ${registrations.map((one) => `${one.type} ${one.name}`)}`);
    return found[0] as Registration;
}

/** A value of an input without the marks of secrets, at any depth. */
export function unsecret(value: unknown): unknown {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(unsecret);
    const record = value as Record<string, unknown>;
    if (isSecret(record)) return unsecret(record.value);
    return Object.fromEntries(Object.entries(record).map(([key, part]) => [key, unsecret(part)]));
}

/** Whether the engine would keep the value as a secret. */
export const isSecret = (value: unknown) =>
    (value as Record<string, unknown> | null | undefined)?.[SIGNATURE] === SECRET;

/** Fails unless the engine would keep the value as a secret. */
export function assertSecret(value: unknown): void {
    assert.ok(isSecret(value), `not a secret: ${JSON.stringify(value)}`);
}

/** Waits until every registration so far is recorded. */
export function settled(): Promise<void> {
    // The SDK's own tests use it; its types leave it out.
    return (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
}

/**
 * Collects the errors that a program causes after its constructors: a rejected input becomes an unhandled rejection. In a real run,
 * the engine's runner prints those.
 *
 * @param patience milliseconds after which there is none
 * @returns the distinct messages
 */
export async function failuresOf(program: () => void, patience = 2000): Promise<string[]> {
    const others = process.listeners("unhandledRejection");
    const messages = new Set<string>();
    const collect = (error: unknown) => void messages.add((error as Error).message);
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", collect);
    try {
        program();
        // A failed registration never settles, so there is nothing to wait for but the failure.
        for (let tries = 0; messages.size === 0 && tries < patience / 20; tries++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    } finally {
        process.off("unhandledRejection", collect);
        for (const other of others) process.on("unhandledRejection", other);
    }
    return [...messages];
}

/** The value of an output, once known; rejects with whatever made it fail. */
export function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
    return (output as unknown as { promise(): Promise<T> }).promise();
}

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { type DeclaredHost, declaredHosts, onlyDeclare, type Purpose } from "../components/convergence/declaredHosts";
import type { Resource } from "../components/convergence/kinds/index";
import { unknownOutput } from "../components/convergence/outputs";
import { fileOf, type Project } from "./project";
import type { StackConfig } from "./stackConfig";

/** A host that a program declares, with its run list. */
export interface Host extends Omit<DeclaredHost, "resources"> {
    readonly resources: readonly Resource[];
}

/** What a program has declared and said. */
export interface Run {
    readonly hosts: readonly Host[];
    /** Errors with which the program has failed, each as Pulumi would show it. */
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
    /** Functions of providers that it has called: they were not run. */
    readonly functions: readonly string[];
}

/** What a program runs with. */
export interface Circumstances {
    readonly purpose: Purpose;
    readonly stack: string;
    /** @default "organization" */
    readonly organization?: string;
    readonly config: StackConfig;
    /** Known outputs of a resource. @default - none: all but its inputs are unknown */
    readonly outputsOf?: (type: string, name: string) => ResourceOutputs | undefined;
}

export interface ResourceOutputs {
    readonly id?: string;
    readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Runs a program in this process without an engine: as a preview that creates nothing, reaches no provider, and asks no host. The
 * process is for one run only, because modules are loaded once.
 */
export async function runProgram(project: Project, circumstances: Circumstances): Promise<Run> {
    const failures = new Set<unknown>();
    const fail = (error: unknown) => void failures.add(error);
    // They stay, because what a program leaves behind may fail later.
    process.on("uncaughtException", fail).on("unhandledRejection", fail);
    const restoreOutput = outputToStderr();
    const warnings = new Set<string>();
    const functions = await simulateEngine(project, circumstances, warnings, fail);
    onlyDeclare(circumstances.purpose);
    process.chdir(project.programDirectory);
    const file = fileOf(project.entry);
    const outputs = pulumi.runtime.runInPulumiStack(() => load(project, file)).catch(fail);
    if (!(await comes(outputs)) && failures.size === 0) {
        fail(new pulumi.RunError("the program waits for something that never comes; correct it"));
    }
    const hosts = await declared(fail);
    restoreOutput();
    const errors = [...new Set([...failures].map(errorText))];
    return {
        hosts,
        errors,
        warnings: [...warnings].filter((text) => !errors.includes(text)),
        functions: [...functions],
    };
}

/** Waits until nothing is registered any more, and for all run lists. */
async function declared(fail: (error: unknown) => void): Promise<Host[]> {
    const hosts = new Map<DeclaredHost, Host>();
    // A program may declare more after it has waited for something.
    for (let seen = -1; seen < declaredHosts().length; ) {
        seen = declaredHosts().length;
        await comes(registrations());
        for (const host of declaredHosts()) {
            // Hosts whose values have failed have no run list.
            await comes(host.resources.then((resources) => hosts.set(host, { ...host, resources }), fail));
        }
        // Messages of several hosts are put together a moment later.
        for (let turn = 0; turn < 5; turn++) {
            await new Promise((resolve) => setImmediate(resolve));
        }
    }
    return [...hosts.values()];
}

/** Whether a promise ends before this process has nothing left to do. What fails is never registered, and never ends. */
function comes(promise: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
        const never = () => setImmediate(() => resolve(false));
        const ended = () => {
            process.off("beforeExit", never);
            resolve(true);
        };
        process.once("beforeExit", never);
        promise.then(ended, ended);
    });
}

/** Waits for all registrations so far. The SDK has this function, but leaves it out of its types. */
function registrations(): Promise<void> {
    return (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
}

/** Loads the program as Pulumi does, and calls it if it is a function. */
async function load(project: Project, file: string): Promise<pulumi.Inputs | undefined> {
    const exported = await (project.typescript ? compiled(file) : loadedByNode(project, file));
    const { default: main = exported } = exported as { readonly default?: unknown };
    return (typeof main === "function" ? await main() : exported) as pulumi.Inputs | undefined;
}

async function loadedByNode({ isModule, programDirectory }: Project, file: string): Promise<unknown> {
    const isCommonJs = !isModule && !/\.m[jt]s$/.test(file);
    return isCommonJs ? createRequire(join(programDirectory, "index.js"))(file) : import(pathToFileURL(file).href);
}

async function compiled(file: string): Promise<unknown> {
    const { createJiti } = await import("jiti");
    // Another user could write the compiled files in a cache in /tmp.
    return createJiti(file, { fsCache: false, tsconfigPaths: true }).import(file);
}

/** Replaces the engine, providers and messages. Returns the functions that the program calls, which are added as it runs. */
async function simulateEngine(
    { name: project }: Project,
    { stack, organization = "organization", config, outputsOf = () => undefined }: Circumstances,
    warnings: Set<string>,
    fail: (error: unknown) => void,
): Promise<ReadonlySet<string>> {
    const functions = new Set<string>();
    await pulumi.runtime.setMocks(
        {
            async newResource({ type, name, custom = true, inputs, id }) {
                const known = outputsOf(type, name);
                return {
                    id: custom ? (known?.id ?? (id || undefined)) : undefined,
                    state: { ...inputs, ...known?.outputs },
                };
            },
            call({ token }) {
                functions.add(token);
                return {};
            },
        },
        project,
        stack,
        true,
        organization,
    );
    pulumi.runtime.setAllConfig({ ...config.values }, [...config.secretKeys]);
    hideConfig(new Set(config.hiddenKeys));
    hideResults(functions);
    const log = pulumi.log as unknown as Record<string, (text: string) => Promise<void>>;
    log.warn = async (text) => void warnings.add(text);
    log.error = async (text) => void fail(new pulumi.RunError(text));
    log.info = async () => undefined;
    log.debug = async () => undefined;
    return functions;
}

/** Makes getters of secrets return unknown values. */
function hideConfig(keys: ReadonlySet<string>): void {
    const prototype = pulumi.Config.prototype as unknown as Record<
        string,
        (this: pulumi.Config, key: string) => unknown
    >;
    for (const getter of ["get", "require"].flatMap((verb) =>
        ["", "Boolean", "Number", "Object"].map((type) => `${verb}Secret${type}`),
    )) {
        const original = prototype[getter];
        prototype[getter] = function (key, ...rest: []) {
            return keys.has(`${this.name}:${key}`)
                ? pulumi.secret(unknownOutput())
                : original?.call(this, key, ...rest);
        };
    }
}

/** Makes functions of providers that return Outputs return unknown ones. Others return an object without properties. */
function hideResults(functions: Set<string>): void {
    const runtime = pulumi.runtime as unknown as Record<string, (token: string) => unknown>;
    for (const name of ["invokeOutput", "invokeSingleOutput", "call"]) {
        runtime[name] = (token) => {
            functions.add(token);
            return unknownOutput();
        };
    }
}

/** What the program prints is no result of the command. */
function outputToStderr(): () => void {
    const { write } = process.stdout;
    process.stdout.write = process.stderr.write.bind(process.stderr);
    return () => {
        process.stdout.write = write;
    };
}

/** The text of an error as Pulumi shows it. */
function errorText(error: unknown): string {
    if (pulumi.RunError.isInstance(error)) {
        return error.message;
    }
    if (pulumi.ResourceError.isInstance(error) && error.hideStack) {
        return error.message;
    }
    if (!(error instanceof Error)) {
        return String(error);
    }
    // Not where libraries and this file call the program.
    const foreign = (line: string) =>
        /^\s+at /.test(line) && [__filename, "/node_modules/", "node:"].some((part) => line.includes(part));
    return (error.stack ?? error.message)
        .split("\n")
        .filter((line) => !foreign(line))
        .join("\n");
}

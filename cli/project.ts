import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";

/** A Pulumi project for Node.js. */
export interface Project {
    readonly name: string;
    /** The folder of Pulumi.yaml. */
    readonly directory: string;
    /** The folder in which the program runs. */
    readonly programDirectory: string;
    /** Path of the program: a file, or a folder with an `index` file. */
    readonly entry: string;
    /** Whether the program is an ES module. */
    readonly isModule: boolean;
    /** Whether Pulumi compiles TypeScript by itself; otherwise Node loads the program as it is, with `nodeArguments`. */
    readonly typescript: boolean;
    readonly nodeArguments: readonly string[];
    /** The folder of the stacks' config files. */
    readonly configDirectory: string;
    /** Config of the project that stacks may override, by full key. */
    readonly config: Readonly<Record<string, ProjectSetting>>;
}

/** A config key that Pulumi.yaml declares. */
export interface ProjectSetting {
    readonly type?: string;
    readonly value?: unknown;
}

/** What we read of Pulumi.yaml. */
interface ProjectFile {
    readonly name?: string;
    readonly main?: string;
    readonly runtime?: string | { readonly name?: string; readonly options?: RuntimeOptions };
    readonly stackConfigDir?: string;
    /** Text in old projects: the folder of the config files. */
    readonly config?: string | Readonly<Record<string, unknown>>;
}

interface RuntimeOptions {
    readonly typescript?: boolean;
    readonly nodeargs?: string;
}

/**
 * Finds the project around a folder, as the Pulumi CLI does.
 *
 * @throws {Error} If there is none, if it is not for Node.js, or if its program does not exist.
 */
export function findProject(from = process.cwd()): Project {
    const file = fileAbove(from, ["Pulumi.yaml", "Pulumi.yml"]);
    if (file === undefined) {
        throw new Error(`${from}: no Pulumi.yaml here or above; go to your project, or write one with init`);
    }
    const data = readYaml(file) as ProjectFile;
    const { name: runtime, options = {} } =
        typeof data.runtime === "object" ? data.runtime : { name: data.runtime, options: {} };
    if (runtime !== "nodejs") {
        throw new Error(`${file}: runtime ${runtime ?? "is not set"}; only programs for nodejs can be run`);
    }
    if (data.name === undefined) {
        throw new Error(`${file}: no name of the project; set name`);
    }
    const directory = dirname(file);
    const main = resolve(directory, data.main ?? ".");
    if (!existsSync(main)) {
        throw new Error(`${file}: main: ${main} does not exist; correct it`);
    }
    const programDirectory = statSync(main).isDirectory() ? main : dirname(main);
    const manifestFile = fileAbove(programDirectory, ["package.json"]);
    const manifest = manifestFile === undefined ? {} : manifestOf(manifestFile);
    const configDirectory = data.stackConfigDir ?? (typeof data.config === "string" ? data.config : ".");
    return {
        name: data.name,
        directory,
        programDirectory,
        entry: data.main === undefined ? entryOf(manifest, manifestFile, main) : main,
        isModule: manifest.type === "module",
        typescript: options.typescript !== false,
        nodeArguments: words(options.nodeargs ?? ""),
        configDirectory: resolve(directory, configDirectory),
        config: typeof data.config === "object" ? projectConfig(data.name, data.config) : {},
    };
}

/** Names of the stacks that have a config file, in order. */
export function stacksOf({ configDirectory }: Project): string[] {
    const names = existsSync(configDirectory) ? readdirSync(configDirectory) : [];
    return names.flatMap((name) => /^Pulumi\.(.+)\.ya?ml$/.exec(name)?.[1] ?? []).sort();
}

export function readYaml(file: string): unknown {
    try {
        return parse(readFileSync(file, "utf8")) ?? {};
    } catch (error) {
        throw new Error(`${file}: ${(error as Error).message.split("\n")[0]}; correct the file`);
    }
}

/** What we read of a package.json. */
export interface Manifest {
    readonly name?: string;
    readonly version?: string;
    readonly type?: string;
    readonly main?: string;
    readonly exports?: unknown;
    readonly bin?: Readonly<Record<string, string>>;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
    readonly peerDependencies?: Readonly<Record<string, string>>;
    readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** @throws {Error} If the file is not JSON. */
export function manifestOf(file: string): Manifest {
    try {
        return JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new Error(`${file}: ${(error as Error).message}; correct the file`);
    }
}

/** The nearest of the files in a folder or above it. */
export function fileAbove(folder: string, names: readonly string[]): string | undefined {
    const found = names.map((name) => join(folder, name)).find((file) => existsSync(file));
    const parent = dirname(folder);
    return found ?? (parent === folder ? undefined : fileAbove(parent, names));
}

/** What package.json names, if Pulumi.yaml names nothing. */
function entryOf({ exports, main }: Manifest, manifest: string | undefined, folder: string): string {
    const root = (exports as { readonly "."?: unknown } | undefined)?.["."];
    const conditions = root as { readonly default?: unknown; readonly require?: unknown; readonly import?: unknown };
    const named = [exports, root, conditions?.default, conditions?.require, conditions?.import].find(
        (one) => typeof one === "string",
    );
    const path = manifest && join(dirname(manifest), String(named ?? main ?? ""));
    return (named ?? main) !== undefined && path !== undefined && existsSync(path) ? path : folder;
}

/** The file of a program: `index` with the first extension that there is, if it is a folder. */
export function fileOf(entry: string): string {
    if (!statSync(entry).isDirectory()) {
        return entry;
    }
    const names = ["js", "cjs", "mjs", "ts", "cts", "mts"].map((extension) => `index.${extension}`);
    const found = names.map((name) => join(entry, name)).find((file) => existsSync(file));
    if (found === undefined) {
        throw new Error(`${entry}: no program, such as index.ts; write it, or name it as main in Pulumi.yaml`);
    }
    return found;
}

function projectConfig(project: string, config: Readonly<Record<string, unknown>>): Record<string, ProjectSetting> {
    const entries = Object.entries(config).map(([key, declared]): [string, ProjectSetting] => {
        const fields = declared as Readonly<Record<string, unknown>>;
        const isDeclaration =
            typeof declared === "object" &&
            declared !== null &&
            ["type", "default", "value", "description", "secret", "items"].some((field) => field in fields);
        const { type, default: usual, value = usual } = isDeclaration ? fields : { value: declared };
        return [fullKey(project, key), { ...(typeof type === "string" && { type }), value }];
    });
    return Object.fromEntries(entries);
}

/** A config key with its namespace, which is the project if the key has none. */
export function fullKey(project: string, key: string): string {
    return key.includes(":") ? key : `${project}:${key}`;
}

/** Splits like a shell: at blanks, but not between quotes. */
function words(text: string): string[] {
    return [...text.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
        word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""),
    );
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileOf, namedTexts } from "./certificates";
import { type Config, withConfig } from "./configValues";
import { groupsOf, parseStack, type Stack, type StackOfGroups } from "./schema";

/** A stack, and the files that it names. */
export interface LoadedStack {
    readonly stack: Stack | StackOfGroups;
    /** The name of the Pulumi stack. */
    readonly name: string;
    /** Path of the stack's file, for messages. */
    readonly source: string;
    /** Texts by path, as the stack writes it; files that do not exist are left out. */
    readonly files: ReadonlyMap<string, string>;
    /** Keys of the config that the data names. */
    readonly configKeys: readonly string[];
}

/** Names of the stacks that have a file. */
export function stackNames(directory = process.cwd()): string[] {
    const files = readdirSync(join(directory, "stacks"));
    return files.filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -3));
}

/**
 * Reads `stacks/<name>.ts` and the files that it names.
 *
 * @param config of the stack
 * @param directory The project's directory. @default - the working directory, in which Pulumi runs a program
 * @throws {Error} If there is no such stack. Else with everything that its config lacks, else with every issue of form in its data, one
 * per line.
 */
export function loadStack(name: string, config: Config, directory = process.cwd()): LoadedStack {
    const source = `stacks/${name}.ts`;
    const names = stackNames(directory);
    if (!names.includes(name)) {
        throw new Error(`stack ${name}: ${source} does not exist; write it, or select one of ${names.join(", ")}`);
    }
    const data = loadData(directory, source);
    if (data === undefined) {
        throw new Error(`${source}: no default export; end it with "export default" and the name of its data`);
    }
    const configured = withConfig(data, config, { source, stack: name, directory });
    const stack = parseStack(configured.data, source);
    const certificateFiles = groupsOf(stack).flatMap(({ group }) =>
        namedTexts(group).flatMap(({ named }) => fileOf(named)),
    );
    const paths = [stack.inventory.file, stack.ssh.privateKeyFile, ...certificateFiles].flatMap((path) => path ?? []);
    const existing = paths.filter((path) => existsSync(resolve(directory, path)));
    const texts = existing.map((path) => [path, readFileSync(resolve(directory, path), "utf8")] as const);
    return { stack, name, source, files: new Map(texts), configKeys: configured.keys };
}

/** The default export of a stack's file. */
function loadData(directory: string, source: string): unknown {
    try {
        return (require(resolve(directory, source)) as { default?: unknown }).default;
    } catch (error) {
        // On one line, because each line of a message counts as an error.
        const [message = ""] = (error as Error).message.split("\nRequire stack:");
        const words = message.replace(/^Transform failed with \d+ errors?:\n/, "").replace(/\s*\n\s*/g, ", ");
        throw new Error(`${source}: cannot be loaded: ${words}; correct the file`);
    }
}

import { type ParseArgsConfig, parseArgs } from "node:util";
import { list, nearest } from "../components/nearest";

/** A command line that is wrong; shown with a pointer to the help. */
export class UsageError extends Error {}

/** Options by name, as `parseArgs` takes them. */
export type Options = NonNullable<ParseArgsConfig["options"]>;

/** The arguments of a command. */
export interface Parsed<O extends Options> {
    readonly positionals: readonly string[];
    readonly values: { readonly [K in keyof O]?: Value<O[K]> };
}
type Value<O extends Options[string]> = O["type"] extends "boolean"
    ? boolean
    : O["multiple"] extends true
      ? readonly string[]
      : string;

/**
 * Parses the arguments of a command.
 *
 * @throws {UsageError} If an option is unknown, or a value is missing or too many.
 */
export function parsed<const O extends Options>(args: readonly string[], options: O): Parsed<O> {
    const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
    for (const token of tokens) {
        if (token.kind === "option" && !Object.hasOwn(options, token.name)) {
            throw new UsageError(unknown("option", token.rawName, optionNames(options)));
        }
    }
    try {
        const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
        return { positionals, values: values as Parsed<O>["values"] };
    } catch (error) {
        // The words of Node: "Option '-s, --stack <value>' argument missing", and advice after a line break.
        throw new UsageError((error as Error).message.split("\n")[0]);
    }
}

/** Says that a word is unknown, which one is probably meant, and which there are. */
export function unknown(what: string, word: string, known: readonly string[]): string {
    const meant = nearest(word, known);
    const remedy = meant === undefined ? `use ${list(known, "or")}` : `did you mean ${meant}?`;
    return `unknown ${what} ${word}; ${remedy}`;
}

function optionNames(options: Options): string[] {
    return Object.keys(options).map((name) => `--${name}`);
}

import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { UsageError } from "../arguments";
import { fileText } from "./files";

/** Where the shared secret comes from: never from an argument, which other processes of the machine can read. */
export interface SecretSource {
    readonly file?: string;
    /** Name of an environment variable. */
    readonly variable?: string;
    /** Asks twice, because a mistyped secret would be found out only when the item is read. */
    readonly repeat: boolean;
}

/** Reads the shared secret: from a file, an environment variable, standard input, or the terminal, which does not show it. */
export async function readSecret({ file, variable, repeat }: SecretSource): Promise<string> {
    if (file !== undefined && variable !== undefined) {
        throw new UsageError("expected one of --secret-file and --secret-env, got both");
    }
    if (file !== undefined) {
        return fileText(file);
    }
    if (variable !== undefined) {
        const value = process.env[variable];
        if (value === undefined) {
            throw new Error(`the environment has no variable ${variable}; set it, or use --secret-file`);
        }
        return value;
    }
    if (!process.stdin.isTTY) {
        return text(process.stdin);
    }
    const secret = await asked("Shared secret: ");
    if (repeat && (await asked("Again: ")) !== secret) {
        throw new Error("the two secrets differ; type the same one twice");
    }
    return secret;
}

/** Asks on the terminal without an echo. */
async function asked(question: string): Promise<string> {
    const output = new Writable({ write: (_chunk, _encoding, done) => done() });
    // Turns the terminal's echo off, so before the question.
    const terminal = createInterface({ input: process.stdin, output, terminal: true });
    process.stderr.write(question);
    try {
        const ended = new Promise<never>((_, reject) =>
            terminal.once("SIGINT", () => reject(new Error("interrupted; nothing was done"))),
        );
        return await Promise.race([terminal.question(""), ended]);
    } finally {
        terminal.close();
        process.stderr.write("\n");
    }
}

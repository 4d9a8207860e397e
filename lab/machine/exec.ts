import { spawn } from "node:child_process";

/** Status and output of a finished command. */
export interface Result {
    code: number;
    stdout: string;
    stderr: string;
}

export interface RunOptions {
    /** Text or bytes for the command's standard input. @default none */
    stdin?: string | Buffer;
    /** Milliseconds after which the command is killed. @default 120000 */
    timeout?: number;
    /** Reject if the command fails. @default true */
    check?: boolean;
    /** Called with each chunk of output. */
    onOutput?: (chunk: string) => void;
}

/** A command failed or took too long. */
export class CommandError extends Error {
    constructor(
        readonly command: string,
        readonly result: Result,
        reason: string,
    ) {
        const words = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-8).join("\n");
        super(`${command}: ${reason}${words ? `\n${words}` : ""}`);
    }
}

/** Runs a program without a shell and returns its output. */
export function run(program: string, args: string[], options: RunOptions = {}): Promise<Result> {
    const { stdin, timeout = 120_000, check = true, onOutput } = options;
    const shown = [program, ...args].join(" ").slice(0, 200);
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        let late = false;
        const timer = setTimeout(() => {
            late = true;
            child.kill("SIGKILL");
            // A grandchild may hold the pipes open, and the caller must not wait for it.
            child.stdout.destroy();
            child.stderr.destroy();
        }, timeout);
        child.stdout.on("data", (chunk: Buffer) => {
            out.push(chunk);
            onOutput?.(chunk.toString());
        });
        child.stderr.on("data", (chunk: Buffer) => {
            err.push(chunk);
            onOutput?.(chunk.toString());
        });
        // A command may end without reading its input.
        child.stdin.on("error", () => undefined);
        child.stdin.end(stdin);
        child.on("error", (error) => {
            clearTimeout(timer);
            reject(
                (error as NodeJS.ErrnoException).code === "ENOENT"
                    ? new Error(`${program} is not installed on this machine`, { cause: error })
                    : error,
            );
        });
        child.on("close", (code, signal) => {
            clearTimeout(timer);
            const result: Result = {
                code: code ?? 128,
                stdout: Buffer.concat(out).toString(),
                stderr: Buffer.concat(err).toString(),
            };
            if (late) reject(new CommandError(shown, result, `no end after ${timeout} ms`));
            else if (check && result.code !== 0)
                reject(new CommandError(shown, result, signal ? `killed by ${signal}` : `exit status ${result.code}`));
            else resolve(result);
        });
    });
}

/** Runs a script in the machine's shell. It stops at the first command that fails. */
export function sh(script: string, options: RunOptions = {}): Promise<Result> {
    return run("sh", ["-euc", script], options);
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Quotes a word for a POSIX shell. */
export const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

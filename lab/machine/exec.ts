import { spawn } from "node:child_process";

/** What a finished command said. */
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
    /** Reject when the command fails. @default true */
    check?: boolean;
    /** Called with each chunk of output, for progress and logs. */
    onOutput?: (chunk: string) => void;
}

/** A command failed, or took longer than it was given. */
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

/** Runs a program without a shell and collects its output. */
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
            // A grandchild may hold the pipes open; the caller was promised an answer by now.
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
        // A command that ends without reading its input is no fault of ours.
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

/** Runs a script in the machine's shell; it stops at the first failing command. */
export function sh(script: string, options: RunOptions = {}): Promise<Result> {
    return run("sh", ["-euc", script], options);
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Quotes one word for a POSIX shell. */
export const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

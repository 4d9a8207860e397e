import { spawn } from "node:child_process";
import type { Result } from "../surroundings";
import { atEnd } from "./ending";

/** How a program runs. */
export interface RunOptions {
    /** The folder in which it runs. */
    readonly folder: string;
    /** @default - that of this process */
    readonly environment?: NodeJS.ProcessEnv;
    /** Whether people see its errors as they come. @default false */
    readonly shown?: boolean;
    /** In milliseconds. @default 600000 */
    readonly timeout?: number;
}

/**
 * Runs a program without standard input. It and what it starts end with this process, or at the timeout.
 *
 * @returns its output; code 127 if it is not installed, 143 if it was ended
 */
export function runIn(
    program: string,
    args: readonly string[],
    { folder, environment = process.env, shown = false, timeout = 600_000 }: RunOptions,
): Promise<Result> {
    return new Promise((resolve, reject) => {
        // A group of its own: a signal then reaches all of it, but a terminal's Ctrl-C only by way of atEnd.
        const child = spawn(program, args, {
            cwd: folder,
            env: environment,
            stdio: ["ignore", "pipe", "pipe"],
            detached: true,
        });
        const end = atEnd(() => {
            if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
                process.kill(-child.pid, "SIGTERM");
            }
        });
        const timer = setTimeout(end, timeout);
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text) => {
            stderr += text;
            if (shown) {
                process.stderr.write(text);
            }
        });
        const settle = (settled: () => void) => {
            clearTimeout(timer);
            end();
            settled();
        };
        child.on("error", (error: NodeJS.ErrnoException) =>
            settle(() =>
                error.code === "ENOENT" ? resolve({ code: 127, stdout, stderr: error.message }) : reject(error),
            ),
        );
        child.on("close", (code) => settle(() => resolve({ code: code ?? 143, stdout, stderr })));
    });
}

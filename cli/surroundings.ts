import { spawn } from "node:child_process";

/** What the command uses of the machine. A repository with tools of its own may pass others. */
export interface Surroundings {
    /** How people call a command, which is in the place of `COMMAND`. */
    readonly usage: string;
    /** The Pulumi CLI. */
    readonly pulumi: string;
    /** Command with which people run the Pulumi CLI, in messages. */
    readonly pulumiCommand: string;
    /** Path of a module that exports `findDaemon`, see check/daemon.ts. @default - looks on PATH only */
    readonly daemons?: string;
    /** What else `--haproxy` can name, for the help. @default - nothing */
    readonly haproxyHelp?: string;
    /** Stacks to check or review if none is named. @default - those that have a config file */
    readonly stacks?: readonly string[];
}

export const usual: Surroundings = {
    usage: "npx haproxy-fleet COMMAND",
    pulumi: "pulumi",
    pulumiCommand: "pulumi",
};

/** How people call a command. */
export function callOf({ usage }: Surroundings, command: string): string {
    return usage.replace("COMMAND", command);
}

/** The same without what only separates arguments, for messages about the command. */
export function subjectOf(surroundings: Surroundings, command: string): string {
    return callOf(surroundings, command).replace(/ --$/, "");
}

/** How a program has ended, and what it has printed. */
export interface Result {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/**
 * Runs a program without standard input.
 *
 * @param timeout in milliseconds @default 60000
 * @param options its environment, @default that of this process; and what ends it early
 * @returns its output; code 127 if it is not installed
 */
export function attempt(
    program: string,
    args: readonly string[],
    timeout = 60_000,
    options: { readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal } = {},
): Promise<Result> {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
        // That of spawn would keep this process alive if the program is not installed.
        const timer = setTimeout(() => child.kill(), timeout);
        let [stdout, stderr] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
        child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
        child.on("error", (error: NodeJS.ErrnoException) => {
            clearTimeout(timer);
            if (error.code === "ENOENT") {
                resolve({ code: 127, stdout, stderr: error.message });
            } else {
                reject(error);
            }
        });
        child.on("close", (code, signal) => {
            clearTimeout(timer);
            if (code === null) {
                reject(new Error(`${program}: ended by ${signal}; it may take ${timeout / 1000} s`));
            } else {
                resolve({ code, stdout, stderr });
            }
        });
    });
}

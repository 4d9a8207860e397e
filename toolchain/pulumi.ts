// Runs the Pulumi CLI for tests, benchmarks and the demo, as `npm run pulumi` does for people.
import { spawn } from "node:child_process";
import { localBackend, pulumiBin, pulumiEnv, pulumiInstall } from "./environment.mjs";

export { localBackend, pulumiBin, pulumiEnv, pulumiInstall };

/** How the CLI is run. */
export interface RunPulumiOptions {
    /** The project's folder. @default the current folder */
    cwd?: string;
    /** Added to {@link pulumiEnv}; `undefined` removes a variable. */
    env?: Record<string, string | undefined>;
    /** Text for its standard input. @default - none */
    input?: string;
    /** Called with each piece of output. */
    onOutput?: (text: string, stream: "stdout" | "stderr") => void;
    /** Called once with a function that sends SIGINT, like Ctrl-C: the CLI cancels, waits for what runs, and saves its state. */
    onStart?: (interrupt: () => void) => void;
}

/** How a run of the CLI has ended, and what it has printed. */
export interface PulumiResult {
    /** The exit code; 128 or more if a signal ended the CLI. */
    code: number;
    stdout: string;
    stderr: string;
}

/**
 * Runs the CLI and collects its output. A failing command does not reject; check `code`.
 * @throws if the CLI cannot be started
 */
export function runPulumi(args: string[], options: RunPulumiOptions = {}): Promise<PulumiResult> {
    return new Promise((resolve, reject) => {
        const child = spawn(pulumiBin(), ["--non-interactive", ...args], {
            cwd: options.cwd,
            env: pulumiEnv(options.env),
            stdio: ["pipe", "pipe", "pipe"],
        });
        // A CLI that ends without reading says so by its exit code.
        child.stdin.on("error", () => undefined).end(options.input);
        const texts = { stdout: "", stderr: "" };
        for (const stream of ["stdout", "stderr"] as const) {
            child[stream].setEncoding("utf8").on("data", (text: string) => {
                texts[stream] += text;
                options.onOutput?.(text, stream);
            });
        }
        child.on("error", reject);
        child.on("close", (code, signal) => resolve({ code: code ?? (signal === "SIGINT" ? 130 : 128), ...texts }));
        options.onStart?.(() => child.kill("SIGINT"));
    });
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FINDINGS } from "../../components/convergence/findings";
import type { Project } from "../project";
import { attempt, type Result, type Surroundings } from "../surroundings";
import { previewedIn } from "./digest";
import { findingsIn } from "./findings";
import type { Previewed } from "./types";

/** Milliseconds for a preview: a fleet may be large, and a program may wait for others. */
const PATIENCE = 1_800_000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Previews a stack with the Pulumi CLI, its secrets and the login to its hosts. Changes nothing. What is wrong with the stack, its
 * program and its hosts is in the result.
 *
 * @param stack As `pulumi stack select` takes it.
 * @param patience In milliseconds. @default 1800000
 * @throws {Error} If the CLI is not installed, takes too long, or is ended by a signal.
 */
export async function previewStack(
    stack: string,
    { pulumi, pulumiCommand }: Pick<Surroundings, "pulumi" | "pulumiCommand">,
    { directory }: Pick<Project, "directory">,
    patience = PATIENCE,
): Promise<Previewed> {
    const start = Date.now();
    // Only this user can look into it.
    const folder = mkdtempSync(join(tmpdir(), "haproxy-fleet-preview-"));
    const file = join(folder, "findings");
    try {
        writeFileSync(file, "", { mode: 0o600 });
        // Also of what stays as it is, because hosts of which nothing was recorded must be known.
        const args = ["--non-interactive", "-C", directory, "preview", "--json", "--show-sames", "--stack", stack];
        const env = {
            ...process.env,
            [FINDINGS]: file,
            // Otherwise JSON is printed in another form.
            PULUMI_ENABLE_STREAMING_JSON_PREVIEW: undefined,
            PULUMI_SKIP_UPDATE_CHECK: "true",
        };
        const result = await outlived((signal) => attempt(pulumi, args, patience, { env, signal }));
        if (result.code === 127) {
            throw new Error(`${pulumi} is not installed; install the Pulumi CLI`);
        }
        if (result.code !== 0 && Date.now() - start >= patience) {
            throw new Error(`pulumi preview: ended, because stack ${stack} took more than ${patience / 1000} s`);
        }
        return previewedIn(result, findingsIn(readFileSync(file, "utf8")), { stack, pulumiCommand, directory });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/**
 * Runs the CLI so that this process ends after it, and can clean up. A terminal sends ^C to both, and the CLI then cancels the preview;
 * SIGTERM and SIGHUP end it.
 *
 * @throws {Error} If a signal came.
 */
async function outlived(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const stop = new AbortController();
    let received: NodeJS.Signals | undefined;
    const note = (signal: NodeJS.Signals) => {
        received = signal;
        if (signal !== "SIGINT") {
            stop.abort();
        }
    };
    for (const signal of SIGNALS) {
        process.on(signal, note);
    }
    try {
        const result = await run(stop.signal);
        if (received === undefined) {
            return result;
        }
    } catch (error) {
        if (received === undefined) {
            throw error;
        }
    } finally {
        for (const signal of SIGNALS) {
            process.off(signal, note);
        }
    }
    throw new Error(`pulumi preview: ended by ${received}`);
}

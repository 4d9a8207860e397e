import { spawn } from "node:child_process";
import { join } from "node:path";
import { repo } from "../../../toolchain/environment.mjs";
import type { Program } from "../../support/program";

/** Runs the command of this checkout on a program. Variables that are undefined are removed from the environment. */
export function runCommand(
    program: Program,
    args: readonly string[],
    environment: Readonly<Record<string, string | undefined>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { ...process.env, ...program.environment, ...environment } as NodeJS.ProcessEnv;
    return new Promise((resolve) => {
        const script = join(repo, "program/command.ts");
        const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
            cwd: program.directory,
            env,
            stdio: ["ignore", "pipe", "pipe"],
        });
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (data) => (stdout += data));
        child.stderr.on("data", (data) => (stderr += data));
        child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    });
}

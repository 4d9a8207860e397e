import { spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { delimiter, join } from "node:path";
import { repo } from "../../../toolchain/environment.mjs";
import { testLibrary } from "../../../toolchain/package.mjs";
import { cliWith } from "../../support/cliScript";
import type { Program } from "../../support/program";

interface Ended {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs the command of this checkout on a program, from its sources. Variables that are undefined are removed from the environment. */
export function runSources(program: Program, args: readonly string[], environment: Environment = {}): Promise<Ended> {
    const script = join(repo, "program/command.ts");
    return run(program, ["--import", "tsx", script, ...args], { ...program.environment, ...environment });
}

/** Runs `status` on a program as the package has it, which starts five times as fast. */
export function runStatus(program: Program, args: readonly string[]): Promise<Ended> {
    const bin = join(program.directory, "bin");
    if (!existsSync(bin)) {
        mkdirSync(bin);
        renameSync(cliWith({ directory: bin, environment: program.environment }), join(bin, "pulumi"));
    }
    const path = [bin, process.env.PATH].join(delimiter);
    return run(program, [join(testLibrary(), "command.js"), "status", ...args], { PATH: path });
}

function run({ directory }: Program, args: readonly string[], environment: Environment): Promise<Ended> {
    return new Promise((resolve) => {
        const child = spawn(process.execPath, args, {
            cwd: directory,
            env: { ...process.env, ...environment } as NodeJS.ProcessEnv,
            stdio: ["ignore", "pipe", "pipe"],
        });
        let [stdout, stderr] = ["", ""];
        child.stdout.on("data", (data) => (stdout += data));
        child.stderr.on("data", (data) => (stderr += data));
        child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    });
}

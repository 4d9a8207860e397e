import { spawn } from "node:child_process";
import {
    chmodSync,
    copyFileSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { repo } from "../../toolchain/environment.mjs";

export interface Step {
    readonly name?: string;
    readonly id?: string;
    readonly uses?: string;
    readonly run?: string;
    readonly if?: string;
    readonly with?: Readonly<Record<string, unknown>>;
    readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
    readonly permissions?: Readonly<Record<string, string>>;
    readonly environment?: string;
    readonly if?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly steps: readonly Step[];
}

export interface Workflow {
    readonly on: Readonly<Record<string, unknown>>;
    readonly permissions: Readonly<Record<string, string>>;
    readonly concurrency: Readonly<Record<string, unknown>>;
    readonly env?: Readonly<Record<string, string>>;
    readonly defaults: { readonly run: { readonly shell: string } };
    readonly jobs: Readonly<Record<string, Job>>;
}

export const workflowFolder = join(repo, ".github", "workflows");
export const workflowFiles = readdirSync(workflowFolder).sort();
export const workflowText = (file: string) => readFileSync(join(workflowFolder, file), "utf8");
export const readWorkflow = (file: string): Workflow => parse(workflowText(file));

/** How a script ended. */
export interface ScriptRun {
    readonly code: number | null;
    readonly output: string;
}

/** A folder for scripts of pipelines, with programs of its own before those of the machine. */
export class Runner {
    readonly folder = mkdtempSync(join(tmpdir(), "workflow-"));
    readonly #bin = join(this.folder, "bin");

    constructor() {
        mkdirSync(this.#bin);
    }

    remove(): void {
        rmSync(this.folder, { recursive: true, force: true });
    }

    /** Adds a program to the PATH: an existing file, or the text of a script. */
    program(name: string, content: { readonly file: string } | string): void {
        const path = join(this.#bin, name);
        if (typeof content === "string") writeFileSync(path, content);
        else copyFileSync(content.file, path);
        chmodSync(path, 0o755);
    }

    /** Reads a file of the folder; undefined if there is none. */
    read(name: string): string | undefined {
        try {
            return readFileSync(join(this.folder, name), "utf8");
        } catch {
            return undefined;
        }
    }

    run(shell: readonly string[], script: string, env: Readonly<Record<string, string>>): Promise<ScriptRun> {
        const [command = "", ...args] = shell;
        const child = spawn(command, [...args, script], {
            cwd: this.folder,
            env: { PATH: `${this.#bin}:${process.env.PATH}`, HOME: this.folder, ...env },
            stdio: ["ignore", "pipe", "pipe"],
        });
        let output = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
        return new Promise((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) => resolve({ code, output }));
        });
    }
}

/** Replaces expressions by what they give in a test. `a || b` is the first that is not empty. */
function evaluate(text: string, values: Readonly<Record<string, string>>): string {
    return text.replace(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => {
        const found = expression.split(" || ").map((name) => {
            const value = values[name];
            if (value === undefined) throw new Error(`${name}: the test has no value for it`);
            return value;
        });
        return found.find((value) => value !== "") ?? "";
    });
}

/** Runs the script of a step as GitHub's runner does, and returns the outputs that it sets. */
export async function runStep(
    runner: Runner,
    file: string,
    jobName: string,
    name: string,
    values: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
): Promise<ScriptRun & { readonly outputs: Readonly<Record<string, string>> }> {
    const workflow = readWorkflow(file);
    const job = workflow.jobs[jobName];
    const step = job?.steps.find((one) => one.name === name);
    if (!job || !step?.run) throw new Error(`${file}: no step ${name} in job ${jobName}`);
    const declared = Object.entries({ ...workflow.env, ...job.env, ...step.env });
    const given = Object.fromEntries(declared.map(([key, text]) => [key, evaluate(String(text), values)]));
    const script = join(runner.folder, "step.sh");
    const output = join(runner.folder, "output");
    const temporary = join(runner.folder, "temp");
    mkdirSync(temporary, { recursive: true });
    writeFileSync(script, step.run);
    writeFileSync(output, "");
    const ended = await runner.run(["bash", "--noprofile", "--norc", "-eo", "pipefail"], script, {
        GITHUB_REPOSITORY: "acme/edge",
        GITHUB_SERVER_URL: "https://github.com",
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: join(runner.folder, "summary.md"),
        RUNNER_TEMP: temporary,
        ...env,
        ...given,
    });
    const outputs = readFileSync(output, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
    return { ...ended, outputs: Object.fromEntries(outputs) };
}

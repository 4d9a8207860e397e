import { spawnSync } from "node:child_process";
import type { Result } from "../surroundings";
import { runIn } from "./processes";

/** Turns off hooks, file watchers and submodules. Filters stay on, because without them files would have other contents. */
const SETTINGS = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "submodule.recurse=false"];

/** Variables that Git sets for its hooks, and that would point to another repository: see `git rev-parse --local-env-vars`. */
const LOCAL =
    /^GIT_(ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|DIR|GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE|INTERNAL_SUPER_PREFIX|NAMESPACE|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)$/;

const settings = ["--no-optional-locks", "--no-pager", ...SETTINGS.flatMap((setting) => ["-c", setting])];

/** Runs Git in a folder, in English, without questions. */
export function git(folder: string, ...args: readonly string[]): Promise<Result> {
    return runIn("git", [...settings, ...args], { folder, environment: gitEnvironment(process.env) });
}

/** The same, synchronously, for when this process ends. */
export function gitAtOnce(folder: string, ...args: readonly string[]): void {
    spawnSync("git", [...settings, ...args], { cwd: folder, env: gitEnvironment(process.env), stdio: "ignore" });
}

/** The environment without variables that point to a repository. */
export function gitEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const kept = Object.entries(environment).filter(([name]) => !LOCAL.test(name));
    return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}

/** Why Git or npm has failed, on one line. */
export function lastWords({ stdout, stderr }: Pick<Result, "stdout" | "stderr">): string {
    const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim());
    const ofNpm = lines.flatMap((line) => /^npm error (?!code )(.*\S)/.exec(line)?.[1] ?? []);
    const ofGit = lines.filter((line) => /^(fatal|error): /.test(line));
    // After two lines, npm goes on with its manual.
    const found = [ofNpm.slice(0, 2), ofGit.slice(0, 3), lines.filter((line) => line !== "").slice(-1)];
    return (found.find(({ length }) => length > 0) ?? []).join(" ");
}

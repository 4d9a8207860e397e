import { spawnSync } from "node:child_process";
import type { Result } from "../surroundings";
import { runIn } from "./processes";

/** Nothing that only people want: hooks, daemons that watch files, submodules. Filters stay: without them, contents are others. */
const SETTINGS = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "submodule.recurse=false"];

/** What a hook of Git sets, which would be about another folder: `git rev-parse --local-env-vars`. */
const LOCAL =
    /^GIT_(ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|CONFIG|DIR|GRAFT_FILE|IMPLICIT_WORK_TREE|INDEX_FILE|INTERNAL_SUPER_PREFIX|NAMESPACE|NO_REPLACE_OBJECTS|OBJECT_DIRECTORY|PREFIX|REPLACE_REF_BASE|SHALLOW_FILE|WORK_TREE)$/;

const settings = ["--no-optional-locks", "--no-pager", ...SETTINGS.flatMap((setting) => ["-c", setting])];

/** Runs Git in a folder, in English, without questions. */
export function git(folder: string, ...args: readonly string[]): Promise<Result> {
    return runIn("git", [...settings, ...args], { folder, environment: gitEnvironment(process.env) });
}

/** The same, waiting for it without doing anything else. */
export function gitAtOnce(folder: string, ...args: readonly string[]): void {
    spawnSync("git", [...settings, ...args], { cwd: folder, env: gitEnvironment(process.env), stdio: "ignore" });
}

/** The environment without what is about another repository. */
export function gitEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const kept = Object.entries(environment).filter(([name]) => !LOCAL.test(name));
    return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}

/** The last words of Git or npm, on one line. */
export function lastWords({ stdout, stderr }: Pick<Result, "stdout" | "stderr">): string {
    const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim());
    const problem = lines.filter((line) => /^(fatal|error|npm error)\b/i.test(line));
    const words = problem.length > 0 ? problem : lines.filter((line) => line !== "").slice(-1);
    return words.slice(0, 3).join(" ");
}

import type { CheckJob } from "../job";
import { runProgram } from "../program";
import { findProject } from "../project";
import { configFromFile } from "../stackConfig";
import type { Surroundings } from "../surroundings";
import { checkRun, exitStatus } from "./check";
import { finderOf } from "./daemon";
import { rows } from "./table";

/** Checks one stack, prints its rows, and returns the exit status. */
export async function check({ stack, width, haproxy }: CheckJob, surroundings: Surroundings): Promise<number> {
    const project = findProject();
    const config = configFromFile(project, stack);
    const find = await finderOf(surroundings);
    const run = await runProgram(project, { purpose: "check", stack, config });
    const outcomes = await checkRun(run, (release) => find(release, haproxy));
    const remarks = [
        ...config.notes.map((text) => `note: ${text}`),
        ...run.warnings.map((text) => `warning: ${text}`),
    ].flatMap((text) => text.split("\n"));
    const lines = [...rows(stack, outcomes, width), ...remarks.map((line) => `    ${line}`)];
    process.stdout.write(`${lines.join("\n")}\n`);
    return exitStatus(outcomes);
}

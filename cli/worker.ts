import type { Job, Work } from "./job";
import { type Surroundings, subjectOf } from "./surroundings";

type Run<J extends Job> = (job: J, surroundings: Surroundings) => Promise<number>;

/** What does each job: each is loaded only for it. */
const jobs: { readonly [C in Job["command"]]: () => Run<Extract<Job, { command: C }>> } = {
    check: () => (require("./check/run") as typeof import("./check/run")).check,
    render: () => (require("./review/renderJob") as typeof import("./review/renderJob")).render,
    retire: () => (require("./retire/run") as typeof import("./retire/run")).retire,
};

/** Does the work of a process that is for one run of a program, and ends the process. */
export async function endWithWork({ job, surroundings }: Work): Promise<void> {
    const subject = subjectOf(surroundings, job.command);
    let status: number | undefined;
    process.on("exit", () => {
        if (status === undefined) {
            const problem = "the program ends the process, or waits for something that never comes";
            process.stderr.write(`${subject}: ${problem}; correct it\n`);
        }
        process.exitCode = status ?? 1;
    });
    try {
        if (!Object.hasOwn(jobs, job.command)) {
            throw new Error("unknown job; use the command and the package in the same version");
        }
        status = await (jobs[job.command]() as Run<Job>)(job, surroundings);
    } catch (error) {
        process.stderr.write(`${subject}: ${(error as Error).message}\n`);
        status = 1;
    }
    // The program may have left timers and connections. What is written is flushed first.
    process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}

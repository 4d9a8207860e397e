import type { Work } from "./job";
import { subjectOf } from "./surroundings";

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
        status =
            job.command === "check"
                ? await (require("./check/run") as typeof import("./check/run")).check(job, surroundings)
                : await (require("./retire/run") as typeof import("./retire/run")).retire(job, surroundings);
    } catch (error) {
        process.stderr.write(`${subject}: ${(error as Error).message}\n`);
        status = 1;
    }
    // The program may have left timers and connections. What is written is flushed first.
    process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}

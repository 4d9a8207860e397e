import { bold, dim, red, say, seconds, table } from "../print";
import { restore, summary, Unmet } from "./chapter";
import { killLoads } from "./load";

/** What a demo shows. */
export interface Demo {
    readonly title: string;
    /** What of it is real. */
    readonly real: string;
    /** Tells it, in chapters. */
    story(): Promise<void>;
    /** Says what is left after the summary, and ends what must not stay. */
    end(failed: boolean): Promise<void> | void;
    /** Ends what must not stay after an interrupt. Returns what to do next, in words. */
    interrupted(): Promise<string> | string;
}

/** Runs a demo, and prints a summary of its chapters. */
export async function show(demo: Demo): Promise<void> {
    let interrupted = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.once(signal, () => {
            interrupted = true;
            void interrupt(demo);
        });
    const start = Date.now();
    say(bold(demo.title));
    say(dim(demo.real));
    let failure: Error | undefined;
    try {
        await demo.story();
    } catch (error) {
        failure = error as Error;
    } finally {
        killLoads();
        restore();
    }
    // What an interrupt breaks is no failure, and the process is about to end.
    if (interrupted) return;
    say(`\n${bold("Summary")}`);
    table(["", "STEP", "TIME", "RESULT"], [...summary, ["", "in all", seconds(start), ""]]);
    if (failure) {
        say(`${red("The demo failed:")} ${failure instanceof Unmet ? failure.message : failure.stack}`);
        process.exitCode = 1;
    }
    await demo.end(failure !== undefined);
}

async function interrupt(demo: Demo): Promise<void> {
    killLoads();
    restore();
    say(`\nInterrupted. ${await demo.interrupted()}`);
    process.exit(130);
}

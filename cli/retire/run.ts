import { createInterface } from "node:readline/promises";
import type { RetireJob } from "../job";
import type { Surroundings } from "../surroundings";
import { retirementOf } from "./retire";

/** Retires a host after a confirmation, and returns the exit status. */
export async function retire(job: RetireJob, surroundings: Surroundings): Promise<number> {
    const say = (text: string) => process.stdout.write(`${text}\n`);
    const { host, address, stack, daemons, undone, retired, hardStopAfter, run } = await retirementOf(
        job.host,
        job.stack,
        surroundings,
    );
    const next = [
        `next: remove ${host} from stack ${stack}, then: ${surroundings.pulumiCommand} up --stack ${stack}`,
        "as long as it is in the stack, an up converges it again",
    ].join("\n");
    if (retired) {
        say(`${host} (${address}): nothing to do, no stack converges it\n${next}`);
        return 0;
    }
    say(`${host} (${address}) of stack ${stack} would be retired:`);
    for (const daemon of daemons) {
        say(`  ${daemon}: takes no new connections, ends with its last one, at the latest after ${hardStopAfter} s`);
    }
    for (const resource of undone) {
        say(`  ${resource}: would be undone`);
    }
    say("  /var/lib/haproxy-fleet: would be removed; packages and accounts stay");
    if (!job.yes && !process.stdin.isTTY) {
        throw new Error("there is no terminal to ask for confirmation; look at what it would do, then add --yes");
    }
    if (!job.yes && !(await confirmed(`Move its clients away first. Retire ${host}? [y/N] `))) {
        say("nothing was done");
        return 1;
    }
    await run((text) => process.stdout.write(text));
    say(`${host} is out of service\n${next}`);
    return 0;
}

async function confirmed(question: string): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        return /^y(es)?$/i.test((await terminal.question(question)).trim());
    } finally {
        terminal.close();
    }
}

import { createInterface } from "node:readline/promises";
import type { RetireJob } from "../job";
import type { Surroundings } from "../surroundings";
import { type RetirementOf, retirementOf } from "./retire";

/** Retires a host after a confirmation, and returns the exit status. */
export async function retire(job: RetireJob, surroundings: Surroundings): Promise<number> {
    const say = (lines: readonly string[]) => process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    const found = await retirementOf(job.host, job.stack, surroundings);
    const { host, retired, run } = found;
    const next = nextSteps(found, surroundings.pulumiCommand);
    say(whatEnds(found));
    if (retired) {
        say(next);
        return 0;
    }
    if (!job.yes && !process.stdin.isTTY) {
        throw new Error("there is no terminal to ask for confirmation; look at what it would do, then add --yes");
    }
    if (!job.yes && !(await confirmed(`Move its clients away first. Retire ${host}? [y/N] `))) {
        say(["nothing was done"]);
        return 1;
    }
    await run((text) => process.stdout.write(text));
    say([`${host} is out of service`, ...next]);
    return 0;
}

/** What a person reads before the confirmation. */
export function whatEnds(found: Omit<RetirementOf, "run">): string[] {
    const { host, address, stack, daemons, undone, retired, hardStopAfter } = found;
    if (retired) {
        return [`${host} (${address}): nothing to do, no stack converges it`];
    }
    const softly = `takes no new connections, ends with its last one, at the latest after ${hardStopAfter} s`;
    const handsOver = "hands the addresses over if the other host serves; if not, they go all the same";
    return [
        `${host} (${address}) of stack ${stack} would be retired:`,
        ...daemons.map((daemon) => `  ${daemon}: ${daemon === "transaction[keepalived]" ? handsOver : softly}`),
        ...undone.map((resource) => `  ${resource}: would be undone`),
        "  /var/lib/haproxy-fleet: would be removed; packages and accounts stay",
    ];
}

/** What is left to do in the program. A pair has two hosts. */
export function nextSteps(found: Pick<RetirementOf, "host" | "stack" | "isInPair">, pulumiCommand: string): string[] {
    const { host, stack, isInPair } = found;
    const removal = isInPair
        ? `put another host in the place of ${host} in stack ${stack}, or declare a fleet without it`
        : `remove ${host} from stack ${stack}`;
    return [
        `next: ${removal}, then: ${pulumiCommand} up --stack ${stack}`,
        "as long as it is in the stack, an up converges it again",
    ];
}

async function confirmed(question: string): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        return /^y(es)?$/i.test((await terminal.question(question)).trim());
    } finally {
        terminal.close();
    }
}

import { setTimeout } from "node:timers/promises";
import { findProject } from "../project";
import { pulumiIn } from "../pulumiCli";
import { resourcesIn } from "../state";
import type { Surroundings } from "../surroundings";
import { parseAnswer } from "./answer";
import { askHosts } from "./ask";
import { hostsIn, namedHosts, type StackHost } from "./hosts";
import { report } from "./json";
import { exitStatus, judgeAll } from "./judge";
import { inDoubt } from "./judgePairs";
import { statusProgram } from "./program";
import { progressOn, waitingFor } from "./progress";
import { table } from "./table";
import { escaped, some } from "./words";

/** Milliseconds after which a hand-over, or what a host does when the other one has died, has ended. */
const HAND_OVER = 5_000;

export interface StatusArgs {
    /** @default - the selected one */
    readonly stack?: string;
    readonly json: boolean;
    /** Names of hosts. @default - all of the stack */
    readonly hosts: readonly string[];
}

/**
 * Asks the hosts of a stack how they are, prints it, and returns the exit status.
 *
 * @throws {Error} If the state cannot be read, has no host, or not the named ones.
 */
export async function status({ stack, json, hosts: names }: StatusArgs, surroundings: Surroundings): Promise<number> {
    const pulumi = pulumiIn(findProject(), surroundings);
    const progress = progressOn(process.stderr);
    // Hosts notice the closed connection, and end what they do.
    process.once("SIGINT", () => {
        progress.end();
        process.exit(130);
    });
    try {
        progress.say("reading the state of the stack");
        const selected = stack === undefined ? [] : ["--stack", stack];
        const known = hostsIn(resourcesIn(await pulumi("stack", "export", "--show-secrets", ...selected)));
        const { project, stack: name } = known;
        if (known.hosts.length === 0) {
            const which = name === "" ? "its state is empty" : `stack ${name} has no load balancer in its state`;
            throw new Error(`${which}; run ${surroundings.pulumiCommand} up first, or name another stack`);
        }
        const asked = namedHosts(known, names);
        let waiting = asked.map(({ host }) => host);
        const done = (host: string) => {
            waiting = waiting.filter((each) => each !== host);
            progress.say(waitingFor(waiting, asked.length));
        };
        progress.say(waitingFor(waiting, asked.length));
        const ask = (which: readonly StackHost[]) =>
            askHosts(which, { program: statusProgram(), parse: parseAnswer, done });
        const { pulumiCommand } = surroundings;
        const fleet = { project, stack: name, pulumiCommand };
        let answers = await ask(asked);
        const doubtful = inDoubt(answers, fleet);
        if (doubtful.length > 0) {
            progress.say(`a pair may be handing over: asking ${escaped(some(doubtful))} again`);
            await setTimeout(HAND_OVER);
            const again = await ask(asked.filter(({ host }) => doubtful.includes(host)));
            answers = answers.map((before) => again.find(({ host }) => host === before.host) ?? before);
        }
        const hosts = judgeAll(answers, fleet);
        progress.end();
        const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR;
        const text = json
            ? `${JSON.stringify(report(name, hosts), undefined, 2)}\n`
            : table({ stack: name, hosts, coloured });
        process.stdout.write(text);
        return exitStatus(hosts);
    } finally {
        progress.end();
    }
}

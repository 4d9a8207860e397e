import { boundsOf, type Timing } from "./bounds";
import { expectationOf } from "./expectations";
import type { History } from "./historyFile";
import { median, type Outcome, outcomesOf } from "./outcome";

const ms = (value: number) => `${Math.round(value)} ms`;

/** One line about a fault that is over. */
export function outcomeLine({ record, gap, outage, failed }: Outcome): string {
    const { kind, target, owner, calm, repaired, up } = record;
    const parts = [
        `${kind} on ${target}${target === owner ? ", which has the address" : ""}`,
        `no owner ${ms(gap)}`,
        `no answer ${ms(outage)}`,
        `${failed} failed`,
        calm === undefined ? "not calm" : `calm after ${ms(calm - repaired)}`,
        ...(up ? [`up ${ms(up.end - up.start)}${up.result === "converged" ? "" : ", failed"}`] : []),
    ];
    return parts.join("; ");
}

/** Head and rows of a table: how long nobody had the address, and how long clients got no answer, by kind of fault. */
export function outcomeTable(history: History): { head: string[]; rows: string[][] } {
    const groups = new Map<string, { outcomes: Outcome[]; bound: number }>();
    for (const outcome of outcomesOf(history)) {
        const { kind, target, owner } = outcome.record;
        const label = `${kind}, ${target === owner ? "owner" : "other host"}`;
        const { begin, repair } = expectationOf({ kind, target, owner, hosts: history.hosts }, history.timing);
        const group = groups.get(label) ?? { outcomes: [], bound: Math.max(begin.gap, repair.gap) };
        group.outcomes.push(outcome);
        groups.set(label, group);
    }
    const rows = [...groups].sort().map(([label, { outcomes, bound }]) => {
        const [gaps, outages] = [outcomes.map(({ gap }) => gap), outcomes.map(({ outage }) => outage)];
        const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
        return [
            label,
            String(outcomes.length),
            ...[median(gaps), Math.max(...gaps), bound, median(outages), Math.max(...outages)].map(ms),
            String(failed),
        ];
    });
    const head = ["FAULT", "TIMES", "NO OWNER", "AT MOST", "BOUND", "NO ANSWER", "AT MOST", "FAILED"];
    return { head, rows };
}

/** The bounds of a pair, in words. */
export function boundLines(timing: Timing): string[] {
    const { resigned, silent, noticed, returned } = boundsOf(timing);
    const { advertise, interval, fall, rise, slack } = timing;
    return [
        `check every ${interval} s, down after ${fall}, up after ${rise}; adverts every ${advertise} s; failback ${timing.failback}; ${slack} s of slack in each bound`,
        `MASTER resigns: new owner within ${ms(resigned)}`,
        `MASTER is silent: new owner within ${ms(silent)}`,
        `HAProxy fails: MASTER resigns within ${ms(noticed)}`,
        `host serves again: settled within ${ms(returned)}`,
    ];
}

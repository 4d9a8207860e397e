import { longestGap, type Request, type Sample, type Time } from "./history";
import type { FaultRecord, History } from "./historyFile";

/** What a fault has led to. */
export interface Outcome {
    readonly record: FaultRecord;
    /** Milliseconds of the longest time without an owner. */
    readonly gap: number;
    /** Milliseconds of the longest time in which no new connection led to an answer. */
    readonly outage: number;
    /** Requests that failed, of both kinds of connections. */
    readonly failed: number;
}

/** Looks at what there was from the beginning of a fault until the pair was calm. */
export function outcomeOf(record: FaultRecord, samples: readonly Sample[], requests: readonly Request[]): Outcome {
    const end = record.calm ?? Number.POSITIVE_INFINITY;
    const during = <T>(events: readonly T[], time: (event: T) => Time) =>
        events.filter((event) => time(event) >= record.begin && time(event) <= end);
    const asked = during(requests, ({ start }) => start);
    return {
        record,
        gap: longestGap(during(samples, ({ time }) => time)),
        outage: longestOutage(asked.filter(({ connection }) => connection === "new")),
        failed: asked.filter(({ result }) => result !== "ok").length,
    };
}

export const outcomesOf = ({ faults, samples, requests }: History): Outcome[] =>
    faults.map((record) => outcomeOf(record, samples, requests));

/** Milliseconds from the first request that failed until the next one that did not, by their starts. */
function longestOutage(requests: readonly Request[]): number {
    let [longest, since] = [0, undefined as Time | undefined];
    for (const { start, result } of [...requests].sort((a, b) => a.start - b.start)) {
        if (result !== "ok") since ??= start;
        else if (since !== undefined) {
            longest = Math.max(longest, start - since);
            since = undefined;
        }
    }
    return longest;
}

/** The value in the middle; with an even number, the lower one of the two. */
export function median(values: readonly number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

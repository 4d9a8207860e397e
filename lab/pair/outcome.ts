import { longestGap, type Request, type Sample, type Time } from "./history";
import type { FaultRecord, History } from "./historyFile";

/** What a fault has led to. */
export interface Outcome {
    readonly record: FaultRecord;
    /** Milliseconds of the longest time without an owner. */
    readonly gap: number;
    /** Milliseconds of the longest time in which no request on a new connection was answered. */
    readonly outage: number;
    /** Requests that failed, of both kinds of connections. */
    readonly failed: number;
}

/** Looks at what there was from the beginning of a fault until the pair was calm. */
export function outcomeOf(record: FaultRecord, samples: readonly Sample[], requests: readonly Request[]): Outcome {
    const end = record.calm ?? Number.POSITIVE_INFINITY;
    const during = <T>(events: readonly T[], time: (event: T) => Time) =>
        events.filter((event) => time(event) >= record.begin - 100 && time(event) <= end);
    const ended = during(requests, (request) => request.end);
    return {
        record,
        gap: longestGap(during(samples, ({ time }) => time)),
        outage: outageOf(ended),
        failed: ended.filter(({ result }) => result !== "ok").length,
    };
}

export const outcomesOf = ({ faults, samples, requests }: History): Outcome[] =>
    faults.map((record) => outcomeOf(record, samples, requests));

/** Milliseconds of the longest time between two answers to requests on new connections. */
export function outageOf(requests: readonly Request[]): number {
    const answered = requests.filter(({ connection, result }) => connection === "new" && result === "ok");
    const times = answered.map(({ end }) => end).sort((a, b) => a - b);
    return Math.max(0, ...times.map((time, index) => time - (times[index - 1] ?? time)));
}

/** The value in the middle; with an even number, the lower one of the two. */
export function median(values: readonly number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Milliseconds of the machine's monotonic clock, which processes share. */
export type Time = number;

export const now = (): Time => Number(process.hrtime.bigint()) / 1e6;

/** Who answered one question for the service address. */
export interface Sample {
    /** When the question was sent. Answers came before the next one. */
    readonly time: Time;
    /** Names of hosts, sorted. */
    readonly owners: readonly string[];
}

/** A request to the service address. */
export interface Request {
    readonly start: Time;
    readonly end: Time;
    /** `new`: on a connection of its own; `kept`: on one that stays open as long as it works. */
    readonly connection: "new" | "kept";
    /** `ok`, or why there was no complete answer with status 200: `timeout`, `status 503`, `ECONNRESET`, … */
    readonly result: string;
    /** The load balancer that answered. @default - it did not say */
    readonly balancer?: string;
    /** The web server that answered. @default - none */
    readonly backend?: string;
}

/** A time during which no owner was seen, one, or more. */
export interface Span {
    readonly from: Time;
    readonly to: Time;
    readonly owners: readonly string[];
}

/** Joins equal samples. The last span ends with the last sample. */
export function spansOf(samples: readonly Sample[]): Span[] {
    const spans: { from: Time; to: Time; owners: readonly string[] }[] = [];
    for (const { time, owners } of samples) {
        const last = spans.at(-1);
        if (last) last.to = time;
        if (last?.owners.join() !== owners.join()) spans.push({ from: time, to: time, owners });
    }
    return spans;
}

/** Milliseconds of the longest time without an owner. */
export const longestGap = (samples: readonly Sample[]): number =>
    Math.max(0, ...spansOf(samples).map(({ from, to, owners }) => (owners.length ? 0 : to - from)));

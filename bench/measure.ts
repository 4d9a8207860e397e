import { readFileSync } from "node:fs";

/** Seconds that the work takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
    const start = process.hrtime.bigint();
    await work();
    return Number(process.hrtime.bigint() - start) / 1e9;
}

/**
 * Runs all in turn for several rounds, so that other load on the machine affects each of them. The first round warms up and does
 * not count.
 *
 * @returns the median of each, in seconds
 */
export async function interleaved<Name extends string>(
    rounds: number,
    contenders: Record<Name, () => Promise<unknown>>,
): Promise<Record<Name, number>> {
    const names = Object.keys(contenders) as Name[];
    const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
    for (let round = 0; round <= rounds; round++)
        for (const name of names) {
            const time = await seconds(contenders[name]);
            if (round > 0) times[name].push(time);
        }
    return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>;
}

export function median(values: number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    const upper = sorted[middle] ?? Number.NaN;
    return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Processor seconds of all ended child processes and their descendants, like `time`, in hundredths. */
export function childrenTime(): number {
    const fields = readFileSync("/proc/self/stat", "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** A measured value and its target. */
export interface Verdict {
    what: string;
    measured: string;
    against: string;
    result: number;
    /** The highest value allowed. @default - no target */
    target?: number;
    /** Whether a missed target only shows, because other load on the machine may be the cause. @default false */
    loose?: boolean;
    unit: "s" | "ms" | "×";
}

export const ms = (value: number) => `${(value * 1000).toFixed(0)} ms`;
export const s = (value: number) => `${value.toFixed(2)} s`;

import { readFileSync, writeFileSync } from "node:fs";
import type { Timing } from "./bounds";
import type { Request, Sample, Time } from "./history";
import type { Kind } from "./plan";

/** A fault, as it has happened. */
export interface FaultRecord {
    readonly kind: Kind;
    /** The host that it met. */
    readonly target: string;
    /** The host that had the address before. */
    readonly owner: string;
    /** When the action began that makes the fault, and when it had ended. */
    readonly begin: Time;
    readonly began: Time;
    /** When the action began that repairs it, and when it had ended. */
    readonly repair: Time;
    readonly repaired: Time;
    /** When both hosts were ready for the next one. @default - they did not become so */
    readonly calm?: Time;
    /** An up that ran at the same time. `result` is what it said in the end. @default - there was none */
    readonly up?: { readonly start: Time; readonly end: Time; readonly result: string };
    /** Whether status said, while VRRP was cut, that both are MASTER. @default - not asked */
    readonly told?: boolean;
}

/** All that clients and the observer have seen, and what happened meanwhile. */
export interface History {
    readonly seed: number;
    readonly timing: Timing;
    /** Both, the preferred one first. */
    readonly hosts: readonly [string, string];
    /** Whether status was asked. */
    readonly tells: boolean;
    readonly samples: readonly Sample[];
    readonly requests: readonly Request[];
    readonly faults: readonly FaultRecord[];
}

type Line = { event: "pair" } | { event: "sample" } | { event: "request" } | { event: "fault" };

/** Writes a history as one JSON object per line, in the order of time. */
export function writeHistory(file: string, { samples, requests, faults, ...pair }: History): void {
    const events = [
        ...samples.map((sample) => ({ event: "sample", ...sample })),
        ...requests.map((request) => ({ event: "request", time: request.start, ...request })),
        ...faults.map((fault) => ({ event: "fault", time: fault.begin, ...fault })),
    ].sort((a, b) => a.time - b.time);
    writeFileSync(file, [{ event: "pair", ...pair }, ...events].map((event) => `${JSON.stringify(event)}\n`).join(""));
}

/** Reads what {@link writeHistory} has written. */
export function readHistory(file: string): History {
    const lines = readFileSync(file, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line);
    const of = <T>(event: Line["event"]) => lines.filter((line) => line.event === event) as T[];
    const [pair] = of<Omit<History, "samples" | "requests" | "faults">>("pair");
    if (!pair) throw new Error(`${file}: no history of a pair`);
    return { ...pair, samples: of("sample"), requests: of("request"), faults: of("fault") };
}

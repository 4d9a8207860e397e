import type { Timing } from "../../../../lab/pair/bounds";
import type { Request, Sample } from "../../../../lab/pair/history";
import type { FaultRecord, History } from "../../../../lab/pair/historyFile";

/** Interval 2, fall 2, rise 2, adverts each second. Resigned: 2109 ms, silent: 5109 ms, noticed: 6500 ms. */
export const timing: Timing = {
    ...{ failback: "never", advertise: 1, interval: 2, fall: 2, rise: 2 },
    ...{ timeout: 1, priorities: [101, 100], restart: 1, slack: 1.5 },
};

/** Who has the address, from 0 on: milliseconds, then owners separated by blanks. */
type Turns = readonly (readonly [number, string])[];

/** A history of what a test says, with a request every 50 ms. It begins with lb1 as the owner and ends at 60 s. */
export function scene(
    fault: Partial<FaultRecord>,
    turns: Turns,
    result: (time: number) => string = () => "ok",
    more: Partial<History> = {},
): History {
    const samples: Sample[] = [];
    const requests: Request[] = [];
    for (let time = 0; time < 60_000; time += 20) {
        const [, owners = ""] = turns.filter(([from]) => from <= time).at(-1) ?? [];
        samples.push({ time, owners: owners.split(" ").filter(Boolean) });
    }
    for (let start = 0; start < 60_000; start += 50)
        requests.push({ start, end: start + 5, connection: "new", result: result(start) });
    const record: FaultRecord = {
        ...{ kind: "power cut", target: "lb1", owner: "lb1" },
        ...{ begin: 10_000, began: 10_100, repair: 20_000, repaired: 21_000, calm: 25_000 },
        ...fault,
    };
    return { seed: 1, timing, hosts: ["lb1", "lb2"], tells: false, samples, requests, faults: [record], ...more };
}

/** Requests fail from one time to another. */
export const failing =
    (from: number, to: number, result = "timeout") =>
    (time: number) =>
        time >= from && time < to ? result : "ok";

import { get } from "node:http";
import { sleep } from "../machine/exec";

/** Sends a request on a connection of its own. Returns the app server that answered, or why none did. */
export function ask(address: string, host: string): Promise<{ app: string } | { failure: string }> {
    return new Promise((resolve) => {
        const request = get({ host: address, headers: { Host: host }, agent: false, timeout: 5000 }, (answer) => {
            answer.resume();
            const app = answer.headers["x-app"];
            resolve(typeof app === "string" ? { app } : { failure: `status ${answer.statusCode}` });
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", (error) => resolve({ failure: error.message }));
    });
}

/** Sends requests and counts the answers by app server. */
export async function countAnswers(address: string, host: string, count: number): Promise<Map<string, number>> {
    const tally = new Map<string, number>();
    for (let n = 0; n < count; n++) {
        const answer = await ask(address, host);
        const who = "app" in answer ? answer.app : answer.failure;
        tally.set(who, (tally.get(who) ?? 0) + 1);
    }
    return new Map([...tally].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sends requests again and again, and notes for how long none is answered as it should be. */
export class OutageWatch {
    private over = false;
    private longest = 0;
    private readonly ended: Promise<void>;
    /** Requests that got no proper answer. */
    failed = 0;

    /** @param answers sends a request, and returns whether its answer is proper */
    constructor(private readonly answers: () => Promise<boolean>) {
        this.ended = this.run();
    }

    private async run(): Promise<void> {
        // A slow machine alone is no outage: only failed requests count.
        for (let good = Date.now(); !this.over; await sleep(20))
            if (await this.answers()) {
                good = Date.now();
            } else {
                this.failed++;
                this.longest = Math.max(this.longest, Date.now() - good);
            }
    }

    /** Ends the requests. Returns the longest outage, in seconds. */
    async stop(): Promise<number> {
        this.over = true;
        await this.ended;
        return this.longest / 1000;
    }
}

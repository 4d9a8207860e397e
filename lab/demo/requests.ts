import { get } from "node:http";
import { sleep } from "../machine/exec";

/** Sends a request on a connection of its own. Returns the app server that answered, or why none did. */
function ask(address: string, host: string): Promise<{ app: string } | { failure: string }> {
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

/** Sends requests until it is stopped. Then returns the longest time, in seconds, in which no app server answered. */
export function watchOutage(address: string, host: string): { stop(): Promise<number> } {
    let over = false;
    let longest = 0;
    const ended = (async () => {
        for (let good = Date.now(); !over; await sleep(20))
            if ("app" in (await ask(address, host))) good = Date.now();
            else longest = Math.max(longest, Date.now() - good);
    })();
    return {
        async stop() {
            over = true;
            await ended;
            return longest / 1000;
        },
    };
}

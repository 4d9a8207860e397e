import { get } from "node:http";

/** Sends a request on a connection of its own. The lab's app servers answer with their names. */
function ask(address: string, host: string): Promise<string> {
    return new Promise((resolve) => {
        const request = get({ host: address, headers: { Host: host }, agent: false, timeout: 5000 }, (answer) => {
            answer.resume();
            const app = answer.headers["x-app"];
            resolve(typeof app === "string" ? app : `status ${answer.statusCode}`);
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", (error) => resolve(error.message));
    });
}

/** Sends requests and counts the answers by app server. */
export async function countAnswers(address: string, host: string, count: number): Promise<Map<string, number>> {
    const tally = new Map<string, number>();
    for (let n = 0; n < count; n++) {
        const app = await ask(address, host);
        tally.set(app, (tally.get(app) ?? 0) + 1);
    }
    return new Map([...tally].sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { type IncomingHttpHeaders, request } from "node:http";
import { sleep } from "../../lab/machine/exec";

/** Milliseconds to wait for anything. A busy machine may pause for seconds. */
export const PATIENCE = 60_000;

/** An answer to a request; `app` is the name of the lab's app server that gave it. */
export interface Answer {
    status: number;
    headers: IncomingHttpHeaders;
    app: string | undefined;
    body: string;
}

/** Parts of a request that differ from a plain GET. */
export interface Asking {
    /** Header `Host`. */
    host?: string;
    method?: string;
    headers?: Record<string, string>;
    /** @default 80 */
    port?: number;
}

/** Sends a request on a connection of its own. */
export function ask(address: string, path = "/", asking: Asking = {}): Promise<Answer> {
    const { host = address, method = "GET", headers, port = 80 } = asking;
    return new Promise((resolve, reject) => {
        const options = { host: address, port, path, method, agent: false, timeout: PATIENCE };
        const sent = request({ ...options, headers: { Host: host, ...headers } }, (answer) => {
            let body = "";
            answer.setEncoding("utf8").on("data", (chunk) => {
                body += chunk;
            });
            answer.on("end", () => {
                const app = answer.headers["x-app"];
                resolve({
                    status: answer.statusCode ?? 0,
                    headers: answer.headers,
                    app: typeof app === "string" ? app : undefined,
                    body,
                });
            });
        });
        sent.on("timeout", () =>
            sent.destroy(new Error(`no answer from ${address}:${port} within ${PATIENCE / 1000} s`)),
        );
        sent.on("error", reject);
        sent.end();
    });
}

/** How many of the requests each app server answers, by name. */
export async function shares(
    count: number,
    address: string,
    path?: string,
    asking?: Asking,
): Promise<Record<string, number>> {
    const tally: Record<string, number> = {};
    for (let n = 0; n < count; n++) {
        const { app, status } = await ask(address, path, asking);
        const who = app ?? `status ${status}`;
        tally[who] = (tally[who] ?? 0) + 1;
    }
    return tally;
}

/** Repeats the check until it returns true. An error counts as false. Tests use it instead of sleeps. */
export async function until(what: string, ready: () => Promise<boolean> | boolean, timeout = PATIENCE): Promise<void> {
    const deadline = Date.now() + timeout;
    // At first often, then seldom: most checks start programs, and take the processor from what they wait for.
    for (let pause = 50; ; pause = Math.min(pause * 1.5, 250)) {
        const late = Date.now() > deadline;
        let cause: unknown;
        try {
            if (await ready()) return;
        } catch (error) {
            cause = error;
        }
        if (late) throw new Error(`not within ${timeout / 1000} s: ${what}`, { cause });
        await sleep(pause);
    }
}

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../../lab/run";

/** What became of the requests. */
export interface Outcome {
    requests: number;
    /** Answers other than 2xx and 3xx. */
    refused: number;
    /** Connections that could not be made, broke or waited longer than 10 s. */
    socketErrors: number;
}

/** Lets each connection rest between requests, so that two cores are left for what is tested. */
const PACE = "function delay() return 20 end\n";

/** Requests to a URL from now until `stop`, by wrk; a minute at most. */
export async function load(url: string, ...options: string[]): Promise<{ stop(): Promise<Outcome> }> {
    const script = join(tmpdir(), `wrk-pace-${process.pid}.lua`);
    writeFileSync(script, PACE);
    const args = ["-t1", "-c20", "-d60s", "--timeout", "10s", "-s", script, ...options, url];
    const wrk = spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    wrk.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
    });
    const ended = new Promise<void>((resolve, reject) => {
        wrk.on("close", () => resolve());
        wrk.on("error", reject);
    });
    await sleep(300);
    return {
        async stop() {
            await sleep(300);
            wrk.kill("SIGINT");
            await ended;
            return parse(text);
        },
    };
}

function parse(text: string): Outcome {
    const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
    const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
    const requests = number(/(\d+) requests in/);
    if (requests === 0) throw new Error(`wrk made no request:\n${text}`);
    return {
        requests,
        refused: number(/Non-2xx or 3xx responses: (\d+)/),
        socketErrors: errors.slice(1).reduce((sum, count) => sum + Number(count), 0),
    };
}

/** Both kinds of clients at once, those that keep their connection and those that close it after each request. */
export async function bothLoads(url: string): Promise<{ stop(): Promise<Outcome> }> {
    const loads = await Promise.all([load(url), load(url, "-H", "Connection: close")]);
    return {
        async stop() {
            const outcomes = await Promise.all(loads.map((each) => each.stop()));
            return outcomes.reduce((sum, each) => ({
                requests: sum.requests + each.requests,
                refused: sum.refused + each.refused,
                socketErrors: sum.socketErrors + each.socketErrors,
            }));
        },
    };
}

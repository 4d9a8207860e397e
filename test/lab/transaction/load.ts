import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { sleep } from "../../../lab/machine/exec";
import { PATIENCE } from "../../support/traffic";

/** Results of the requests. */
export interface Outcome {
    requests: number;
    /** Answers other than 2xx and 3xx. */
    refused: number;
    /** Connections that could not be made, broke or waited longer than a minute. */
    socketErrors: number;
}

const CONNECTIONS = 20;

/** Sends requests with wrk until `stop`, for ten minutes at most. Returns after the first answer. */
export async function load(url: string, ...options: string[]): Promise<{ stop(): Promise<Outcome> }> {
    const limits = ["-d600s", "--timeout", `${PATIENCE / 1000}s`];
    const script = ["-s", join(__dirname, "load.lua")];
    const args = ["-t1", `-c${CONNECTIONS}`, ...limits, ...script, ...options, url, "--", String(CONNECTIONS)];
    const wrk = spawn("wrk", args, { stdio: ["ignore", "pipe", "pipe"] });
    let [text, words] = ["", ""];
    wrk.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
    });
    wrk.stderr.on("data", (chunk: Buffer) => {
        words += chunk.toString();
    });
    // Mocha must not wait for it after a failed test.
    const kill = () => wrk.kill("SIGKILL");
    process.once("exit", kill);
    wrk.once("close", () => process.off("exit", kill));
    for (const handle of [wrk, wrk.stdout as Socket, wrk.stderr as Socket]) handle.unref();
    const ended = once(wrk, "close");
    await Promise.race([once(wrk.stderr, "data"), ended]);
    if (words !== "answered\n") throw new Error(`wrk has not begun: ${words}${text}`);
    return {
        async stop() {
            if (wrk.exitCode !== null) throw new Error(`wrk has ended before what it was to go through:\n${text}`);
            // The last change needs some load, too.
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

/** Load by two kinds of clients: some keep their connection, others close it after each request. */
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

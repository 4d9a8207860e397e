import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { sleep } from "../machine/exec";
import { table } from "../print";
import { expect } from "./chapter";

/** Results of the requests to a load balancer. */
export interface Served {
    name: string;
    requests: number;
    /** Requests without a complete answer within 30 s, or with a status of 400 or more. */
    failed: number;
    /** Milliseconds within which 99 % were answered, in the slowest part. */
    p99: number;
}

/** Ends a load that was left running. */
const LONGEST = "300s";

const SCRIPT = join(__dirname, "load.lua");

const started: Load[] = [];

/** Ends all loads at once, without results. */
export function killLoads(): void {
    for (const load of started) load.kill();
}

/** Sends requests with wrk to all load balancers without a pause. */
export class Load {
    private running: { name: string; wrk: ChildProcess; said: Promise<string> }[] = [];
    private total: Served[] = [];

    constructor(
        private readonly targets: { name: string; address: string }[],
        private readonly hosts: string[],
        private readonly scheme: "http" | "https" = "http",
    ) {
        started.push(this);
    }

    /** Starts, or goes on with new clients. Returns the results of the previous ones. */
    async next(): Promise<Served[]> {
        const before = this.running;
        this.running = this.targets.map(({ name, address }) => {
            const options = ["-t1", "-c8", `-d${LONGEST}`, "--timeout", "30s", "-s", SCRIPT];
            const wrk = spawn("wrk", [...options, `${this.scheme}://${address}/`, "--", ...this.hosts], {
                stdio: ["ignore", "pipe", "inherit"],
            });
            return { name, wrk, said: output(wrk) };
        });
        // The new clients connect before the old ones end.
        await sleep(500);
        return this.ended(before);
    }

    /** Ends the load and returns the results of all clients. */
    async stop(): Promise<Served[]> {
        const before = this.running;
        this.running = [];
        await this.ended(before);
        return this.total;
    }

    private async ended(clients: Load["running"]): Promise<Served[]> {
        const served = await Promise.all(clients.map(results));
        this.total = served.map((one, n) => {
            const { requests = 0, failed = 0, p99 = 0 } = this.total[n] ?? {};
            return {
                name: one.name,
                requests: requests + one.requests,
                failed: failed + one.failed,
                p99: Math.max(p99, one.p99),
            };
        });
        return served;
    }

    /** Ends the load at once, without results. */
    kill(): void {
        for (const { wrk } of this.running) wrk.kill("SIGKILL");
        this.running = [];
    }
}

function output(wrk: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
        let text = "";
        wrk.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
        });
        wrk.on("error", reject);
        wrk.on("close", () => resolve(text));
    });
}

/** Ends wrk by SIGINT, after which it prints its results. */
async function results({ name, wrk, said }: Load["running"][number]): Promise<Served> {
    wrk.kill("SIGINT");
    const text = await said;
    const found = /^result (\d+) (\d+) ([\d.]+)$/m.exec(text);
    if (!found) throw new Error(`wrk ended without a result:\n${text}`);
    const [requests = 0, failed = 0, p99 = 0] = found.slice(1).map(Number);
    return { name, requests, failed, p99 };
}

/** Shows the results of a load. Fails if a request has. */
export function showServed(served: Served[]): string {
    const failed = served.reduce((sum, one) => sum + one.failed, 0);
    table(
        ["LOAD ON", "REQUESTS", "FAILED", "99 % WITHIN"],
        served.map((one) => [one.name, String(one.requests), String(one.failed), `${one.p99} ms`]),
    );
    expect(
        served.length > 0 && served.every(({ requests }) => requests > 0),
        "the load generator has sent no requests",
    );
    expect(failed === 0, `${failed} requests failed`);
    return `${served.reduce((sum, one) => sum + one.requests, 0)} requests, 0 failed`;
}

import { Agent, type ClientRequest, get } from "node:http";
import { now, type Request } from "./history";

export interface ClientsArgs {
    /** The service address. */
    readonly address: string;
    /** @default 80 */
    readonly port?: number;
    /** @default "/" */
    readonly path?: string;
    /** Value of the Host header. @default - the address */
    readonly host?: string;
    /** Milliseconds between two requests on new connections. They do not wait for each other. @default 25 */
    readonly every?: number;
    /**
     * Milliseconds within which a request needs a complete answer. Linux sends a SYN again after 1 s, so a shorter time turns a lost SYN
     * into a failed request. @default 2000
     */
    readonly timeout?: number;
    /** A request on the kept connection, every so many milliseconds; 0: none. @default 100 */
    readonly keptEvery?: number;
}

/**
 * Makes requests to the service address until it is stopped: each on a connection of its own, and beside them some on one connection that
 * is kept open. Which load balancer answered is read from the header X-Balancer, which web server from X-App.
 */
export class Clients {
    readonly requests: Request[] = [];
    private readonly timers: NodeJS.Timeout[] = [];
    private readonly running = new Set<Promise<void>>();
    private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

    constructor(private readonly args: ClientsArgs) {
        const { every = 25, keptEvery = 100 } = args;
        this.repeat(every, () => this.ask("new"));
        let busy = false;
        const kept = async () => {
            if (busy) return;
            busy = true;
            await this.ask("kept");
            busy = false;
        };
        if (keptEvery > 0) this.repeat(keptEvery, kept);
    }

    /** Requests without a complete answer so far. */
    get failed(): Request[] {
        return this.requests.filter(({ result }) => result !== "ok");
    }

    /** Ends the requests, and waits for those that run. Returns all, in the order of their ends. */
    async stop(): Promise<Request[]> {
        for (const timer of this.timers) clearInterval(timer);
        await Promise.all(this.running);
        this.agent.destroy();
        return this.requests;
    }

    private repeat(every: number, work: () => Promise<void>): void {
        const one = () => {
            const running: Promise<void> = work().finally(() => this.running.delete(running));
            this.running.add(running);
        };
        this.timers.push(setInterval(one, every));
    }

    private async ask(connection: Request["connection"]): Promise<void> {
        const { address, port = 80, path = "/", host, timeout = 2000 } = this.args;
        const start = now();
        const answer = await new Promise<Omit<Request, "start" | "end" | "connection">>((resolve) => {
            let request: ClientRequest | undefined;
            const timer = setTimeout(() => end({ result: "timeout" }), timeout);
            const end = (outcome: Omit<Request, "start" | "end" | "connection">) => {
                clearTimeout(timer);
                resolve(outcome);
                if (outcome.result !== "ok") request?.destroy();
            };
            const headers = host ? { Host: host } : undefined;
            const agent = connection === "kept" ? this.agent : false;
            request = get({ host: address, port, path, headers, agent }, (response) => {
                const { statusCode, headers } = response;
                const { "x-balancer": balancer, "x-app": backend } = headers;
                const who = {
                    ...(typeof balancer === "string" ? { balancer } : {}),
                    ...(typeof backend === "string" ? { backend } : {}),
                };
                response.on("error", (error: NodeJS.ErrnoException) =>
                    end({ result: error.code ?? error.message, ...who }),
                );
                response.on("end", () => end({ result: statusCode === 200 ? "ok" : `status ${statusCode}`, ...who }));
                response.resume();
            });
            request.on("error", (error: NodeJS.ErrnoException) => end({ result: error.code ?? error.message }));
        });
        this.requests.push({ start, end: now(), connection, ...answer });
    }
}

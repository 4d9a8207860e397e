import { Agent, get } from "node:https";
import type { TLSSocket } from "node:tls";
import { PATIENCE } from "./traffic";

/** Results of the requests. */
export interface TlsOutcome {
    answered: number;
    /** Handshakes that resumed a session. */
    resumed: number;
    failures: string[];
}

/** Clients that make a connection, and so a handshake, for each request. */
export class TlsLoad {
    private readonly outcome: TlsOutcome = { answered: 0, resumed: 0, failures: [] };
    private running = true;
    private readonly agent: Agent;
    private readonly lanes: Promise<void>[];

    /**
     * @param name that they ask for
     * @param ca root that the certificate must lead to
     * @param resumes whether they resume sessions
     */
    constructor(
        private readonly address: string,
        private readonly name: string,
        ca: string,
        resumes: boolean,
        lanes: number,
    ) {
        this.agent = new Agent({ keepAlive: false, ca, maxCachedSessions: resumes ? 100 : 0 });
        this.lanes = Array.from({ length: lanes }, () => this.lane());
    }

    async stop(): Promise<TlsOutcome> {
        this.running = false;
        await Promise.all(this.lanes);
        this.agent.destroy();
        return this.outcome;
    }

    private async lane(): Promise<void> {
        while (this.running) {
            try {
                if (await this.ask()) this.outcome.resumed++;
                this.outcome.answered++;
            } catch (error) {
                this.outcome.failures.push(String(error));
            }
            await new Promise((resolve) => setTimeout(resolve, 60));
        }
    }

    /** Returns whether the session was resumed. */
    private ask(): Promise<boolean> {
        return new Promise((resolve, reject) => {
            const { address: host, name: servername, agent } = this;
            const headers = { host: servername };
            const asked = get({ host, servername, agent, headers, timeout: PATIENCE }, (answer) => {
                const resumed = (answer.socket as TLSSocket).isSessionReused();
                answer.resume().on("end", () => {
                    if (answer.statusCode === 200) resolve(resumed);
                    else reject(new Error(`status ${answer.statusCode}`));
                });
                answer.on("error", reject);
            });
            asked.on("error", reject).on("timeout", () => asked.destroy(new Error("timed out")));
        });
    }
}

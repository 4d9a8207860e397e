import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A status, no listener, or an answer that never comes. */
export type Health = number | "refused" | "silent";

/** An HTTP app server whose health a test switches. It answers `/` and `/health`; other paths get a 404. */
export class SwitchedServer {
    private readonly silenced = new Set<ServerResponse>();
    private health: Health = 200;
    /** Milliseconds before each answer. */
    delay = 0;

    private constructor(
        readonly name: string,
        readonly address: string,
        private readonly server: Server,
        readonly port: number,
    ) {}

    /** `port`: 0 for any free one. */
    static async start(name: string, address: string, port = 0): Promise<SwitchedServer> {
        const server = createServer();
        // By default Node closes idle connections that HAProxy may be about to use.
        server.keepAliveTimeout = 120_000;
        server.listen(port, address);
        await once(server, "listening");
        const started = new SwitchedServer(name, address, server, (server.address() as AddressInfo).port);
        server.on("request", ({ url = "" }, answer) => {
            setTimeout(() => started.answer(url, answer), started.delay);
        });
        return started;
    }

    private answer(url: string, answer: ServerResponse): void {
        if (this.health === "silent") {
            this.silenced.add(answer);
            return;
        }
        answer.statusCode = /^\/(health)?$/.test(url) ? Number(this.health) || 503 : 404;
        answer.setHeader("X-App", this.name);
        answer.end(`${this.name}\n`);
    }

    /** Switches what checks and requests get from now on. */
    async become(health: Health): Promise<void> {
        this.health = health;
        for (const answer of this.silenced) answer.destroy();
        this.silenced.clear();
        if (health === "refused") {
            this.stop();
        } else if (!this.server.listening) {
            this.server.listen(this.port, this.address);
            await once(this.server, "listening");
        }
    }

    stop(): void {
        this.server.close();
        this.server.closeAllConnections();
    }
}

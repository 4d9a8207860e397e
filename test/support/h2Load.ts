import { type ClientHttp2Session, connect, constants, type SecureClientSessionOptions } from "node:http2";
import { PATIENCE } from "./traffic";

/** Results of the requests. */
export interface H2Outcome {
    answered: number;
    /** Requests sent again, because the server had announced that it would not process them (RFC 9113, section 6.8). */
    repeated: number;
    /** Errors of the others. */
    failures: string[];
}

/** HTTP/2 clients: like browsers, they send concurrent requests on a connection and open a new one after a GOAWAY. */
export class H2Load {
    private readonly outcome: H2Outcome = { answered: 0, repeated: 0, failures: [] };
    private running = true;
    private readonly lanes: Promise<void>[];
    private session: ClientHttp2Session | undefined;

    /**
     * @param lanes concurrent requests
     * @param options of TLS
     */
    constructor(
        private readonly url: string,
        lanes: number,
        private readonly options: SecureClientSessionOptions = {},
    ) {
        this.lanes = Array.from({ length: lanes }, () => this.lane());
    }

    async stop(): Promise<H2Outcome> {
        this.running = false;
        await Promise.all(this.lanes);
        this.session?.destroy();
        return this.outcome;
    }

    private async lane(): Promise<void> {
        while (this.running) {
            try {
                await this.ask();
                this.outcome.answered++;
            } catch (error) {
                if ((error as { code?: unknown }).code === "REFUSED") this.outcome.repeated++;
                else this.outcome.failures.push(String(error));
            }
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    private ask(): Promise<void> {
        const session = this.usable();
        return new Promise((resolve, reject) => {
            const stream = session.request({ ":path": "/" });
            let status = 0;
            stream.setTimeout(PATIENCE, () => stream.close(constants.NGHTTP2_CANCEL));
            stream.on("response", (headers) => {
                status = Number(headers[":status"]);
            });
            stream.on("error", () => undefined); // "close" has the reason.
            stream.on("close", () => {
                if (status === 200 && stream.rstCode === constants.NGHTTP2_NO_ERROR) resolve();
                else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && status === 0)
                    reject(Object.assign(new Error("refused"), { code: "REFUSED" }));
                else reject(new Error(`status ${status}, HTTP/2 error ${stream.rstCode}`));
            });
            stream.resume();
            stream.end();
        });
    }

    private usable(): ClientHttp2Session {
        if (this.session && !this.session.closed && !this.session.destroyed) return this.session;
        this.session = connect(this.url, this.options);
        this.session.on("error", (error) => this.outcome.failures.push(`connection: ${error.message}`));
        return this.session;
    }
}

import { get } from "node:http";
import { get as getOverTls } from "node:https";
import type { TLSSocket } from "node:tls";
import { sleep } from "../machine/exec";

/** Sends a request on a connection of its own. Returns the app server that answered, or why none did. */
export function ask(address: string, host: string, path = "/"): Promise<{ app: string } | { failure: string }> {
    return new Promise((resolve) => {
        const request = get({ host: address, path, headers: { Host: host }, agent: false, timeout: 5000 }, (answer) => {
            answer.resume();
            const app = answer.headers["x-app"];
            resolve(typeof app === "string" ? { app } : { failure: `status ${answer.statusCode}` });
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", (error) => resolve({ failure: error.message }));
    });
}

/** What a client found that trusts one root only. */
export interface Handshake {
    /** Of the certificate that was served, in lower-case hexadecimal. */
    sha256: string;
    /** The app server that answered. */
    app: string;
}

/**
 * Sends a request over TLS on a connection of its own.
 *
 * @param trusted PEM of the only root that is trusted
 * @throws If the certificate is not for the host, if its chain does not lead to the root, or without an answer of an app server.
 */
export function askOverTls(address: string, host: string, trusted: string): Promise<Handshake> {
    return new Promise((resolve, reject) => {
        const options = { host: address, servername: host, ca: trusted, headers: { Host: host } };
        const request = getOverTls({ ...options, agent: false, timeout: 5000 }, (answer) => {
            answer.resume();
            const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
            const app = answer.headers["x-app"];
            if (typeof app !== "string") reject(new Error(`https://${host}/ at ${address}: ${answer.statusCode}`));
            else resolve({ sha256: fingerprint256.replaceAll(":", "").toLowerCase(), app });
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", reject);
    });
}

/** Status and target of the redirect that a request over http gets; undefined without one. */
export function redirectOf(address: string, host: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
        const request = get({ host: address, headers: { Host: host }, agent: false, timeout: 5000 }, (answer) => {
            answer.resume();
            const { location } = answer.headers;
            resolve(location === undefined ? undefined : `${answer.statusCode} ${location}`);
        });
        request.on("timeout", () => request.destroy(new Error("no answer")));
        request.on("error", reject);
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

/** Sends requests again and again, and notes for how long none is answered as it should be. */
export class OutageWatch {
    private over = false;
    private longest = 0;
    private readonly ended: Promise<void>;
    /** Requests that got no proper answer. */
    failed = 0;

    /** @param answers sends a request, and returns whether its answer is proper */
    constructor(private readonly answers: () => Promise<boolean>) {
        this.ended = this.run();
    }

    private async run(): Promise<void> {
        // A slow machine alone is no outage: only failed requests count.
        for (let good = Date.now(); !this.over; await sleep(20))
            if (await this.answers()) {
                good = Date.now();
            } else {
                this.failed++;
                this.longest = Math.max(this.longest, Date.now() - good);
            }
    }

    /** Ends the requests. Returns the longest outage, in seconds. */
    async stop(): Promise<number> {
        this.over = true;
        await this.ended;
        return this.longest / 1000;
    }
}

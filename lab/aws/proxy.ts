import { once } from "node:events";
import {
    createServer,
    request as httpRequest,
    type IncomingMessage,
    type RequestListener,
    type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { type Answer, type Call, type Layer, type Request, readRequest, refusal } from "./calls";
import { type Fault, Faults } from "./faults";
import { isOfRole } from "./signature";

/** The calls that programs have made, oldest first. */
export class Calls {
    private readonly made: Call[] = [];

    get all(): readonly Call[] {
        return this.made;
    }

    /** @param action such as `DescribeInstances` or `ec2.DescribeInstances`. @default - any */
    count(action?: string): number {
        return this.made.filter((call) => [undefined, call.action, `${call.service}.${call.action}`].includes(action))
            .length;
    }

    /** The number of calls by service and action, sorted. */
    table(): Record<string, number> {
        const names = this.made.map(({ service, action }) => `${service}.${action}`).sort();
        return Object.fromEntries(
            [...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]),
        );
    }

    reset(): void {
        this.made.length = 0;
    }

    add(call: Call): void {
        this.made.push(call);
    }
}

/** A proxy before moto: counts, fails on request, and corrects. */
export class CorrectingProxy {
    readonly calls = new Calls();
    readonly faults = new Faults();
    /** Answers programs. */
    readonly handler: RequestListener = (request, response) => void this.serve(request, response);
    private readonly server = createServer(this.handler);
    /** Pages that tokens stand for, by token. */
    private readonly pages = new Map<string, number>();

    private constructor(
        private readonly moto: string,
        private readonly layers: readonly Layer[],
    ) {}

    static async start(moto: string, layers: readonly Layer[]): Promise<CorrectingProxy> {
        const proxy = new CorrectingProxy(moto, layers);
        proxy.server.listen(0, "127.0.0.1");
        await once(proxy.server, "listening");
        return proxy;
    }

    get url(): string {
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    /** Answers a call of a test's own, which is neither counted nor failed. */
    answer(request: Request): Promise<Answer> {
        const last = (request: Request) => forward(this.moto, request);
        const chain = this.layers.reduceRight<(request: Request) => Promise<Answer>>(
            (next, layer) => (request) => layer(request, next),
            last,
        );
        return chain(request);
    }

    private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const { method = "GET", url = "/", headers } = incoming;
        const request = readRequest(method, url, headers, Buffer.concat(chunks).toString());
        const page = this.pageOf(request);
        const fault = this.faults.take(request, page);
        const answer = await this.orFault(request, fault).catch((error: Error) =>
            refusal(request, 500, "InternalError", `the double of AWS: ${error.stack}`),
        );
        const { service, action, region, form = {} } = request;
        const status = answer?.status ?? 0;
        const byRole = isOfRole(request);
        this.calls.add({ service, action, region, page, status, parameters: form, byRole, at: Date.now() });
        if (!answer) {
            incoming.socket.destroy();
            return;
        }
        this.notePage(answer, page);
        response.writeHead(answer.status, { ...answer.headers, "content-length": Buffer.byteLength(answer.body) });
        response.end(answer.body);
    }

    /** @returns nothing if the connection is to be dropped */
    private async orFault(request: Request, fault: Fault | undefined): Promise<Answer | undefined> {
        if (!fault) return this.answer(request);
        const { drop, delay = 0, status = 400, code, message = code } = fault;
        await setTimeout(delay);
        if (drop === true) return undefined;
        if (drop === "answer") return void (await this.answer(request));
        if (delay > 0 && code === undefined) return this.answer(request);
        return refusal(request, status, code ?? "InternalError", message ?? "InternalError");
    }

    private pageOf({ form, body }: Request): number {
        const token = form?.NextToken ?? form?.Marker ?? /"(?:PaginationToken|NextToken)": *"([^"]+)"/.exec(body)?.[1];
        return token === undefined ? 1 : (this.pages.get(token) ?? 2);
    }

    private notePage({ body }: Answer, page: number): void {
        const token = /<nextToken>([^<]+)<|"(?:PaginationToken|NextToken)": *"([^"]+)"/.exec(body);
        const text = token?.[1] ?? token?.[2];
        if (text) this.pages.set(text, page + 1);
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        this.server.close();
        await once(this.server, "close");
    }
}

/** Sends a call to moto with its own Host header, which is part of the signature. */
async function forward(moto: string, { method, path, headers, body }: Request): Promise<Answer> {
    const outgoing = httpRequest(new URL(path, moto), {
        method,
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        agent: false,
    });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const kept = Object.entries(incoming.headers).filter(
        ([name]) => !["connection", "content-length", "transfer-encoding", "keep-alive"].includes(name),
    );
    return {
        status: incoming.statusCode ?? 500,
        headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
        body: Buffer.concat(chunks).toString(),
    };
}

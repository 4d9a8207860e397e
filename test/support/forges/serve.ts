import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to a double of a forge. */
export interface Call {
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly headers: IncomingMessage["headers"];
    readonly body: Record<string, unknown>;
}

/** What a double answers: JSON, of which there may be a next page, or bytes; a status alone is an error. */
export type Reply =
    | { readonly json: unknown; readonly more?: boolean }
    | { readonly bytes: Buffer }
    | { readonly status: number };

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    return text === "" ? {} : JSON.parse(text);
}

/** Serves a double on loopback. */
export async function serve(answer: (call: Call) => Reply): Promise<{ server: Server; url: string }> {
    const server = createServer(async (request, response) => {
        const url = new URL(request.url ?? "", "http://double");
        const { method = "", headers } = request;
        const body = await read(request);
        const reply = answer({ method, path: url.pathname, query: url.searchParams, headers, body });
        if ("bytes" in reply) response.end(reply.bytes);
        else if ("json" in reply) {
            if (reply.more) response.setHeader("Link", '<the next page>; rel="next"');
            response.end(JSON.stringify(reply.json));
        } else response.writeHead(reply.status).end(JSON.stringify({ message: `status ${reply.status}` }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A page of a list, as forges cut it. */
export function page(list: readonly unknown[], query: URLSearchParams, standard: number): Reply {
    const size = Math.min(Number(query.get("per_page") ?? standard), 100);
    const end = Number(query.get("page") ?? 1) * size;
    return { json: list.slice(end - size, end), more: end < list.length };
}

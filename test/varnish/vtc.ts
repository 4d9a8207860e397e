import type { HaproxyConfig } from "../../components/haproxy/model";

/** A request on a connection of its own, and the expected answer. */
export interface Exchange {
    /** @default 80 */
    port?: number;
    /** @default "GET" */
    method?: string;
    path: string;
    /** @default - none but Host */
    headers?: Record<string, string>;
    status: number;
    /** Server that must answer; `null`: HAProxy itself. @default - any */
    by?: string | null;
    /** Headers of the answer; `null` if there must be none. */
    answer?: Record<string, string | RegExp | null>;
    body?: string;
}

export interface App {
    port: number;
    /** @default 200 */
    status?: number;
    /** `url` and headers of each request that arrives; `null` for a header that must be missing. */
    sees?: Record<string, string | null>;
}

/** A test of a rendered configuration by varnishtest, whose servers and clients are on loopback addresses. */
export interface Case {
    config: HaproxyConfig;
    /** App servers by name, or just their ports. @default - none is there */
    servers?: Record<string, number | App>;
    /** Requests, commands to the admin socket, and shell that waits for something, in this order. */
    steps: (Exchange | { cli: string } | { shell: string })[];
}

/** The statistics page that `until` reads. */
export const untilStats = { bind: { address: "127.0.0.1", port: 8404 }, uri: "/" };

/** Waits until a check of backend `app` has this result. */
export const until = (server: string, result: string) => ({
    shell: `until curl -s "http://127.0.0.1:8404/;csv" | grep -q "^app,${server},.*,${result}"; do sleep 0.05; done`,
});

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;

/** A line such as `expect resp.http.X-Server == "app1"`. */
function expected(field: string, value: string | RegExp | null): string {
    if (value === null) return `expect ${field} == <undef>`;
    return value instanceof RegExp
        ? `expect ${field} ~ ${quoted(value.source)}`
        : `expect ${field} == ${quoted(value)}`;
}

/** A server that answers each connection once, with its name. */
function server(name: string, given: number | App): string {
    const { port, status = 200, sees = {} } = typeof given === "number" ? { port: given } : given;
    const seen = Object.entries(sees).map(([what, value]) =>
        expected(what === "url" ? "req.url" : `req.http.${what}`, value),
    );
    return `server s_${name} -listen "127.0.0.1:${port}" -repeat 1000 {
    ${["rxreq", ...seen].join("\n    ")}
    txresp -status ${status} -hdr "X-Server: ${name}" -hdr "Connection: close"
} -start`;
}

function step(step: Case["steps"][number], index: number): string {
    if ("shell" in step) return `shell {\n${step.shell}\n}`;
    if ("cli" in step) return `haproxy h1 -cli {\n    send ${quoted(step.cli)}\n    expect ~ "^\\n"\n}`;

    const { port = 80, method = "GET", path, headers = {}, status, by, answer = {}, body } = step;
    const sent = Object.entries({ Host: "www.example.com", ...headers }).map(([name, value]) => `${name}: ${value}`);
    const fields = { ...(by === undefined ? {} : { "X-Server": by }), ...answer };
    const checks = Object.entries(fields).map(([name, value]) => expected(`resp.http.${name}`, value));
    if (body !== undefined) checks.push(expected("resp.body", body));
    return `client c${index + 1} -connect "127.0.0.1:${port}" {
    txreq -method ${method} -url ${quoted(path)} ${sent.map((header) => `-hdr ${quoted(header)}`).join(" ")}
    rxresp
    expect resp.status == ${status}
    ${checks.join("\n    ")}
} -run`;
}

/** The case as varnishtest reads it (vtc(7)). */
export function vtc({ servers = {}, steps }: Case, config: string): string {
    const parts = [
        `varnishtest "a case of ours"`,
        // varnishtest adds lines with environment variables to the configuration.
        "feature ignore_unknown_macro",
        ...Object.entries(servers).map(([name, given]) => server(name, given)),
        // With a master, like the service. The test goes on once that listens.
        `haproxy h1 -W -conf {\n${config}} -start`,
        ...steps.map(step),
        ...Object.keys(servers).map((name) => `server s_${name} -break`),
    ];
    return `${parts.join("\n\n")}\n`;
}

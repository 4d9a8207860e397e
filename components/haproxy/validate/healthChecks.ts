import type { HttpCheck, Httpchk, ServerOptions, TcpCheck } from "../model";
import { isHost } from "../model/addresses";
import type { AnyProxy } from "../model/lookup";
import { stringsIn } from "../model/strings";
import { type IssueList, show } from "./issues";

/** Health checks of a backend: of one kind, and sent as meant. */
export function checkIssues(backend: AnyProxy, path: string, where: string, issues: IssueList): void {
    const { httpchk, httpChecks, tcpChecks, protocolCheck } = backend;
    const kinds = Object.entries({ httpchk, httpChecks, tcpChecks, protocolCheck }).flatMap(([kind, value]) =>
        value === undefined ? [] : [kind],
    );
    if (kinds.length > 1) {
        issues.error(
            `${path}.${kinds[1]}`,
            `${kinds.join(" and ")} of ${where}: HAProxy has one kind of check, take one`,
        );
    }
    if (httpchk) {
        httpchkIssues(httpchk, path, where, issues);
    }
    for (const [name, steps] of Object.entries({ httpChecks, tcpChecks })) {
        steps?.forEach((step, i) => {
            const place = `${path}.${name}.${i}`;
            if (typeof step === "string") {
                issues.line(step, place, `a check of ${where}`);
            } else if (step.step === "connect") {
                issues.whole(step.port, 1, 65_535, `${place}.port`, `port of a check of ${where}`);
                issues.token(step.sni, `${place}.sni`, `sni of a check of ${where}`);
            } else if ("match" in step) {
                issues.line(step.match, `${place}.match`, `a check of ${where}`);
            } else {
                const escaped = stringsIn(step, place).map((found) => ({
                    ...found,
                    text: found.text.replace(/[\r\n\t]/g, " "),
                }));
                for (const { path: at, text } of escaped) {
                    issues.argument(text, at, `a check of ${where}`);
                }
            }
        });
    }
    for (const [name, steps] of Object.entries({ httpChecks, tcpChecks })) {
        orderIssues(steps ?? [], name === "httpChecks", `${path}.${name}`, where, issues);
    }
    tlsIssues(backend, path, where, issues);
    for (const { path: at, text } of stringsIn(protocolCheck, `${path}.protocolCheck`)) {
        issues.token(text, at, `a check of ${where}`);
    }
}

/** A step by its keyword. */
function keywordOf(step: HttpCheck | TcpCheck): string {
    return typeof step === "string" ? (step.trim().split(/[\s(]+/, 1)[0] as string) : step.step;
}

/** Section 4.2, `http-check connect` and `tcp-check connect`: if there is one, it is first; HTTP asks once per connection. */
function orderIssues(
    steps: readonly (HttpCheck | TcpCheck)[],
    http: boolean,
    path: string,
    where: string,
    issues: IssueList,
): void {
    const words = steps.map(keywordOf);
    const first = words.findIndex((word) => ["connect", "send", "send-binary", "expect"].includes(word));
    const connect = words.indexOf("connect");
    if (connect > first) {
        issues.error(
            `${path}.${connect}`,
            `connect after ${words[first]} in a check of ${where}: begin with a connect`,
        );
    }
    let since = "";
    words.forEach((word, i) => {
        if (http && word === "send" && /send|expect/.test(since)) {
            issues.error(
                `${path}.${i}`,
                `send after ${since === "send" ? "a send" : "an expect"} in a check of ${where}, which HAProxy refuses: connect anew before it`,
            );
        }
        if (http && word === "expect" && since === "connect") {
            issues.error(`${path}.${i}`, `expect after a connect in a check of ${where}: send something before it`);
        }
        if (http && word === "connect" && since === "send") {
            issues.error(`${path}.${i}`, `connect after a send in a check of ${where}: expect something before it`);
        }
        since = ["connect", "send", "expect"].includes(word) ? word : since;
    });
}

/** A check by TLS of servers that are spoken to without: HAProxy asks whether their certificates are to be verified. */
function tlsIssues(backend: AnyProxy, path: string, where: string, issues: IssueList): void {
    const { httpChecks = [], tcpChecks = [], servers = [], defaultServer = {} } = backend;
    const says = ({ ssl, raw = "" }: ServerOptions) => ssl !== undefined || /(^|\s)(verify|ca-file)\s/.test(raw);
    const tls = [...httpChecks, ...tcpChecks].some((step) => typeof step !== "string" && "ssl" in step && step.ssl);
    servers.forEach((server, i) => {
        if (tls && !says(server) && !says(defaultServer)) {
            issues.error(
                `${path}.servers.${i}`,
                `check by TLS of server ${server.name} of ${where}, of which nothing says whom to trust: add "verify none" or "ca-file" to raw`,
            );
        }
    });
}

function httpchkIssues(httpchk: Httpchk, path: string, where: string, issues: IssueList): void {
    issues.token(httpchk.method, `${path}.httpchk.method`, `httpchk method of ${where}`);
    issues.token(httpchk.uri, `${path}.httpchk.uri`, `httpchk uri of ${where}`);
    if (!httpchk.uri.startsWith("/")) {
        issues.error(
            `${path}.httpchk.uri`,
            `invalid httpchk uri ${show(httpchk.uri)} of ${where}: begin it with "/"; the host goes into httpchk.host`,
        );
    }
    if (httpchk.host !== undefined && !isHost(httpchk.host.replace(/:\d+$/, ""))) {
        issues.error(
            `${path}.httpchk.host`,
            `invalid httpchk host ${show(httpchk.host)} of ${where}: use a host name or an address, of IPv6 in brackets`,
        );
    }
    if (httpchk.version === "HTTP/1.1" && httpchk.host === undefined) {
        issues.error(`${path}.httpchk.version`, `httpchk of ${where} says HTTP/1.1 without a host: add httpchk.host`);
    }
    if (httpchk.expect !== undefined) {
        issues.line(httpchk.expect, `${path}.httpchk.expect`, `httpchk expect of ${where}`);
    }
}

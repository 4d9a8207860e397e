import { isHost } from "./addresses";
import { type Faults, show } from "./faults";
import type { Httpchk } from "./model";
import type { AnyProxy } from "./proxies";
import { stringsIn } from "./texts";

/** Health checks of a backend: of one kind, and sent as meant. */
export function checkIssues(backend: AnyProxy, path: string, where: string, faults: Faults): void {
    const { httpchk, httpChecks, tcpChecks, protocolCheck } = backend;
    const kinds = Object.entries({ httpchk, httpChecks, tcpChecks, protocolCheck }).flatMap(([kind, value]) =>
        value === undefined ? [] : [kind],
    );
    if (kinds.length > 1) {
        faults.error(
            `${path}.${kinds[1]}`,
            `${kinds.join(" and ")} of ${where}: HAProxy has one kind of check, take one`,
        );
    }
    if (httpchk) {
        httpchkIssues(httpchk, path, where, faults);
    }
    for (const [name, steps] of Object.entries({ httpChecks, tcpChecks })) {
        steps?.forEach((step, i) => {
            const place = `${path}.${name}.${i}`;
            if (typeof step === "string") {
                faults.line(step, place, `a check of ${where}`);
            } else if (step.step === "connect") {
                faults.whole(step.port, 1, 65_535, `${place}.port`, `port of a check of ${where}`);
                faults.token(step.sni, `${place}.sni`, `sni of a check of ${where}`);
            } else if ("match" in step) {
                faults.line(step.match, `${place}.match`, `a check of ${where}`);
            } else {
                const escaped = stringsIn(step, place).map((found) => ({
                    ...found,
                    text: found.text.replace(/[\r\n\t]/g, " "),
                }));
                for (const { path: at, text } of escaped) {
                    faults.argument(text, at, `a check of ${where}`);
                }
            }
        });
    }
    let answered = false;
    httpChecks?.forEach((step, i) => {
        const word = typeof step === "string" ? step.trim().split(/\s+/, 1)[0] : step.step;
        if (word === "send" && answered) {
            faults.error(
                `${path}.httpChecks.${i}`,
                `send after an expect in a check of ${where}, which HAProxy refuses: connect anew before it`,
            );
        }
        answered = word === "expect" || (answered && word !== "connect");
    });
    for (const { path: at, text } of stringsIn(protocolCheck, `${path}.protocolCheck`)) {
        faults.token(text, at, `a check of ${where}`);
    }
}

function httpchkIssues(httpchk: Httpchk, path: string, where: string, faults: Faults): void {
    faults.token(httpchk.method, `${path}.httpchk.method`, `httpchk method of ${where}`);
    faults.token(httpchk.uri, `${path}.httpchk.uri`, `httpchk uri of ${where}`);
    if (!httpchk.uri.startsWith("/")) {
        faults.error(
            `${path}.httpchk.uri`,
            `invalid httpchk uri ${show(httpchk.uri)} of ${where}: begin it with "/"; the host goes into httpchk.host`,
        );
    }
    if (httpchk.host !== undefined && !isHost(httpchk.host.replace(/:\d+$/, ""))) {
        faults.error(
            `${path}.httpchk.host`,
            `invalid httpchk host ${show(httpchk.host)} of ${where}: use a host name or an address, of IPv6 in brackets`,
        );
    }
    if (httpchk.version === "HTTP/1.1" && httpchk.host === undefined) {
        faults.error(`${path}.httpchk.version`, `httpchk of ${where} says HTTP/1.1 without a host: add httpchk.host`);
    }
    if (httpchk.expect !== undefined) {
        faults.line(httpchk.expect, `${path}.httpchk.expect`, `httpchk expect of ${where}`);
    }
}

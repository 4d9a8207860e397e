import { type Faults, show } from "./faults";
import type { AnyProxy } from "./proxies";

/** Cookies and stick rules of a backend. */
export function persistenceIssues(backend: AnyProxy, path: string, where: string, faults: Faults): void {
    const { cookie, servers = [], stickRules = [] } = backend;
    if (cookie) {
        faults.token(cookie.name, `${path}.cookie.name`, `cookie of ${where}`);
        faults.duration(cookie.maxidle, `${path}.cookie.maxidle`, `maxidle of the cookie of ${where}`);
        faults.duration(cookie.maxlife, `${path}.cookie.maxlife`, `maxlife of the cookie of ${where}`);
        if (cookie.dynamicKey !== undefined && !cookie.dynamicKey.includes("\0")) {
            faults.error(`${path}.cookie.dynamicKey`, `dynamic-cookie-key of ${where} is plain text: use a secret`);
        }
    }
    servers.forEach((server, i) => {
        const path_ = `${path}.servers.${i}`;
        if (cookie && cookie.dynamicKey === undefined && server.cookie === undefined && !server.backup) {
            faults.warning(
                `${path_}.cookie`,
                `no cookie value for server ${server.name} of ${where}, so its clients do not stay: give it one, or the cookie a dynamicKey`,
            );
        }
        if (!cookie && server.cookie !== undefined && !backend.raw?.some((line) => /^\s*cookie\s/.test(line))) {
            faults.warning(
                `${path_}.cookie`,
                `cookie ${show(server.cookie)} of server ${server.name} but no cookie in ${where}, so nobody sets it: declare the cookie`,
            );
        }
    });
    stickRules.forEach(({ pattern }, i) => {
        faults.line(pattern, `${path}.stickRules.${i}.pattern`, `a stick rule of ${where}`);
    });
}

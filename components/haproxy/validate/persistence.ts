import { isHostName } from "../model/addresses";
import type { PlacedProxy } from "../model/lookup";
import { conditionIssues } from "./conditions";
import { type IssueList, show } from "./issues";

/** Cookies and stick rules of a backend. */
export function persistenceIssues(placed: PlacedProxy, issues: IssueList): void {
    const { section, proxy: backend, path } = placed;
    const where = `${section} ${backend.name}`;
    const { cookie, servers = [], stickRules = [] } = backend;
    if (cookie) {
        issues.token(cookie.name, `${path}.cookie.name`, `cookie of ${where}`);
        issues.duration(cookie.maxidle, `${path}.cookie.maxidle`, `maxidle of the cookie of ${where}`);
        issues.duration(cookie.maxlife, `${path}.cookie.maxlife`, `maxlife of the cookie of ${where}`);
        cookie.domains?.forEach((domain, i) => {
            if (!isHostName(domain.replace(/^\./, "")) || !domain.includes(".", 1)) {
                issues.error(
                    `${path}.cookie.domains.${i}`,
                    `invalid domain ${show(domain)} of the cookie of ${where}: use a name with a dot in it, like "example.com"`,
                );
            }
        });
        cookie.attr?.forEach((attr, i) => {
            issues.argument(attr, `${path}.cookie.attr.${i}`, `attribute of the cookie of ${where}`);
            if (attr.includes(";")) {
                issues.error(
                    `${path}.cookie.attr.${i}`,
                    `semicolon in attribute ${show(attr)} of the cookie of ${where}: give each attribute by itself`,
                );
            }
        });
        if (cookie.mode === "rewrite" && cookie.indirect) {
            issues.error(
                `${path}.cookie.indirect`,
                `indirect with rewrite of the cookie of ${where}: the server would not see the cookie that it set`,
            );
        }
        if (cookie.dynamicKey !== undefined && !cookie.dynamicKey.includes("\0")) {
            issues.error(`${path}.cookie.dynamicKey`, `dynamic-cookie-key of ${where} is plain text: use a secret`);
        }
    }
    servers.forEach((server, i) => {
        const path_ = `${path}.servers.${i}`;
        if (cookie && cookie.dynamicKey === undefined && server.cookie === undefined && !server.backup) {
            issues.warning(
                `${path_}.cookie`,
                `no cookie value for server ${server.name} of ${where}, so its clients do not stay: give it one, or the cookie a dynamicKey`,
            );
        }
        if (!cookie && server.cookie !== undefined && !backend.raw?.some((line) => /^\s*cookie\s/.test(line))) {
            issues.warning(
                `${path_}.cookie`,
                `cookie ${show(server.cookie)} of server ${server.name} but no cookie in ${where}, so nobody sets it: declare the cookie`,
            );
        }
    });
    stickRules.forEach(({ rule, pattern, if: terms }, i) => {
        issues.line(pattern, `${path}.stickRules.${i}.pattern`, `a stick rule of ${where}`);
        const phase = rule === "store-response" ? "response" : "request";
        conditionIssues(terms, phase, placed, `${path}.stickRules.${i}.if`, issues);
    });
}

import type { Acl, TcpRequestRule, TcpResponseRule } from "../model";
import { isAddress, isHostName } from "../model/addresses";
import { milliseconds } from "../model/durations";
import type { AnyProxy, PlacedProxy } from "../model/lookup";
import { textsIn } from "../model/strings";
import { withoutSlots } from "../render/quoting";
import { ruleText } from "../render/rules";
import { type IssueList, show } from "./issues";

/** Checks timeouts, acls and rules for mistakes that HAProxy accepts. */
export function proxyIssues({ section, proxy, path }: PlacedProxy, issues: IssueList): void {
    const where = `${section} ${proxy.name}`;
    timeoutIssues(proxy, path, where, issues);
    proxy.acls?.forEach((acl, i) => {
        aclIssues(acl, `${path}.acls.${i}`, where, issues);
    });
    unusedAcls(proxy, path, where, issues);
    headerIssues(proxy, path, where, issues);
    rawRules(proxy, path, where, issues);
    unreachableTcpRules(proxy, path, where, issues);
    unreachableBackends(proxy, path, where, issues);
}

/** HAProxy warns if `client`, `connect` or `server` is 0, and a `tunnel` of 0 only unsets it. */
const limits = ["httpRequest", "httpKeepAlive", "queue", "check"] as const;

/** Finds timeouts of 0, which mean no timeout at all. */
export function timeoutIssues(
    { timeouts = {} }: Pick<AnyProxy, "timeouts">,
    path: string,
    where: string,
    issues: IssueList,
): void {
    for (const name of limits) {
        const value = timeouts[name];
        if (value !== undefined && milliseconds(value) === 0) {
            zeroDuration(`${path}.timeouts.${name}`, `timeout ${name} of ${where}`, issues);
        }
    }
}

/** Reports a duration of 0. */
export function zeroDuration(path: string, subject: string, issues: IssueList): void {
    issues.warning("zero-duration", path, `${subject}: 0 means no limit at all; give a duration, like "10s"`);
}

/** Finds hosts and paths that no request can have. HAProxy accepts any text as a pattern. */
function aclIssues(acl: Acl, path: string, where: string, issues: IssueList): void {
    if ("criterion" in acl) {
        return;
    }
    const subject = `acl ${acl.name} of ${where}`;
    if ("host" in acl) {
        acl.host.forEach((host, i) => {
            const name = withoutSlots(host).replace(/\.$/, "");
            if (!isHostName(name) && !(isAddress(name) && !name.includes(":"))) {
                issues.error(
                    "acl-never-matches",
                    `${path}.host.${i}`,
                    `${subject}: ${show(host)} is not a host name; leave scheme, port and wildcard out, or use criterion "hdr_end(host) -i .example.com"`,
                );
            }
        });
        return;
    }
    const [field, values] = "path" in acl ? (["path", acl.path] as const) : (["pathBeg", acl.pathBeg] as const);
    values.forEach((value, i) => {
        if (!/^\/[^?]*$/.test(withoutSlots(value))) {
            issues.error(
                "acl-never-matches",
                `${path}.${field}.${i}`,
                `${subject}: ${show(value)} is not a path; begin it with "/", and leave the query out`,
            );
        }
    });
}

function unusedAcls(
    { acls = [], servers: _, ...rest }: AnyProxy,
    path: string,
    where: string,
    issues: IssueList,
): void {
    if (acls.length === 0) {
        return;
    }
    const used = new Set(textsIn(rest).flatMap((text) => text.split(/[\s!,()]+/)));
    acls.forEach(({ name }, i) => {
        if (!used.has(name)) {
            issues.warning(
                "unused-acl",
                `${path}.acls.${i}.name`,
                `acl ${name} of ${where}: not used; use or remove it`,
            );
        }
    });
}

/** Checks header names (RFC 9110, section 5.1). HAProxy warns only from 3.0 on, and only in some rules. */
function headerIssues(proxy: AnyProxy, path: string, where: string, issues: IssueList): void {
    const check = (name: string, namePath: string) => {
        if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
            issues.error(
                "header-name",
                namePath,
                `header ${show(name)} of ${where}: not a name that HTTP allows; use letters, digits and "-"`,
            );
        }
    };
    for (const list of ["httpRequestRules", "httpResponseRules", "httpAfterResponseRules", "httpChecks"] as const) {
        (proxy[list] ?? []).forEach((rule, i) => {
            if (typeof rule === "string") {
                return;
            }
            if ("name" in rule) {
                check(rule.name, `${path}.${list}.${i}.name`);
            }
            for (const name of Object.keys("headers" in rule ? (rule.headers ?? {}) : {})) {
                check(name, `${path}.${list}.${i}.headers.${name}`);
            }
        });
    }
}

const families = {
    tcpRequestRules: "tcp-request",
    tcpResponseRules: "tcp-response",
    httpRequestRules: "http-request",
    httpResponseRules: "http-response",
    httpAfterResponseRules: "http-after-response",
} as const;

/** Finds raw rules beside declared ones. They are rendered before these, and HAProxy cannot know which order was meant. */
function rawRules(proxy: AnyProxy, path: string, where: string, issues: IssueList): void {
    const lists = new Map<string, string>();
    for (const [list, keyword] of Object.entries(families)) {
        for (const rule of proxy[list as keyof typeof families] ?? []) {
            lists.set(`${keyword}${keyword === "tcp-request" ? ` ${phaseOf(rule as TcpRequestRule)}` : ""}`, list);
        }
    }
    proxy.raw?.forEach((line, i) => {
        const [, keyword = "", phase = ""] = /^\s*(tcp-request(?=\s+(\S+))|[a-z-]+)\s/.exec(line) ?? [];
        const list = /\binspect-delay\b/.test(line) ? undefined : lists.get(`${keyword} ${phase}`.trim());
        if (list !== undefined) {
            issues.warning(
                "raw-before-rules",
                `${path}.raw.${i}`,
                `raw ${keyword} rule of ${where}: runs before all of ${list}; move it there if that is not meant`,
            );
        }
    });
}

/** `connection`, `session` or `content`. */
function phaseOf(rule: TcpRequestRule): string {
    return typeof rule === "string" ? (rule.trim().split(/\s+/, 1)[0] as string) : rule.at;
}

const final = /^(accept|reject|close|silent-drop)\b(?!.*\s(if|unless)\s)/;

/** Finds tcp rules after a final one. HAProxy warns only about those of HTTP. */
function unreachableTcpRules(proxy: AnyProxy, path: string, where: string, issues: IssueList): void {
    for (const list of ["tcpRequestRules", "tcpResponseRules"] as const) {
        const ended = new Map<string, number>();
        (proxy[list] ?? []).forEach((rule: TcpRequestRule | TcpResponseRule, i: number) => {
            const phase = list === "tcpRequestRules" ? phaseOf(rule as TcpRequestRule) : "content";
            const end = ended.get(phase);
            if (end !== undefined) {
                issues.warning(
                    "unreachable-rule",
                    `${path}.${list}.${i}`,
                    `rule ${i} of ${where}: never reached, because rule ${end} always ends the evaluation; remove it, or give rule ${end} a condition`,
                );
            } else if (final.test(ruleText(rule).replace(/^(connection|session|content)\s+/, ""))) {
                ended.set(phase, i);
            }
        });
    }
}

function unreachableBackends(proxy: AnyProxy, path: string, where: string, issues: IssueList): void {
    const { useBackends = [], defaultBackend } = proxy;
    const always = useBackends.findIndex((rule) => (rule.if ?? []).length === 0);
    if (always >= 0 && (always < useBackends.length - 1 || defaultBackend !== undefined)) {
        issues.warning(
            "unreachable-rule",
            `${path}.useBackends.${always}`,
            `use_backend ${useBackends[always]?.backend} of ${where}: has no condition, so what follows is never used; give it one, or use defaultBackend`,
        );
    }
}

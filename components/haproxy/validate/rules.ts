import type { HaproxyConfig } from "../model";
import { modeOf, type PlacedProxy } from "../model/lookup";
import { atLeast, errorStatuses } from "../model/versions";
import { type Rule, ruleText, tcpPhase, tcpPhases } from "../render/rules";
import { conditionIssues, lineConditionIssues, sampleIssues, termsOf } from "./conditions";
import { type IssueList, show } from "./issues";

/** The lists of rules, their keyword, and the actions after which no other rule of the list is looked at. */
const families = [
    { list: "tcpRequestRules", keyword: "tcp-request", final: /^(accept|reject|silent-drop)\b/ },
    { list: "tcpResponseRules", keyword: "tcp-response", final: /^(accept|reject|close|silent-drop)\b/ },
    {
        list: "httpRequestRules",
        keyword: "http-request",
        final: /^(allow|deny|tarpit|reject|auth|redirect|return|silent-drop|use-service)\b(?!.*\signore-empty\b)/,
    },
    {
        list: "httpResponseRules",
        keyword: "http-response",
        final: /^(allow|deny|redirect|return|silent-drop)\b(?!.*\signore-empty\b)/,
    },
    { list: "httpAfterResponseRules", keyword: "http-after-response", final: /^allow\b/ },
] as const;

/** Raw lines that belong into a list. */
const ruleLine = /^\s*(tcp-request|tcp-response|http-request|http-response|http-after-response|redirect|use_backend)\s/;

/** Raw lines with a condition. */
const conditionalLine =
    /^\s*(tcp-re|http-re|http-after-response|redirect|use_backend|use-server|stick|monitor fail|force-persist|ignore-persist)/;

/** In the order in which HAProxy runs them: of a line before one that runs first, it warns. */
const stages = [
    /^tcp-request connection\s/,
    /^tcp-request session\s/,
    /^tcp-request content\s/,
    /^monitor fail\s/,
    /^http-request\s/,
    /^redirect\s/,
    /^use_backend\s/,
    /^use-server\s/,
];

/** Faults of the rules of one proxy, in their order. */
export function ruleIssues(placed: PlacedProxy, config: HaproxyConfig, issues: IssueList): void {
    const { section, proxy, path } = placed;
    const where = `${section} ${proxy.name}`;
    let typed = false;
    for (const { list, keyword, final } of families) {
        const rules: readonly (Rule | string)[] = proxy[list] ?? [];
        typed ||= rules.length > 0;
        if (rules.length > 0 && keyword.startsWith("http") && modeOf(proxy, config) === "tcp") {
            issues.error(`${path}.${list}`, `${keyword} rules of ${where} need mode http: it has mode tcp`);
        }
        const ended = new Map<string, number>();
        rules.forEach((rule, i) => {
            const place = `${path}.${list}.${i}`;
            singleRule(rule, keyword, placed, place, issues);
            const text = typeof rule === "string" ? rule.trim() : soundText(rule);
            const phase = keyword === "tcp-request" ? phaseOf(rule) : "";
            // Refused by 2.2, known to 2.6 (measured).
            if (phase === "connection" && /^(connection )?set-var/.test(text) && !atLeast(config.version, "2.6")) {
                issues.error(
                    place,
                    `set-var at connection in ${where} needs HAProxy 2.6, but the declared version is ${config.version}: set it at session`,
                );
            }
            const end = ended.get(phase);
            if (end !== undefined) {
                // Of rules of HTTP the daemons warn, too.
                issues[keyword.startsWith("http") ? "error" : "warning"](
                    place,
                    `${keyword} rule ${show(text)} of ${where} is never reached: rule ${end} before it has no condition and ends the evaluation`,
                );
            }
            const action = text.replace(/^(connection|session|content)\s+/, "");
            const conditional = typeof rule === "string" ? termsOf(rule).length > 0 : (rule.if ?? []).length > 0;
            if (final.test(action) && !conditional && !ended.has(phase)) {
                ended.set(phase, i);
            }
        });
    }
    rawRuleIssues(placed, typed, issues);
}

/** Rules among the raw lines, which stand before all declared ones. */
function rawRuleIssues(placed: PlacedProxy, typed: boolean, issues: IssueList): void {
    const { section, proxy, path } = placed;
    const where = `${section} ${proxy.name}`;
    const lines = (proxy.raw ?? []).map((line) => line.trim());
    const order = [...lines, ...(proxy.useBackends?.length ? ["use_backend "] : [])].map((line) =>
        stages.findIndex((stage) => stage.test(line)),
    );
    lines.forEach((line, i) => {
        if (conditionalLine.test(line)) {
            const early = /^tcp-request\s+(connection|session)\s/.test(line);
            const late = /^((tcp|http|http-after)-response|stick\s+store-response)\s/.test(line);
            const phase = late ? "response" : early ? "connection" : "request";
            lineConditionIssues(line, phase, placed, `${path}.raw.${i}`, issues);
        }
        const keyword = ruleLine.exec(line)?.[1];
        const earlier = order.findIndex((stage, j) => j > i && stage >= 0 && stage < (order[i] as number));
        if (typed && keyword !== undefined) {
            const list = families.find((family) => family.keyword === keyword)?.list;
            const home = keyword === "redirect" ? "httpRequestRules" : (list ?? "useBackends");
            issues.error(
                `${path}.raw.${i}`,
                `raw ${keyword} line beside declared rules of ${where}, so that its place among them is not visible: put it into ${home}`,
            );
        } else if (earlier >= 0) {
            issues.error(
                `${path}.raw.${i}`,
                `raw line ${show(line)} of ${where} before ${earlier < lines.length ? show(lines[earlier] as string) : "useBackends"}, which HAProxy runs first all the same: put it after that`,
            );
        }
    });
}

const early = /^(connection|session)$/;

function singleRule(rule: Rule | string, keyword: string, placed: PlacedProxy, path: string, issues: IssueList): void {
    const where = `${keyword} rule of ${placed.section} ${placed.proxy.name}`;
    const runsAt = keyword.endsWith("response") ? "response" : early.test(phaseOf(rule)) ? "connection" : "request";
    sampleIssues(typeof rule === "string" ? rule : soundText(rule), runsAt, path, `a ${where}`, issues);
    if (typeof rule === "string") {
        issues.line(`${keyword} ${rule}`, path, `a ${where}`);
        lineConditionIssues(rule, runsAt, placed, path, issues);
    } else {
        actionIssues(rule, keyword, path, where, issues);
        issues.words(`${keyword} ${soundText(rule)}`, path, `a ${where}`);
        conditionIssues(rule.if, runsAt, placed, `${path}.if`, issues);
    }
    if (keyword !== "tcp-request") {
        return;
    }
    const phase = phaseOf(rule);
    if (!tcpPhases.includes(phase)) {
        issues.error(path, `unknown ${where} ${show(phase)}: begin it with ${tcpPhases.join(", ")}`);
    } else if (placed.section === "backend" && (phase === "connection" || phase === "session")) {
        issues.error(path, `${where} at ${phase}, which a backend does not see: put it into the frontend`);
    }
}

function actionIssues(rule: Rule, keyword: string, path: string, where: string, issues: IssueList): void {
    const what = (field: string) => `${field} of ${rule.action} in a ${where}`;
    for (const [field, value] of Object.entries(rule)) {
        if (typeof value !== "string" || ["action", "at", "name"].includes(field)) {
            continue;
        }
        const check =
            field === "expression" || field === "key"
                ? "line"
                : ["variable", "table", "cache"].includes(field)
                  ? "token"
                  : "argument";
        // Line breaks of a body are written as escapes.
        const text = field === "body" ? value.replace(/[\r\n\t]/g, " ") : value;
        issues[check](text, `${path}.${field}`, what(field));
    }
    if (rule.action === "deny" || rule.action === "tarpit") {
        const statuses = errorStatuses(issues.version);
        if (rule.status !== undefined && !statuses.includes(String(rule.status))) {
            issues.error(
                `${path}.status`,
                `${what("status")} is ${rule.status}, for which HAProxy has no message: use ${statuses.join(", ")}, or the action return`,
            );
        }
    } else if ("status" in rule) {
        issues.whole(rule.status, 200, 599, `${path}.status`, what("status"));
    }
    if (rule.action === "redirect" && keyword === "http-response" && !("location" in rule)) {
        issues.error(path, `redirect without a location in a ${where}: HAProxy knows nothing else there`);
    }
    if (rule.action === "set-var" || rule.action === "unset-var") {
        if (!/^(proc|sess|txn|req|res|check)\.[A-Za-z0-9_.]+$/.test(rule.variable)) {
            issues.error(
                `${path}.variable`,
                `invalid ${what("variable")} ${show(rule.variable)}: use a scope and a name, like "txn.host"`,
            );
        }
    }
    if ("name" in rule) {
        issues.header(rule.name, `${path}.name`, what("name"));
    }
    if (rule.action === "return") {
        for (const [name, value] of Object.entries(rule.headers ?? {})) {
            issues.header(name, `${path}.headers.${name}`, what("header name"));
            issues.argument(value, `${path}.headers.${name}`, what(`header ${name}`));
        }
        if (rule.contentType !== undefined && rule.body === undefined) {
            issues.error(`${path}.contentType`, `${what("contentType")} without a body: add one or leave it out`);
        }
    }
    if (rule.action === "expect-proxy" && "at" in rule && rule.at !== "connection") {
        issues.error(`${path}.at`, `expect-proxy at ${rule.at} in a ${where}: use at "connection"`);
    }
}

function phaseOf(rule: Rule | string): string {
    return typeof rule === "string" ? tcpPhase(rule) : "at" in rule ? rule.at : "";
}

/** For messages: a rule with control characters cannot be rendered. */
function soundText(rule: Rule): string {
    try {
        return ruleText(rule);
    } catch {
        return rule.action;
    }
}

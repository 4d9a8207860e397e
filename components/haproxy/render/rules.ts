import type {
    Conditional,
    HttpAfterResponseRule,
    HttpRequestRule,
    HttpResponseRule,
    Redirect,
    Return,
    TcpRequestRule,
    TcpResponseRule,
    TrackAction,
} from "../model";
import { format, fragment, rawLine, replacement, word } from "./quoting";

/** Any rule that is not a string. */
export type Rule = Exclude<
    HttpRequestRule | HttpResponseRule | HttpAfterResponseRule | TcpRequestRule | TcpResponseRule,
    string
>;

/** A rule without its keyword: the action, its arguments, and the condition. */
export function ruleText(rule: Rule | string): string {
    return typeof rule === "string" ? rawLine(rule, true) : `${actionText(rule)}${conditionText(rule)}`;
}

/** ` if …` or ` unless …`; nothing without terms. */
export function conditionText({ if: terms = [], unless }: Conditional): string {
    const [keyword, list] = unless ? ["unless", unless] : ["if", terms];
    return list.length === 0 ? "" : ` ${keyword} ${list.map(fragment).join(" ")}`;
}

/** A `tcp-request` line without its keyword. */
export function tcpRequestText(rule: TcpRequestRule): string {
    return typeof rule === "string" ? ruleText(rule) : `${rule.at} ${ruleText(rule)}`;
}

/** A `tcp-response` line without its keyword. */
export function tcpResponseText(rule: TcpResponseRule): string {
    return typeof rule === "string" ? ruleText(rule) : `content ${ruleText(rule)}`;
}

/** Texts of `tcp-request` in the order in which HAProxy evaluates them; it warns about any other. */
export function inPhases(texts: readonly string[]): string[] {
    return texts
        .map((text) => ({ text, phase: tcpPhases.indexOf(tcpPhase(text)) }))
        .sort((a, b) => a.phase - b.phase)
        .map(({ text }) => text);
}

/** First words of `tcp-request` lines, in the order in which HAProxy evaluates them. */
const tcpPhases = ["inspect-delay", "connection", "session", "content"];

/** First word of a `tcp-request` line without its keyword. */
function tcpPhase(text: string): string {
    return text.trim().split(/\s+/, 1)[0] as string;
}

function actionText(rule: Rule): string {
    switch (rule.action) {
        case "set-header":
        case "add-header":
            return `${rule.action} ${word(rule.name)} ${format(rule.format)}`;
        case "del-header":
            return `del-header ${word(rule.name)}`;
        case "replace-header":
        case "replace-value":
            return `${rule.action} ${word(rule.name)} ${word(rule.match)} ${replacement(rule.format)}`;
        case "set-var":
            return `set-var(${word(rule.variable)}) ${fragment(rule.expression)}`;
        case "unset-var":
            return `unset-var(${word(rule.variable)})`;
        case "deny":
        case "tarpit":
            return rule.status === undefined ? rule.action : `${rule.action} deny_status ${rule.status}`;
        case "return":
            return returnText(rule);
        case "redirect":
            return redirectText(rule);
        case "track-sc":
            return trackText(rule);
        case "auth":
            return rule.realm === undefined ? "auth" : `auth realm ${word(rule.realm)}`;
        case "set-path":
        case "set-query":
        case "set-uri":
        case "set-method":
            return `${rule.action} ${format(rule.format)}`;
        case "replace-path":
        case "replace-uri":
            return `${rule.action} ${word(rule.match)} ${replacement(rule.format)}`;
        case "cache-use":
        case "cache-store":
            return `${rule.action} ${word(rule.cache)}`;
        case "set-status":
            return `set-status ${rule.status}${rule.reason === undefined ? "" : ` reason ${word(rule.reason)}`}`;
        case "expect-proxy":
            return "expect-proxy layer4";
        default:
            return rule.action;
    }
}

function returnText({ status = 200, contentType, body, headers = {} }: Return): string {
    const content =
        body === undefined ? "" : ` content-type ${word(contentType ?? "text/plain")} lf-string ${format(body)}`;
    const lines = Object.entries(headers).map(([name, value]) => ` hdr ${word(name)} ${format(value)}`);
    return `return status ${status}${content}${lines.join("")}`;
}

function redirectText(rule: Redirect): string {
    const target =
        "location" in rule
            ? `location ${format(rule.location)}`
            : "prefix" in rule
              ? `prefix ${format(rule.prefix)}`
              : `scheme ${format(rule.scheme)}`;
    return `redirect ${target}${rule.code === undefined ? "" : ` code ${rule.code}`}`;
}

function trackText({ counter, key = "src", table }: TrackAction): string {
    return `track-sc${counter} ${fragment(key)}${table === undefined ? "" : ` table ${word(table)}`}`;
}

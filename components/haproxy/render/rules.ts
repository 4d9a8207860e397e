import type {
    HttpAfterResponseRule,
    HttpRequestRule,
    HttpResponseRule,
    Redirect,
    Return,
    TcpRequestRule,
    TcpResponseRule,
    TrackAction,
} from "../model";
import { asWritten, word } from "./quoting";

/** Any rule that is not a string. */
export type Rule = Exclude<
    HttpRequestRule | HttpResponseRule | HttpAfterResponseRule | TcpRequestRule | TcpResponseRule,
    string
>;

/** The rule as it stands after its keyword: the action, its arguments, and the condition. */
export function ruleText(rule: Rule | string): string {
    return typeof rule === "string" ? asWritten(rule) : `${actionText(rule)}${conditionText(rule.if)}`;
}

/** ` if …`, or nothing for an empty condition. */
export function conditionText(terms: readonly string[] = []): string {
    return terms.length === 0 ? "" : ` if ${terms.map(asWritten).join(" ")}`;
}

/** `connection …`, `session …` and `content …` in the order in which HAProxy runs them: any other draws a warning. */
export function tcpRequestTexts(rules: readonly TcpRequestRule[] = []): string[] {
    const texts = rules.map((rule) => (typeof rule === "string" ? asWritten(rule) : `${rule.at} ${ruleText(rule)}`));
    return texts
        .map((text) => ({ text, place: tcpPhases.indexOf(tcpPhase(text)) }))
        .sort((a, b) => a.place - b.place)
        .map(({ text }) => text);
}

/** What a `tcp-request` line may begin with, in the order in which HAProxy runs the rules. */
export const tcpPhases = ["inspect-delay", "connection", "session", "content"];

/** First word of a `tcp-request` line. */
export function tcpPhase(text: string): string {
    return text.trim().split(/\s+/, 1)[0] as string;
}

function actionText(rule: Rule): string {
    switch (rule.action) {
        case "set-header":
        case "add-header":
            return `${rule.action} ${word(rule.name)} ${word(rule.format)}`;
        case "del-header":
            return `del-header ${word(rule.name)}`;
        case "replace-header":
        case "replace-value":
            return `${rule.action} ${word(rule.name)} ${word(rule.match)} ${word(rule.format)}`;
        case "set-var":
            return `set-var(${rule.variable}) ${asWritten(rule.expression)}`;
        case "unset-var":
            return `unset-var(${rule.variable})`;
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
            return `${rule.action} ${word(rule.format)}`;
        case "replace-path":
        case "replace-uri":
            return `${rule.action} ${word(rule.match)} ${word(rule.format)}`;
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
        body === undefined ? "" : ` content-type ${word(contentType ?? "text/plain")} lf-string ${word(body)}`;
    const lines = Object.entries(headers).map(([name, value]) => ` hdr ${word(name)} ${word(value)}`);
    return `return status ${status}${content}${lines.join("")}`;
}

function redirectText(rule: Redirect): string {
    const target =
        "location" in rule
            ? `location ${word(rule.location)}`
            : "prefix" in rule
              ? `prefix ${word(rule.prefix)}`
              : `scheme ${word(rule.scheme)}`;
    return `redirect ${target}${rule.code === undefined ? "" : ` code ${rule.code}`}`;
}

function trackText({ counter, key = "src", table }: TrackAction): string {
    return `track-sc${counter} ${asWritten(key)}${table === undefined ? "" : ` table ${table}`}`;
}

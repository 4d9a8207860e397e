import type { Acl } from "../model";
import type { AnyProxy, PlacedProxy } from "../model/lookup";
import { type IssueList, show } from "./issues";

/** Section 7.4, "Pre-defined ACLs". */
const predefinedAcls = new Set(
    `FALSE HTTP HTTP_1.0 HTTP_1.1 HTTP_2.0 HTTP_CONTENT HTTP_URL_ABS HTTP_URL_SLASH HTTP_URL_STAR LOCALHOST METH_CONNECT
    METH_DELETE METH_GET METH_HEAD METH_OPTIONS METH_POST METH_PUT METH_TRACE RDP_COOKIE REQ_CONTENT TRUE
    WAIT_END`.split(/\s+/),
);

const aclsByProxy = new WeakMap<AnyProxy, Map<string, string[]>>();

/** The acls that conditions of a section may use, raw ones included: criteria by name. */
function aclsOf(proxy: AnyProxy): Map<string, string[]> {
    const found = aclsByProxy.get(proxy);
    if (found) {
        return found;
    }
    const raw = (proxy.raw ?? []).flatMap((line) => {
        const [, name, criterion = ""] = /^\s*acl\s+(\S+)\s*(.*)/.exec(line) ?? [];
        return name === undefined ? [] : [{ name, criterion }];
    });
    const acls = new Map<string, string[]>();
    for (const { name, criterion } of [...(proxy.acls ?? []), ...raw].map(withCriterion)) {
        acls.set(name, [...(acls.get(name) ?? []), criterion]);
    }
    aclsByProxy.set(proxy, acls);
    return acls;
}

function withCriterion(acl: Acl): { readonly name: string; readonly criterion: string } {
    return "criterion" in acl ? acl : { name: acl.name, criterion: "host" in acl ? "hdr(host)" : "path" };
}

/**
 * What rules go by: section 7.3.6. At connection and session there is nothing but addresses and TLS. A response is not there yet for
 * rules of requests; of the request, rules of responses know little.
 */
export type Phase = "connection" | "request" | "response";

const onlyIn = {
    request: /^(base|cook|hdr|http_auth|path|query|rdp_cookie|req(\.(?!timer)|_)|url)/,
    response: /^(res[._]|resp_|scook|shdr|ssl_bc|status\b|srv_(id|name)\b)/,
} as const;

/** Section 7.2: every term is an acl of the section, a predefined one, written out, or `or`. */
export function conditionIssues(
    terms: readonly string[] = [],
    phase: Phase,
    placed: PlacedProxy,
    path: string,
    issues: IssueList,
): void {
    terms.forEach((term, i) => {
        if (anonymous(term) !== undefined) {
            issues.line(term.trim(), `${path}.${i}`, conditionOf(placed));
        }
        termIssues(term, phase, placed, `${path}.${i}`, issues);
    });
}

/** The same of the condition at the end of a line, which is checked as a line before. */
export function lineConditionIssues(
    line: string,
    phase: Phase,
    placed: PlacedProxy,
    path: string,
    issues: IssueList,
): void {
    for (const term of termsOf(line)) {
        termIssues(term, phase, placed, path, issues);
    }
}

function termIssues(term: string, phase: Phase, placed: PlacedProxy, path: string, issues: IssueList): void {
    const name = term.trim().replace(/^!\s*/, "");
    const where = conditionOf(placed);
    const written = anonymous(term);
    const acls = aclsOf(placed.proxy);
    if (name === "or" || name === "||") {
        return;
    }
    if (written === undefined && !acls.has(name) && !predefinedAcls.has(name)) {
        issues.error(
            path,
            `unknown acl ${show(name)} in ${where}: ${declared(acls.keys(), "acl")}, or write it out like "{ path_beg /api }"`,
        );
    }
    const criteria = written === undefined ? (acls.get(name) ?? []) : [written];
    const never = missing(phase, criteria);
    if (never) {
        issues.error(
            path,
            `${show(name)} in ${where} goes by the ${never}, which rules of ${phase}s do not have, so it never matches: ${remedy(phase)}`,
        );
    }
}

/** What stands between the braces of an anonymous acl. */
function anonymous(term: string): string | undefined {
    return /^!?\s*\{ +(.+) \}$/.exec(term.trim())?.[1];
}

function conditionOf({ section, proxy }: PlacedProxy): string {
    return `a condition of ${section} ${proxy.name}`;
}

/** What one of the criteria goes by and a rule of that phase does not have. */
function missing(phase: Phase, criteria: readonly string[]): "request" | "response" | undefined {
    const nevers = ({ connection: ["request", "response"], request: ["response"], response: ["request"] } as const)[
        phase
    ];
    return nevers.find((never) => criteria.some((criterion) => onlyIn[never].test(criterion)));
}

function remedy(phase: Phase): string {
    return {
        connection: `use it at "content"`,
        request: "use a rule of responses",
        response: "keep what it needs in a variable, by set-var in httpRequestRules",
    }[phase];
}

/** Samples of a rule, in expressions and log-formats, that go by what is not there. */
export function sampleIssues(text: string, phase: Phase, path: string, where: string, issues: IssueList): void {
    const samples = [...text.matchAll(/%\[([^\]\s]+)/g), ...text.matchAll(/(?:^|\s)set-var\([^)]*\)\s+(\S+)/g)].map(
        ([, sample = ""]) => sample,
    );
    for (const sample of samples) {
        // In rules of responses, hdr alone is one of the response.
        const never = /^hdr\(/.test(sample) ? undefined : missing(phase, [sample]);
        if (never) {
            issues.error(
                path,
                `sample ${show(sample)} in ${where} goes by the ${never}, which rules of ${phase}s do not have: ${remedy(phase)}`,
            );
        }
    }
}

/** The condition at the end of a line as terms, or none. Braces and quotes are kept together. */
export function termsOf(line: string): string[] {
    const tokens = line.match(/!?\{ .*? \}(?=\s|$)|"(?:\\.|[^"])*"|'[^']*'|\S+/g) ?? [];
    const start = tokens.findIndex((token) => token === "if" || token === "unless");
    return start < 0 ? [] : tokens.slice(start + 1).filter((token) => token !== "!");
}

/** What may be named instead. */
export function declared(names: Iterable<string>, kind: string): string {
    const list = [...new Set(names)].sort();
    const shown = list.length > 20 ? [...list.slice(0, 20), `${list.length - 20} more`] : list;
    return list.length === 0 ? `no ${kind} is declared` : `declared are ${shown.join(", ")}`;
}

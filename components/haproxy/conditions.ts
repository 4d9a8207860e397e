import { type Faults, show } from "./faults";
import type { AnyProxy, PlacedProxy } from "./proxies";

/** Section 7.4, "Pre-defined ACLs". */
const predefinedAcls = new Set(
    `FALSE HTTP HTTP_1.0 HTTP_1.1 HTTP_2.0 HTTP_CONTENT HTTP_URL_ABS HTTP_URL_SLASH HTTP_URL_STAR LOCALHOST METH_CONNECT
    METH_DELETE METH_GET METH_HEAD METH_OPTIONS METH_POST METH_PUT METH_TRACE RDP_COOKIE REQ_CONTENT TRUE
    WAIT_END`.split(/\s+/),
);

/** Names of the acls that conditions of a section may use, raw ones included. */
function aclNames(proxy: AnyProxy): Set<string> {
    const raw = (proxy.raw ?? []).flatMap((line) => /^\s*acl\s+(\S+)/.exec(line)?.[1] ?? []);
    return new Set([...(proxy.acls ?? []).map((acl) => acl.name), ...raw]);
}

/** Section 7.2: every term is an acl of the section, a predefined one, written out, or `or`. */
export function conditionIssues(
    terms: readonly string[] | undefined,
    { section, proxy }: PlacedProxy,
    path: string,
    faults: Faults,
): void {
    const where = `a condition of ${section} ${proxy.name}`;
    terms?.forEach((term, i) => {
        const text = term.trim();
        if (/^!?\s*\{ .+ \}$/.test(text)) {
            faults.line(text, `${path}.${i}`, where);
        } else if (text !== "or" && text !== "||") {
            const known = aclNames(proxy);
            const name = text.replace(/^!\s*/, "");
            if (!known.has(name) && !predefinedAcls.has(name)) {
                faults.error(
                    `${path}.${i}`,
                    `unknown acl ${show(name)} in ${where}: ${declared(known, "acl")}, or write it out like "{ path_beg /api }"`,
                );
            }
        }
    });
}

/** The condition at the end of a line as terms, or none. Braces and quotes are kept together. */
export function conditionOf(line: string): string[] {
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

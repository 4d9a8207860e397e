import { type Keyword, keywords, type Section } from "./keywords";

/** What each HAProxy version knows: the one place that versions are compared. */

/** The oldest version whose checker refuses warnings (`-dW`) and that has `http-check send`. */
export const oldestVersion = "2.2";

/** Is `version` a HAProxy release in the form `major.minor`? */
export function isVersion(version: string): boolean {
    return /^\d{1,3}\.\d{1,3}$/.test(version);
}

/** Is `version` the release `since` or a later one? */
export function atLeast(version: string, since: string): boolean {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const [sinceMajor = 0, sinceMinor = 0] = since.split(".").map(Number);
    return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** Statuses that HAProxy has a message for: section 4.2, keyword `errorfile`. Measured; the manual leaves some out. */
export function errorStatuses(version: string): string[] {
    const later = [...(atLeast(version, "2.4") ? ["501"] : []), ...(atLeast(version, "2.6") ? ["422"] : [])];
    const all = "200 400 401 403 404 405 407 408 410 413 421 425 429 500 502 503 504".split(" ");
    return [...all, ...later].sort();
}

/** Does `version` have the keyword? */
export function knows(version: string, { since, until }: Pick<Keyword, "since" | "until">): boolean {
    return (since === undefined || atLeast(version, since)) && !(until !== undefined && atLeast(version, until));
}

const unknown = new Map<string, readonly Keyword[]>();

/** Looked for once, as models have thousands of lines. */
function unknownTo(version: string): readonly Keyword[] {
    const found = unknown.get(version) ?? keywords.filter((entry) => !knows(version, entry));
    unknown.set(version, found);
    return found;
}

/**
 * Keywords of a line that `version` does not know.
 *
 * @param context What the line is: one of `global`, one of another section, or parameters of a `bind` or `server` line.
 */
export function unknownKeywords(line: string, version: string, context: Context = "proxy"): Keyword[] {
    const words = line
        .trim()
        .replace(/^no\s+/, "")
        .split(/\s+/);
    const kind = context === "proxy" ? kindOf(words[0] ?? "") : context;
    const named = parameters(words, kind, context);
    const parts = new Set((words[0] === "acl" ? words.slice(2) : words).flatMap((word) => word.split(/[,()[\]%]/)));
    return unknownTo(version).filter(({ section, keyword }) => {
        switch (section) {
            case "section":
            case "global":
            case "proxy":
            case "cache":
                return begins(section, context) && keyword.split(" ").every((part, i) => words[i] === part);
            case "sample":
                return parts.has(keyword);
            default:
                return section === kind && named.includes(keyword);
        }
    });
}

/** The words of a line that are keywords of it: the action of a rule, the parameters of a `bind` or `server`; not names and values. */
function parameters(words: readonly string[], kind: Section, context: Context): string[] {
    if (kind === "rule") {
        const action = words[words[0]?.startsWith("tcp-") ? 2 : 1] ?? "";
        return [action.split("(", 1)[0] as string];
    }
    const first = context === "proxy" ? (places[words[0] ?? ""] ?? 0) : 0;
    return words
        .filter((_, i) => i >= first && !takesText.test(words[i - 1] ?? ""))
        .map((word) => word.split("(", 1)[0] as string);
}

/** Where the parameters of a line begin. */
const places: Readonly<Record<string, number>> = { bind: 2, server: 3, "server-template": 4, "default-server": 1 };

/** Parameters whose value may be any word. */
const takesText = /^(cookie|name|interface|namespace|sni|track|user|group)$/;

/** Where a line stands. */
export type Context = "global" | "proxy" | "table" | "bind" | "server";

/** A raw line may begin a section of its own. */
function begins(section: Section, context: Context): boolean {
    return section === "section" || (section === "global") === (context === "global");
}

function kindOf(keyword: string): Section {
    if (/^(http|tcp)-(request|response|after-response)$/.test(keyword)) {
        return "rule";
    }
    return keyword === "bind" ? "bind" : /^(default-)?server(-template)?$/.test(keyword) ? "server" : "proxy";
}

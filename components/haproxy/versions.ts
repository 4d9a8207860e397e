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

/** Does `version` have the keyword? */
export function knows(version: string, { since, until }: Pick<Keyword, "since" | "until">): boolean {
    return (since === undefined || atLeast(version, since)) && !(until !== undefined && atLeast(version, until));
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
    const parts = new Set(words.flatMap((word) => word.split(/[,()[\]%]/)));
    return keywords.filter((entry) => {
        const { section, keyword } = entry;
        if (knows(version, entry)) {
            return false;
        }
        switch (section) {
            case "section":
            case "global":
            case "proxy":
            case "cache":
                return begins(section, context) && keyword.split(" ").every((part, i) => words[i] === part);
            case "sample":
                return parts.has(keyword);
            default:
                return section === kind && words.some((word) => word.split("(", 1)[0] === keyword);
        }
    });
}

/** Where a line stands. */
export type Context = "global" | "proxy" | "bind" | "server";

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

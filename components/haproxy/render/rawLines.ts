import { from, fromEach } from "./lineIndex";
import { rawLine } from "./quoting";

/** Keywords whose raw lines are rendered with the declared ones, because elsewhere HAProxy warns about them or reads them differently. */
const keywords = [
    "tcp-request",
    "tcp-response",
    "http-request",
    "http-response",
    "http-after-response",
    "redirect",
    "use_backend",
    "use-server",
    "default-server",
    "server",
    "server-template",
] as const;
type Keyword = (typeof keywords)[number];

/** Keywords that begin a section: the lines from there on belong to it. */
const sections =
    /^\s*(global|defaults|frontend|backend|listen|userlist|peers|resolvers|mailers|cache|http-errors|ring|log-forward|fcgi-app|program|crt-store|traces|log-profile)(\s|$)/;

/** Rendered raw lines of a section. */
export interface RawLines {
    /** Lines of other keywords. */
    readonly others: readonly string[];
    /** Sections that raw lines begin. They are rendered last. */
    readonly furtherSections: readonly string[];
    /** What follows the keyword in its raw lines. */
    readonly of: (keyword: Keyword) => readonly string[];
}

/** Whether an argument of the line is a log-format. */
function hasFormat(line: string): boolean {
    return /^\s*(http-|tcp-re|redirect|use_backend|use-server|log-format|error-log-format|unique-id-format|set-var-fmt)/.test(
        line,
    );
}

/** Raw lines of a section that has no rules among which they would stand. */
export function rawLinesInOrder(raw: readonly string[] | undefined, path: string): string[] {
    return fromEach(path, raw, (line) => rawLine(line, hasFormat(line)));
}

/** The raw lines of a section by their keyword. */
export function rawLines(raw: readonly string[] = [], path: string): RawLines {
    const start = raw.findIndex((line) => sections.test(line));
    const end = start < 0 ? raw.length : start;
    const lines = raw.slice(0, end).map((line, i) => {
        const [, keyword = "", rest = ""] = /^\s*(\S+)\s+(.*)$/s.exec(line) ?? [];
        const own = keywords.find((known) => known === keyword);
        const text = own ? rest : line;
        return { keyword: own, text: from(`${path}[${i}]`, rawLine(text, hasFormat(line))) };
    });
    const of = (keyword: Keyword | undefined) =>
        lines.filter((line) => line.keyword === keyword).map(({ text }) => text);
    const furtherSections = rawLinesInOrder(raw, path).slice(end);
    return { others: of(undefined), furtherSections, of };
}

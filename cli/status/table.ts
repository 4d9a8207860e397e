import { isOfFiles, isOfProcess, type JudgedHost, LEVELS } from "./judge";
import { bare } from "./judgePairs";
import type { Answer, Backend, Haproxy } from "./types";
import { cut, DAY, escaped, lengthOf, pad, roughly, some, thousands } from "./words";

/** Characters of a line, where it can be helped. */
const WIDTH = 120;

/** Longer texts in a cell are cut: a host may answer anything. */
const LONGEST = 40;

/** Reasons of a host and a level; of more, only their number is said, so that one host does not hide the others. */
const MOST_REASONS = 10;

/** Characters of a reason. */
const LONGEST_REASON = 1000;

/** Days before the end of a certificate from which its name is shown. */
const NAMED = 30;

/** What a cell may show, from the longest to the shortest. */
type Cell = readonly string[];

interface Column {
    readonly title: string;
    /** @param haproxy undefined if it does not run, is not managed, or does not answer */
    readonly cell: (answer: Answer, haproxy: Haproxy | undefined) => Cell;
}

/** The columns after the host; ROLE only if a host is in a pair. */
const COLUMNS = [
    { title: "HAPROXY", cell: processCell },
    { title: "ROLE", cell: roleCell },
    { title: "DRIFT", cell: driftCell },
    { title: "SERVERS UP", cell: (_, haproxy) => serversCell(haproxy?.backends ?? []) },
    { title: "CERTIFICATES", cell: certificateCell },
    {
        title: "CONNECTIONS",
        cell: (_, haproxy) => {
            const { connections = 0, maxconn = 0 } = haproxy ?? {};
            return haproxy === undefined
                ? ["-"]
                : [`${thousands(connections)} of ${thousands(maxconn)}`, thousands(connections)];
        },
    },
    { title: "LAST CONVERGE", cell: convergeCell },
] as const satisfies readonly Column[];

/** The columns that are shortened if the table is too wide, in order; each time by one step. */
const SHORTENED: readonly (typeof COLUMNS)[number]["title"][] = [
    "SERVERS UP",
    "LAST CONVERGE",
    "ROLE",
    "CERTIFICATES",
    "SERVERS UP",
    "ROLE",
    "CONNECTIONS",
];

/** What to show, and how. */
export interface Shown {
    readonly stack: string;
    readonly hosts: readonly JudgedHost[];
    /** Whether to use the colours of a terminal. */
    readonly coloured: boolean;
}

/** The fleet as people read it: a headline, a row for each host, and what is to say about them, the worst first. */
export function table({ stack, hosts, coloured }: Shown): string {
    const paint = coloured ? painted : (text: string) => text;
    const reasons = reasonLines(hosts, paint);
    const parts = [[headline(stack, hosts)], rows(hosts, paint), ...(reasons.length === 0 ? [] : [reasons])];
    return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function headline(stack: string, hosts: readonly JudgedHost[]): string {
    const balance = hosts.every(
        ({ answer }) => answer === undefined || "unanswered" in answer || answer.managesHaproxy,
    );
    const noun = `${balance ? "load balancer" : "host"}${hosts.length === 1 ? "" : "s"}`;
    const of = (verdict: JudgedHost["verdict"]) => hosts.filter((host) => host.verdict === verdict).length;
    const counts = [
        [of("healthy"), "healthy"],
        [of("failing"), "failing"],
        [of("attention"), of("attention") === 1 ? "needs attention" : "need attention"],
    ] as const;
    const said = counts.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`);
    return [`stack ${escaped(stack)}: ${hosts.length} ${noun}`, ...said].join(", ");
}

type Level = JudgedHost["verdict"] | "remark";
type Paint = (text: string, level: Level) => string;

function painted(text: string, level: Level): string {
    const colour = { failing: 31, attention: 33, healthy: 0, remark: 0 }[level];
    return colour === 0 ? text : `\x1b[${colour}m${text}\x1b[0m`;
}

function rows(hosts: readonly JudgedHost[], paint: Paint): string[] {
    const names = hosts.map(({ host }) => shown(host));
    const widest = Math.max("HOST".length, ...names.map(lengthOf));
    const columns = COLUMNS.filter(({ title }) => title !== "ROLE" || hosts.some(isInPair));
    const cells = hosts.map(({ answer }) =>
        answer === undefined || "unanswered" in answer
            ? undefined
            : columns.map(({ cell }) => cell(answer, answer.haproxy)),
    );
    const levels = columns.map(() => 0);
    const at = (row: readonly Cell[]) => row.map((cell, n) => shortest(cell, levels[n] ?? 0));
    const widths = () =>
        columns.map(({ title }, n) =>
            Math.max(title.length, ...cells.map((row) => (row ? lengthOf(at(row)[n] ?? "") : 0))),
        );
    for (const title of SHORTENED) {
        if (widths().reduce((sum, width) => sum + 2 + width, widest) > WIDTH) {
            const n = columns.findIndex((column) => column.title === title);
            levels[n] = (levels[n] ?? 0) + 1;
        }
    }
    const found = widths();
    const line = (name: string, texts: readonly string[]) =>
        [name, ...texts.map((text, n) => pad(text, found[n] ?? 0))].join("  ").trimEnd();
    const titles = cells.some((row) => row !== undefined) ? columns.map(({ title }) => title) : [];
    return [
        line(titles.length === 0 ? "HOST" : pad("HOST", widest), titles),
        ...hosts.map(({ answer, verdict }, n) => {
            const name = paint(pad(names[n] ?? "", widest), verdict);
            const row = cells[n];
            return row === undefined ? `${name}  ${cut(absence(answer), WIDTH - widest - 2)}` : line(name, at(row));
        }),
    ];
}

/** Why a host has no cells. */
function absence(answer: JudgedHost["answer"]): string {
    if (answer === undefined) {
        return "never converged";
    }
    const [problem = ""] = "unanswered" in answer ? answer.unanswered.split("; ") : [];
    return `no answer: ${escaped(problem)}`;
}

function processCell(answer: Answer, haproxy: Haproxy | undefined): Cell {
    if (!answer.managesHaproxy) {
        return ["-"];
    }
    if (haproxy === undefined) {
        return [answer.haproxyProblem === undefined ? "stopped" : "not known"];
    }
    const [version = ""] = /^\d+(\.\d+)*(-dev\d+)?/.exec(haproxy.version) ?? [cut(escaped(haproxy.version), 20)];
    const { drift } = answer;
    const state = drift === undefined ? "" : drift.some(isOfProcess) ? OTHER : drift.some(isOfFiles) ? FILES : DECLARED;
    return [`${version} ${state}`.trimEnd()];
}

/** Which configuration HAProxy runs. It is not known without a check, nor if a file differs, because the process may have read either version. */
const [OTHER, FILES, DECLARED] = ["other configuration", "files differ", "as declared"];

function isInPair({ answer }: JudgedHost): boolean {
    return answer !== undefined && !("unanswered" in answer) && (answer.pair ?? answer.pairProblem) !== undefined;
}

/** What a host does in its pair, and which service addresses it has. */
function roleCell({ pair, pairProblem }: Answer): Cell {
    if (pair === undefined) {
        return [pairProblem === undefined ? "-" : "not known"];
    }
    const { role, outside, holds, addresses, mode, leads } = pair;
    const state =
        role === "FAULT" && outside !== undefined ? { standby: "standby", yield: "handed over" }[outside] : role;
    if (mode === "elastic") {
        return leads?.to === "own" ? [`${state}, elastic IP`, state] : [state];
    }
    if (holds === "none") {
        return [state];
    }
    const [first = "", ...more] = addresses.map(bare);
    const which = `${state}, ${holds === "some" ? "some of " : ""}`;
    return [
        `${which}${shown([first, ...more].join(", "))}`,
        `${which}${shown(first)}${more.length === 0 ? "" : ` +${more.length}`}`,
        state,
    ];
}

function driftCell({ drift, converging }: Answer): Cell {
    if (drift === undefined) {
        return [converging === undefined ? "not known" : "converging"];
    }
    const resources = new Set(drift.map(({ resource }) => resource)).size;
    return [resources === 0 ? "none" : resources === 1 ? "1 resource" : `${resources} resources`];
}

function serversCell(backends: readonly Backend[]): Cell {
    if (backends.length === 0) {
        return ["-"];
    }
    const counted = ({ name, up, servers }: Backend) => `${shown(name)} ${up}/${servers}`;
    const lacking = backends.filter(({ up, servers }) => up < servers);
    const full = backends.length - lacking.length;
    const others = full === 0 ? [] : [lacking.length === 0 ? allUp(full, "backend") : allUp(full, "other")];
    const total = (of: (backend: Backend) => number) => backends.reduce((sum, backend) => sum + of(backend), 0);
    return [
        backends.map(counted).join(", "),
        [...lacking.map(counted), ...others].join(", "),
        `${total(({ up }) => up)}/${total(({ servers }) => servers)} in ${backends.length}`,
    ];
}

/** The certificate that ends first. */
function certificateCell({ now }: Answer, haproxy: Haproxy | undefined): Cell {
    const [next] = [...(haproxy?.certificates ?? [])].sort((a, b) => a.ends - b.ends);
    if (next === undefined) {
        return ["-"];
    }
    const left = next.ends - now;
    const time = left <= 0 ? "ended" : roughly(left);
    return left < NAMED * DAY ? [`${time}, ${shown(next.name)}`, time] : [time];
}

function convergeCell({ now, lastConverge, converging }: Answer): Cell {
    if (converging !== undefined) {
        return [`now by ${shown(converging)}`, "now"];
    }
    if (lastConverge === undefined) {
        return ["not recorded"];
    }
    const { ended, by, result } = lastConverge;
    const when = `${result === "done" ? "" : "failed "}${roughly(now - ended)} ago`;
    return [`${when} by ${shown(by)}`, when];
}

/** What is to say about the hosts. Hosts about which the same is to say share it. */
function reasonLines(hosts: readonly JudgedHost[], paint: Paint): string[] {
    return LEVELS.flatMap((level) => {
        const found = new Map<string, string[]>();
        for (const { host, reasons } of hosts) {
            for (const words of reasonsOf(reasons.filter((reason) => reason.level === level))) {
                found.set(words, [...(found.get(words) ?? []), shown(host)]);
            }
        }
        return [...found].flatMap(([words, names]) => {
            const margin = "attention  ".length;
            const [first = "", ...more] = wrapped(`${some(names)}: ${words}`, WIDTH - margin);
            return [
                `${paint(level, level)}${" ".repeat(margin - level.length)}${first}`,
                ...more.map((line) => " ".repeat(margin) + line),
            ];
        });
    });
}

/** The first reasons, and how many more there are. */
function reasonsOf(reasons: readonly JudgedHost["reasons"][number][]): string[] {
    // The last one takes as much room as the number.
    const n = reasons.length > MOST_REASONS + 1 ? MOST_REASONS : reasons.length;
    const words = reasons
        .slice(0, n)
        .map(({ text, remedy }) => escaped(cut(remedy === "" ? text : `${text}; ${remedy}`, LONGEST_REASON)));
    const more = reasons.length - n;
    return more === 0 ? words : [...words, `${thousands(more)} more; --json has all of them`];
}

/** Breaks a text between its words; longer words stay whole. */
function wrapped(text: string, width: number): string[] {
    const lines: string[] = [];
    for (const word of text.split(" ")) {
        const last = lines.at(-1);
        if (last !== undefined && lengthOf(last) + 1 + lengthOf(word) <= width) {
            lines[lines.length - 1] = `${last} ${word}`;
        } else {
            lines.push(word);
        }
    }
    return lines;
}

/** The shortest of the first texts of a cell. */
function shortest(cell: Cell, level: number): string {
    return cell.slice(0, level + 1).reduce((best, text) => (lengthOf(text) < lengthOf(best) ? text : best));
}

/** A text for a cell. */
function shown(text: string): string {
    return cut(escaped(text), LONGEST);
}

/** `1 other up`, `12 others all up`. */
function allUp(n: number, noun: string): string {
    return n === 1 ? `1 ${noun} up` : `${n} ${noun}s all up`;
}

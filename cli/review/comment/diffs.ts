/** Which lines change, once for hosts on which they change alike. */
import { codeLines, names, type Phrase, phrase } from "../markdown";
import type { CommentSettings, StackReview } from "../types";
import type { HostFinding } from "./effects";
import { type Block, sizeOfDiff } from "./fit";

/** Lines of a diff that is shown open. */
const OPEN = 25;

/**
 * What differs on the hosts, as they have said; and for hosts that have not, what differs from the base. Hosts that have what is declared
 * already are among the latter.
 */
export function diffBlocks({ changes = [], previewed }: StackReview, { base }: CommentSettings): Block[] {
    const found = (previewed?.hosts ?? []).filter(
        ({ outcome, differences }) => (outcome === "differs" || outcome === "refused") && differences.length > 0,
    );
    const said = new Set(found.map(({ host }) => host));
    const changed = changes
        .filter(({ kind }) => kind === "changed")
        .flatMap(({ hosts, diffs }) =>
            diffs.map(({ name, lines }) => ({ name, lines, hosts: hosts.filter((host) => !said.has(host)) })),
        )
        .filter(({ hosts }) => hosts.length > 0);
    return [
        ...grouped(found, ({ drift, declared, differences }) => JSON.stringify([drift, declared, differences])).map(
            onHosts,
        ),
        ...grouped(changed, ({ name, lines }) => JSON.stringify([name, lines])).map((same) => {
            const lines = codeLines(same[0]?.lines ?? []);
            const hosts = names([...new Set(same.flatMap((one) => one.hosts))]);
            const than = previewed === undefined ? phrase`` : phrase`, compared with ${base}`;
            return diff(phrase`${same[0]?.name ?? ""}:${sizeOfDiff(lines)} on ${hosts}${than}`, lines);
        }),
    ];
}

function onHosts(same: readonly HostFinding[]): Block {
    const { differences = [] } = same[0] ?? {};
    const lines = codeLines(differences).map(dedented);
    const why = same[0]?.drift ? (same[0].declared ? phrase` (in part drift)` : phrase` (drift)`) : phrase``;
    const hosts = names(same.map(({ host }) => host));
    return diff(phrase`${subjects(differences)}:${sizeOfDiff(lines)} on ${hosts}${why}`, lines);
}

/** So that the signs of a diff are at the start of lines, where they are coloured. */
function dedented(line: string): string {
    return /^ {6}[ +@\\-]/.test(line) ? line.slice(6) : line.replace(/^ {2}(?=\S)|^ {2}(?= {2}\S)/, "");
}

/** The files that differ, or the resources. */
function subjects(differences: readonly string[]): Phrase {
    const all: string[] = [];
    let title = "";
    for (const line of differences) {
        title = /^ {2}(\S.*)$/.exec(line)?.[1] ?? title;
        const [, path] = /^ {4}(?:[a-z ,]+: )?(\/[^:]*): /.exec(line) ?? [];
        if (/^ {4}\S/.test(line)) {
            all.push(path ?? title);
        }
    }
    // A line about a file is followed by lines about the resource that has it.
    const files = all.filter((one) => one.startsWith("/"));
    return names([...new Set(files.length > 0 ? files : all.length > 0 ? all : [title || "host"])], 2);
}

function diff(title: Phrase, lines: readonly string[]): Block {
    return { isVital: false, title, lines, language: "diff", isFolded: lines.length > OPEN };
}

function grouped<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
    const groups = new Map<string, T[]>();
    for (const one of all) {
        const key = keyOf(one);
        groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    return [...groups.values()];
}

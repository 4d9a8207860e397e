import { createTwoFilesPatch } from "diff";
import type { Change, RenderedHost, Rendering } from "./types";

/** Lines around a difference. */
const CONTEXT = 3;

/** Limit for the added and removed lines of a diff. Its time grows with their square: about 0.3 s at the limit. */
const MOST_EDITS = 2000;

type Texts = Readonly<Record<string, string>>;
type Diff = Change["diffs"][number];

/** What differs between two commits: changed hosts first, then those that were added and removed. Independent of the hosts' order. */
export function compare(base: Rendering, head: Rendering): Change[] {
    const [before, after] = [byName(base.hosts), byName(head.hosts)];
    // Hosts of a fleet mostly differ alike.
    const known = new Map<string, readonly string[]>();
    const changed = new Map<string, Change>();
    for (const [name, host] of after) {
        const earlier = before.get(name);
        const diffs = earlier === undefined ? [] : diffsOf(earlier, host, known);
        if (earlier !== undefined && diffs.length > 0) {
            const effects = effectsOf(earlier, host, diffs);
            const key = JSON.stringify([diffs, effects]);
            const alike = changed.get(key)?.hosts ?? [];
            changed.set(key, { hosts: [...alike, host.name], kind: "changed", effects, diffs });
        }
    }
    return [...changed.values(), ...wholeHosts("added", after, before), ...wholeHosts("removed", before, after)];
}

/** Hosts by name, in the order of their names. Components of different types may share one. */
function byName(hosts: readonly RenderedHost[]): Map<string, RenderedHost> {
    const order = new Intl.Collator("en", { numeric: true });
    const sorted = [...hosts].sort((a, b) => order.compare(a.name, b.name) || inOrder(a.name, b.name));
    return new Map(sorted.map((host, n) => [`${host.name}${sorted[n - 1]?.name === host.name ? `\0${n}` : ""}`, host]));
}

function wholeHosts(
    kind: "added" | "removed",
    hosts: ReadonlyMap<string, RenderedHost>,
    others: ReadonlyMap<string, RenderedHost>,
): Change[] {
    const names = [...hosts].filter(([key]) => !others.has(key)).map(([, { name }]) => name);
    return names.length === 0 ? [] : [{ hosts: names, kind, effects: [], diffs: [] }];
}

function diffsOf(base: RenderedHost, head: RenderedHost, known: Map<string, readonly string[]>): Diff[] {
    const files = textDiffs(base.files, head.files, known);
    // Permissions of a file that comes or goes say nothing more.
    const whole = files.filter(({ name }) => Object.hasOwn(base.files, name) !== Object.hasOwn(head.files, name));
    const implied = new Set(whole.map(({ name }) => `file[${name}]`));
    const others = textDiffs(base.resources, head.resources, known).filter(({ name }) => !implied.has(name));
    return [...files, ...others];
}

function textDiffs(base: Texts, head: Texts, known: Map<string, readonly string[]>): Diff[] {
    const names = [...new Set([...Object.keys(base), ...Object.keys(head)])].sort(inOrder);
    return names.flatMap((name) => {
        const [before, after] = [own(base, name), own(head, name)];
        if (before === after) {
            return [];
        }
        const key = JSON.stringify([before, after]);
        const lines = known.get(key) ?? diffLines(before, after);
        known.set(key, lines);
        return [{ name, lines }];
    });
}

/** A unified diff without the names of the files. A text that is not there has no lines. */
function diffLines(before = "", after = ""): string[] {
    const options = { context: CONTEXT, maxEditLength: MOST_EDITS };
    const patch = createTwoFilesPatch("base", "head", before, after, "", "", options);
    if (patch === undefined) {
        return [`(more than ${MOST_EDITS} lines differ: too many to show)`];
    }
    const lines = patch.split("\n").slice(3, -1);
    return lines.length > 0 ? lines : ["(empty)"];
}

/** Effects of what differs, each once. What is no longer declared has those that it had. */
function effectsOf(base: RenderedHost, head: RenderedHost, diffs: readonly Diff[]): string[] {
    const effects = diffs.flatMap(({ name }) => {
        const { effects: declared } = [head.files, head.resources].some((texts) => Object.hasOwn(texts, name))
            ? head
            : base;
        return (own(declared, name) ?? "").split(", ").filter((effect) => effect !== "");
    });
    return [...new Set(effects)].sort(inOrder);
}

/** Names may be those of methods. */
function own(texts: Texts, name: string): string | undefined {
    return Object.hasOwn(texts, name) ? texts[name] : undefined;
}

/** The same everywhere, whatever the language of the machine is. */
function inOrder(a: string, b: string): number {
    return a < b ? -1 : a > b ? 1 : 0;
}

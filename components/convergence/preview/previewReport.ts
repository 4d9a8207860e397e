import { createTwoFilesPatch } from "diff";
import type { Plan } from "../payload/plan";
import { type Permitted, permissionsOf } from "../payload/resourceCalls";
import { type Content, label, printable, type Resource, unitPath } from "../resources";
import { showSlots } from "../slots";
import { hideValues, redactLive } from "./redaction";
import type { Difference, WhyRun } from "./whyRun";

/** Largest file whose lines are compared for people, in bytes; the host sends one byte more of a larger one. */
const LARGEST_DIFF = 262_144;

/** Lines that come or go in a diff for people. The time it takes grows with their square: some 0.3 s for these. */
const MOST_EDITS = 2000;

/** Longest new file that is shown on a host whose packages are missing too: there everything is new. */
const MOST_NEW_LINES = 40;

/** Longest line that is shown whole, in characters. */
const LONGEST_LINE = 400;

/** What people are told of a host that is not as declared. */
export interface Report {
    /** Several lines; empty where nothing differs. */
    text: string;
    /** Whether the host will not have what is declared. */
    refused: boolean;
}

/** Words a why-run: what would be repaired, the lines that would change, what that means for the daemon. */
export function describe(host: string, whyRun: WhyRun, plan: Plan, slots: Record<string, string>): Report {
    const groups = group(plan, whyRun);
    const unable = whyRun.refused.find(({ id }) => id === "-");
    if (groups.length === 0 && unable === undefined) {
        return { text: "", refused: false };
    }
    const refused = whyRun.refused.length > 0;
    const [headline, ...reason] = unable
        ? cannot(host, hideValues(unable.words, slots))
        : [
              refused
                  ? `${host} refuses the declared configuration; nothing was touched`
                  : `${host} differs in ${count(groups.length, "resource")}; an up would ${effect(whyRun)}`,
          ];
    const body = groups.flatMap(({ title, resource, ids }) => [
        `  ${title}`,
        ...whyRun.differences
            .filter((difference) => ids(difference))
            .flatMap((difference) => differenceLines(difference, resource, whyRun, slots)),
        ...whyRun.activations
            .filter((activation) => !refused && ids(activation))
            .map(({ kind, reason }) => `    ${kind === "none" ? "no reload" : kind}: ${reason}`),
        ...whyRun.unchecked
            .filter((judgement) => ids(judgement))
            .flatMap(({ id, stage, words }) => [
                `    could not be checked before these are repaired: ${earlier(id, whyRun, plan)}`,
                `    as the host is now, its ${stage} says:`,
                ...quoted(words, slots),
            ]),
        ...whyRun.refused
            .filter((judgement) => ids(judgement))
            .flatMap(({ stage, words }) => [`    refused at ${stage}:`, ...quoted(words, slots)]),
    ]);
    return { text: [headline, ...reason, ...body].map(shown).join("\n"), refused };
}

/** Why nothing at all can be done on a host. What it says of itself as a whole is the headline, what to do comes below. */
function cannot(host: string, words: string): [string, ...string[]] {
    const [, what, remedy] = /^this host (.+?)(?:\. (.+))?$/s.exec(words) ?? [];
    return what === undefined
        ? [`${host} cannot be converged; nothing was touched`, `  ${words}`]
        : [`${host} ${what}; nothing was touched`, ...(remedy ? [`  ${remedy}`] : [])];
}

/** What comes before a resource and differs, by name. */
function earlier(id: string, whyRun: WhyRun, plan: Plan): string {
    const position = (of: string) => Number(of.slice(1).split(".")[0]);
    return plan.resources
        .filter((_, n) => n < position(id) && whyRun.differences.some((difference) => position(difference.id) === n))
        .map(label)
        .join(", ");
}

function quoted(words: string, slots: Record<string, string>): string[] {
    return hideValues(words, slots)
        .split("\n")
        .map((line) => `      ${line}`);
}

interface Group {
    title: string;
    resource?: Resource;
    ids: (entry: { id: string }) => boolean;
}

/** The resources that have something to say, in run list order, then what has left the run list. */
function group(plan: Plan, whyRun: WhyRun): Group[] {
    const judgements = [...whyRun.refused, ...whyRun.unchecked].filter(({ id }) => id !== "-");
    const entries = [...whyRun.differences, ...judgements, ...whyRun.activations.filter((a) => a.kind !== "none")];
    const listed = plan.resources.flatMap((resource, position): Group[] => {
        const ids = ({ id }: { id: string }) => id.split(".")[0] === `r${position}`;
        return entries.some(ids) ? [{ title: label(resource), resource, ids }] : [];
    });
    const rest = entries.filter(({ id }) => id === "-");
    // Alone, a manifest that is not up to date is worth a word; beside real differences it is noise.
    const told =
        listed.length === 0 ? rest : rest.filter((entry) => !("aspect" in entry && entry.aspect === "manifest"));
    return told.length === 0 ? listed : [...listed, { title: "host", ids: ({ id }) => id === "-" }];
}

function effect(whyRun: WhyRun): string {
    const services = whyRun.differences.filter(
        ({ aspect, have }) => aspect === "outdated" && /^re(load|start)$/.test(have),
    );
    const kinds = [
        ...whyRun.activations.map(({ kind }) => kind).filter((kind) => kind !== "none"),
        ...services.map(({ have }) => have),
    ];
    return kinds.length === 0 ? "repair that, with no reload" : `repair that and ${[...new Set(kinds)].join(" and ")}`;
}

const WORDS: Record<string, (have: string) => string> = {
    missing: (have) => (have === "" ? "does not exist" : `${have} is not installed`),
    version: (have) => `other version installed: ${have}`,
    interrupted: (have) => `an installation was interrupted: ${have}`,
    content: () => "content differs (- on the host, + declared)",
    type: (have) => (have === "directory" ? "is a directory" : `is ${have}`),
    mode: (have) => `mode is ${octal(have)}`,
    owner: (have) => `owner is ${have}`,
    orphan: (have) => `undeclared entry ${have} would be removed`,
    present: () => "exists, would be removed",
    disabled: (have) => `is ${have}, would be enabled`,
    enabled: () => "is enabled, would be disabled",
    stopped: (have) => `is ${have || "stopped"}, would be started`,
    running: () => "runs, would be stopped",
    unread: () => "changed since systemd read it: it would be read again",
    shell: (have) => `shell is ${have}`,
    home: (have) => `home is ${have}`,
    group: (have) => `primary group is ${have}`,
    groups: (have) => have,
    gid: (have) => `gid is ${have}`,
    "to run": () => "would run",
    unfinished: () => "an earlier converge did not finish: it would be finished",
    "taken over": (have) => `is converged by ${have}: it would be taken over`,
    unlisted: (have) => `${have} has left the run list and would be undone`,
    manifest: () => "what is managed there is not recorded as declared: it would be recorded",
};

function differenceLines(
    difference: Difference,
    resource: Resource | undefined,
    whyRun: WhyRun,
    slots: Record<string, string>,
): string[] {
    const { id, aspect, have } = difference;
    const file = resource && fileOf(resource, id);
    const prefix = file && resource?.kind !== "file" ? `${file.path}: ` : "";
    const words = resource?.kind === "service" && aspect === "outdated" ? `has not read its files: would ${have}` : "";
    const outdated = aspect === "outdated" ? "the running process does not have these files" : "";
    const text = words || outdated || WORDS[aspect]?.(have) || `${aspect} ${have}`.trim();
    const wanted = declaredOf(difference, resource, file);
    const line = `    ${prefix}${hideValues(text, slots)}${wanted === undefined ? "" : `, declared ${wanted}`}`;
    if (file && aspect === "missing") {
        const lines = lineCount(file.content);
        return lines > MOST_NEW_LINES && isBare(whyRun)
            ? [`${line} (new, ${lines} lines)`]
            : [line, ...diffLines(Buffer.alloc(0), file, whyRun, slots)];
    }
    return aspect === "content" && file ? [line, ...diffLines(whyRun.live.get(id), file, whyRun, slots)] : [line];
}

/** What is declared instead of what the host has, where the aspect alone does not say so. */
function declaredOf(
    { aspect, have }: Difference,
    resource: Resource | undefined,
    file: DeclaredFile | undefined,
): string | undefined {
    const permitted = resource?.kind === "directory" ? resource : file;
    if (permitted) {
        const { mode, owner, group } = permissionsOf(permitted);
        return { mode, owner: `${owner}:${group}` }[aspect];
    }
    switch (resource?.kind) {
        case "packages":
            return aspect === "version"
                ? resource.names.map((name) => name.split("=")).find(([name]) => name === have.split(" ")[0])?.[1]
                : undefined;
        case "group":
            return aspect === "gid" ? String(resource.gid) : undefined;
        case "user":
            return { shell: resource.shell, home: resource.home, group: resource.group }[aspect];
        default:
            return undefined;
    }
}

/** Whether packages are missing, as before the first converge. */
function isBare({ differences }: WhyRun): boolean {
    return differences.some(({ aspect, have }) => aspect === "missing" && have !== "");
}

function lineCount(content: Content): number {
    return typeof content === "string" ? content.replace(/\n$/, "").split("\n").length : 0;
}

type DeclaredFile = Permitted & { path: string; content: Content };

function fileOf(resource: Resource, id: string): DeclaredFile | undefined {
    switch (resource.kind) {
        case "file":
            return resource;
        case "systemdUnit":
            return { path: unitPath(resource), content: resource.content };
        case "transaction":
            return resource.files[Number(id.split(".")[1]) - 1];
        default:
            return undefined;
    }
}

/** From what is live on the host, which is empty for a new file, to what is declared, secrets by name. */
function diffLines(
    live: Buffer | undefined,
    { path, content }: DeclaredFile,
    whyRun: WhyRun,
    slots: Record<string, string>,
): string[] {
    if (live === undefined || typeof content !== "string" || live.includes(0)) {
        return ["      (not text: its lines are not shown)"];
    }
    if (live.length > LARGEST_DIFF || content.length > LARGEST_DIFF) {
        return ["      (too large: its lines are not shown)"];
    }
    const remembered = whyRun.secretLines.filter((line) => line.path === path).map(({ prefix }) => prefix);
    const redacted = redactLive(sameDigest(live.toString("utf8"), content), content, remembered, slots);
    if (redacted === undefined) {
        return ["      (it holds secrets: its lines are not shown)"];
    }
    const options = { context: 2, maxEditLength: MOST_EDITS };
    const patch = createTwoFilesPatch("live", "declared", redacted, showSlots(content), "", "", options);
    if (patch === undefined) {
        return [`      (more than ${MOST_EDITS} lines come or go: too many to show)`];
    }
    // Where a text begins from nothing, its one hunk needs no place.
    const lines = patch.split("\n").slice(live.length > 0 ? 3 : 4, -1);
    return (lines.length > 0 || content === "" ? lines : ["(only in what is not shown)"]).map(
        (line) => `      ${line}`,
    );
}

/** The digest changes with every line and tells people nothing: the live one is shown as its slot too. */
function sameDigest(live: string, declared: string): string {
    const line = declared.split("\n").find((candidate) => candidate.includes("\0slot:digest\0"));
    if (line === undefined) {
        return live;
    }
    const [before = "", after = ""] = line.split("\0slot:digest\0");
    return live
        .split("\n")
        .map((candidate) =>
            candidate.startsWith(before) &&
            candidate.endsWith(after) &&
            candidate.length >= before.length + after.length
                ? showSlots(line)
                : candidate,
        )
        .join("\n");
}

/** From the hex of stat to permission bits as people write them. */
function octal(hex: string): string {
    return (Number.parseInt(hex, 16) & 0o7777).toString(8).padStart(4, "0");
}

/** Live files and daemons may have anything to say: nothing of theirs moves a terminal, no line is endless. */
function shown(line: string): string {
    return printable(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
}

function count(n: number, noun: string): string {
    return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

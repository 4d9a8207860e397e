import { filesOf, kindOf, label, type Resource } from "../kinds/index";
import type { DeclaredFile, Wording } from "../kinds/kind";
import { permissionsOf } from "../kinds/paths";
import { encodedSlots } from "../payload/fileContents";
import type { Plan } from "../payload/plan";
import { count, printable, unique } from "../text";
import { diffLines, lineCount } from "./fileDiff";
import { hideValues } from "./redaction";
import { refusedLines } from "./refusedLines";
import type { Difference, WhyRun } from "./whyRun";

/** Longest new file that is shown if packages are missing too, because on such a host everything is new. */
const MOST_NEW_LINES = 40;

/** Longest line that is shown whole, in characters. */
const LONGEST_LINE = 400;

/** A preview's report about one host. */
export interface Report {
    /** The headline and all lines; empty if nothing differs. */
    text: string;
    /** Whether the host refuses what is declared. */
    refused: boolean;
    /** The refusal, without the host's name, so that hosts can be compared. */
    refusal: string[];
    /** The differences, without the host's name. */
    differences: string[];
}

/** Turns a why-run into text: what differs, the lines that would change, what that means for the daemon, and what the host refuses. */
export function previewReport(host: string, whyRun: WhyRun, plan: Plan, given: Record<string, string>): Report {
    const slots = encodedSlots(plan.resources, given);
    const refused = whyRun.refused.length > 0;
    const groups = groupByResource(plan, whyRun);
    const body = groups.flatMap((group) => differencesOf(group, whyRun, plan, slots));
    const differences = body.map(shown);
    if (refused) {
        const refusal = refusalsOf(plan, whyRun, slots).map(shown);
        return { text: refusalText([{ host, refusal, differences }]), refused, refusal, differences };
    }
    const headline = `${host} differs in ${count(groups.length, "resource")}; an up would ${effect(whyRun)}`;
    const text = groups.length === 0 ? "" : [shown(headline), ...differences].join("\n");
    return { text, refused, refusal: [], differences };
}

/** A host that refuses what is declared. */
export type RefusingHost = { host: string } & Pick<Report, "refusal" | "differences">;

/** The text of an equal refusal of one or more hosts, followed by what differs on each. */
export function refusalText(hosts: RefusingHost[]): string {
    const refusal = hosts[0]?.refusal ?? [];
    const bodies = unique(hosts.map(({ differences }) => differences.join("\n"))).filter((body) => body !== "");
    const differing = bodies.flatMap((body) => {
        const same = hosts.filter(({ differences }) => differences.join("\n") === body);
        return [`  differences on ${hostNames(same)}:`, ...body.split("\n").map((line) => `  ${line}`)];
    });
    return [...headline(hosts, refusal), ...differing].join("\n");
}

/** The names of the hosts, separated by commas. */
export function hostNames(hosts: { host: string }[]): string {
    return hosts.map(({ host }) => host).join(", ");
}

/** If a single host cannot be converged at all, its reason becomes the headline, with the remedy below. */
function headline(hosts: RefusingHost[], refusal: string[]): string[] {
    const [, problem, remedy] = /^ {2}this host (.+?)(?:\. (.+))?$/.exec(refusal[0] ?? "") ?? [];
    if (hosts.length === 1 && problem !== undefined) {
        return [`${hostNames(hosts)} ${problem}; nothing was touched`, ...(remedy ? [`  ${remedy}`] : [])];
    }
    const verb = /^ {2}\w+\[/.test(refusal[0] ?? "")
        ? `refuse${hosts.length === 1 ? "s" : ""} the declared configuration`
        : "cannot be converged";
    return [`${hostNames(hosts)} ${verb}; nothing was touched`, ...refusal];
}

/** Refusals by resource, in the order of the run list; a refusal of the whole host is shown alone. */
function refusalsOf(plan: Plan, whyRun: WhyRun, slots: Record<string, string>): string[] {
    const all = whyRun.refused.find(({ id }) => id === "-");
    if (all !== undefined) {
        return [`  ${hideValues(all.words, slots)}`];
    }
    const files = plan.resources.flatMap(filesOf);
    return plan.resources.flatMap((resource, position) => {
        const judgements = whyRun.refused.filter((judgement) => positionOf(judgement) === position);
        return judgements.length === 0
            ? []
            : [
                  `  ${label(resource)}`,
                  ...judgements.flatMap(({ stage, words }) => [
                      `    refused at ${stage}:`,
                      ...refusedLines(words, files, slots).map((line) => `      ${line}`),
                  ]),
              ];
    });
}

/** The lines of a report about one resource, or about the host as a whole. */
interface Group {
    title: string;
    resource?: Resource;
    has: (entry: { id: string }) => boolean;
}

/** The resources that differ, in the order of the run list, then what has left the run list. */
function groupByResource(plan: Plan, whyRun: WhyRun): Group[] {
    const entries = [
        ...whyRun.differences,
        ...whyRun.unchecked,
        ...whyRun.activations.filter(({ kind }) => kind !== "none" && whyRun.refused.length === 0),
    ];
    const resources = plan.resources.flatMap((resource, position): Group[] => {
        const has = (entry: { id: string }) => positionOf(entry) === position;
        return entries.some(has) ? [{ title: label(resource), resource, has }] : [];
    });
    const ofHost = entries.filter(({ id }) => id === "-");
    // An outdated manifest is worth mentioning only if nothing else differs.
    const shownOfHost =
        resources.length === 0 ? ofHost : ofHost.filter((entry) => !("aspect" in entry && entry.aspect === "manifest"));
    return shownOfHost.length === 0 ? resources : [...resources, { title: "host", has: ({ id }) => id === "-" }];
}

/** The resource's position in the plan; NaN for the host as a whole. */
function positionOf({ id }: { id: string }): number {
    return Number(id.slice(1).split(".")[0] || Number.NaN);
}

function differencesOf(
    { title, resource, has }: Group,
    whyRun: WhyRun,
    plan: Plan,
    slots: Record<string, string>,
): string[] {
    const files = plan.resources.flatMap(filesOf);
    return [
        `  ${title}`,
        ...whyRun.differences.filter(has).flatMap((difference) => differenceLines(difference, resource, whyRun, slots)),
        ...whyRun.activations
            .filter((activation) => has(activation) && whyRun.refused.length === 0)
            .map(({ kind, reason }) => `    ${kind === "none" ? "no reload" : kind}: ${reason}`),
        ...whyRun.unchecked
            .filter(has)
            .flatMap(({ id, stage, words }) => [
                `    cannot be checked until these are repaired: ${differingBefore(id, whyRun, plan)}`,
                `    on the host as it is now, ${stage} says:`,
                ...refusedLines(words, files, slots).map((line) => `      ${line}`),
            ]),
    ];
}

/** The resources that differ and come before a resource. */
function differingBefore(id: string, whyRun: WhyRun, plan: Plan): string {
    const differing = new Set(whyRun.differences.map(positionOf));
    return plan.resources
        .filter((_, position) => position < positionOf({ id }) && differing.has(position))
        .map(label)
        .join(", ");
}

function effect(whyRun: WhyRun): string {
    const services = whyRun.differences.filter(
        ({ aspect, have }) => aspect === "outdated" && /^re(load|start)$/.test(have),
    );
    const activations = [
        ...whyRun.activations.map(({ kind }) => kind).filter((kind) => kind !== "none"),
        ...services.map(({ have }) => have),
    ];
    return activations.length === 0
        ? "repair that, with no reload"
        : `repair that and ${unique(activations).join(" and ")}`;
}

/** Aspects of the host as a whole. */
const HOST_WORDING: Wording = {
    "taken over": (have) => `is converged by ${have}, would be taken over`,
    unlisted: (have) => `${have} has left the run list, would be undone`,
    manifest: () => "the list of managed files is out of date, would be rewritten",
};

function differenceLines(
    difference: Difference,
    resource: Resource | undefined,
    whyRun: WhyRun,
    slots: Record<string, string>,
): string[] {
    const { id, aspect, have } = difference;
    const kind = resource && kindOf(resource);
    const file = resource && fileOf(resource, id);
    const prefix = file && file.path !== kind?.nameOf(resource) ? `${file.path}: ` : "";
    const text = (kind?.wording ?? HOST_WORDING)[aspect]?.(have) ?? `${aspect} ${have}`.trim();
    const declared = file ? declaredPermissions(file, aspect) : resource && kind?.declared?.(resource, aspect, have);
    const line = `    ${prefix}${hideValues(text, slots)}${declared === undefined ? "" : `, declared ${declared}`}`;
    if (file && aspect === "missing") {
        const lines = lineCount(file.content);
        return lines > MOST_NEW_LINES && lacksPackages(whyRun)
            ? [`${line} (new, ${lines} lines)`]
            : [line, ...indented(diffLines(Buffer.alloc(0), file, whyRun, slots))];
    }
    return file && aspect === "content"
        ? [line, ...indented(diffLines(whyRun.live.get(id), file, whyRun, slots))]
        : [line];
}

function indented(lines: string[]): string[] {
    return lines.map((line) => `      ${line}`);
}

/** The file that an id is about: `r3.1` is the first of several, `r3` the only one of a resource. */
function fileOf(resource: Resource, id: string): DeclaredFile | undefined {
    const [, number] = id.split(".");
    const files = filesOf(resource);
    return kindOf(resource).filesTogether ? files[Number(number) - 1] : files[0];
}

function declaredPermissions(file: DeclaredFile, aspect: string): string | undefined {
    const { mode, owner, group } = permissionsOf(file);
    return { mode, owner: `${owner}:${group}` }[aspect];
}

/** Whether packages are missing, as before the first converge. */
function lacksPackages({ differences }: WhyRun): boolean {
    return differences.some(({ aspect, have }) => aspect === "missing" && have !== "");
}

/** Makes text from a host safe to show: without control characters, and not longer than a line should be. */
function shown(line: string): string {
    return printable(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
}

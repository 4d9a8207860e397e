import { filesOf, kindOf, label, type Resource } from "../kinds/index";
import type { DeclaredFile, Wording } from "../kinds/kind";
import { permissionsOf } from "../kinds/paths";
import { encodedSlots } from "../payload/fileContents";
import type { Plan } from "../payload/plan";
import { hideValues } from "../secrets";
import { count, duration, printable, unique } from "../text";
import { type Cause, causes, fileOf, isFirst, type Origin, originOf, positionOf, together } from "./cause";
import { diffLines } from "./fileDiff";
import { refusedLines } from "./refusedLines";
import { shortageTable } from "./shortages";
import { mayDiffer, notValidated } from "./unknownValues";
import type { Difference, Longest, WhyRun } from "./whyRun";

/** Longest line that is shown whole, in characters. */
const LONGEST_LINE = 400;

/** A preview's report about one host, without its name, so that hosts can be compared. */
export interface Report extends Origin {
    /** `none` if nothing is due; `info` if only what was declared has changed, `warning` if the host has. */
    severity: "none" | "info" | "warning" | "refusal";
    /** How many resources differ, and why; empty if none does. */
    summary: string;
    /** What an up means for the daemon: `reload`, or `may reload` if that depends on a value not known yet; empty if nothing. */
    effect: string;
    /** What the host refuses. */
    refusal: string[];
    /** What differs. */
    differences: string[];
}

/** What the text of a report is made of, with the name of its host. */
export type HostReport = Omit<Report, keyof Origin> & { host: string };

/** A why-run with everything that its report is made of. */
interface Answer {
    whyRun: WhyRun;
    plan: Plan;
    /** With encodings. */
    slots: Record<string, string>;
    unknown: readonly string[];
    causeOf: (difference: Difference) => Cause | undefined;
    /** Whether an up may find that a difference is none. */
    isOpen: (difference: Difference) => boolean;
}

/**
 * Turns a why-run into text: what differs and why, the lines that would change, what that means for the daemon, and what the host
 * refuses.
 *
 * @param unknown names of slots whose values only an up knows
 */
export function previewReport(
    whyRun: WhyRun,
    plan: Plan,
    given: Record<string, string>,
    unknown: readonly string[] = [],
): Report {
    const slots = encodedSlots(plan.resources, given);
    const open = new Set(whyRun.differences.filter((one) => mayDiffer(one, whyRun, plan, slots, unknown)));
    const isOpen = (difference: Difference) => open.has(difference);
    const known = causes(whyRun, plan, slots, unknown);
    const causeOf = (difference: Difference) => {
        const cause = known(difference);
        return cause === "declared" && isOpen(difference) ? "unknown" : cause;
    };
    const answer = { whyRun, plan, slots, unknown, causeOf, isOpen };
    const groups = groupByResource(plan, whyRun);
    const differences = groups.flatMap((group) => differencesOf(group, answer)).map(shown);
    const origin = originOf(whyRun, causeOf, isOpen);
    if (whyRun.refused.length > 0) {
        const table = shortageTable(whyRun, slots).map((line) => `    ${line}`);
        const refusal = [...refusalsOf(answer), ...table].map(shown);
        return { severity: "refusal", summary: "", effect: "", refusal, differences, ...origin };
    }
    const found = groups.map(({ has }) => {
        const all = whyRun.differences.filter(has).flatMap((difference) => causeOf(difference) ?? []);
        return all.length === 0 ? undefined : together(all);
    });
    const wanted = isFirst(whyRun) || found.every((cause) => cause === "declared" || cause === "unknown");
    return {
        severity: groups.length === 0 && whyRun.token !== "" ? "none" : wanted ? "info" : "warning",
        summary: groups.length === 0 ? "" : summaryOf(found, whyRun),
        effect: shown(effectOf(answer)),
        refusal: [],
        differences,
        ...origin,
    };
}

const CAUSES: Record<Cause, string> = {
    declared: "declared anew",
    drift: "drift",
    both: "declared anew, and changed on the host since the last converge",
    unknown: "known after up",
};

/** `2 resources: 1 declared anew, 1 drift`; without causes if the host remembers nothing of its last converge. */
function summaryOf(found: (Cause | undefined)[], whyRun: WhyRun): string {
    const resources = count(found.length, "resource");
    const numbers = (["declared", "drift", "both", "unknown"] as const)
        .map((cause) => ({
            words: cause === "both" ? "both" : CAUSES[cause],
            n: found.filter((one) => one === cause).length,
        }))
        .filter(({ n }) => n > 0);
    if (numbers.length === 0) {
        return isFirst(whyRun) ? `${resources}, before the first converge` : resources;
    }
    const only = numbers.length === 1 && numbers[0]?.n === found.length ? found[0] : undefined;
    return `${resources}: ${only ? CAUSES[only] : numbers.map(({ words, n }) => `${n} ${words}`).join(", ")}`;
}

/** The text of the report of one or more hosts that differ in the same way; empty if nothing differs. */
export function differenceText(hosts: HostReport[]): string {
    const [first] = hosts;
    if (first === undefined || first.severity === "none") {
        return "";
    }
    if (first.summary === "") {
        const have = hosts.length === 1 ? "has" : "have";
        return `${hostNames(hosts)} ${have} no record of a converge; an up would only write it`;
    }
    const [differ, them] = hosts.length === 1 ? ["differs", "it"] : ["differ", "them"];
    const effect = first.effect === "" ? ", with no reload" : ` and ${first.effect}`;
    const headline = `${hostNames(hosts)} ${differ} in ${first.summary}; an up would converge ${them}${effect}`;
    return [headline, ...first.differences].join("\n");
}

/** What one or more hosts did in an up, from their equal reports. */
export function convergedText(hosts: { host: string; did: string }[]): string {
    const lines = hosts[0]?.did.trim().split("\n") ?? [];
    const resources = lines.map((line) => `\n  ${line.replace(/^changed: /, "")}`);
    return `${hostNames(hosts)}: ${lines.length === 1 ? lines[0] : `changed:${resources.join("")}`}`;
}

/** The text of an equal refusal of one or more hosts, followed by what differs on each. */
export function refusalText(hosts: Pick<HostReport, "host" | "refusal" | "differences">[]): string {
    const refusal = hosts[0]?.refusal ?? [];
    const bodies = unique(hosts.map(({ differences }) => differences.join("\n"))).filter((body) => body !== "");
    const differing = bodies.flatMap((body) => {
        const same = hosts.filter(({ differences }) => differences.join("\n") === body);
        return [`  differences on ${hostNames(same)}:`, ...body.split("\n").map((line) => `  ${line}`)];
    });
    return [...headline(hosts, refusal), ...differing].join("\n");
}

/** The text of equal issues in the values of one or more hosts. */
export function issuesText(hosts: { host: string; issues: readonly string[] }[]): string {
    const issues = hosts[0]?.issues ?? [];
    return [`${hostNames(hosts)}:`, ...issues].join(issues.length === 1 ? " " : "\n  ");
}

/** The text about one or more hosts that could not be asked; a warning if they may be away. */
export function unaskedText(hosts: { host: string; message: string; mayBeAway: boolean }[]): string {
    const [first] = hosts;
    const verb = first?.mayBeAway ? " could not be asked what differs" : "";
    return `${hostNames(hosts)}${verb}: ${first?.message}`;
}

/** The text about a setting that is meant for one up and set for these hosts; empty if one of them still needs it. */
export function settingText(hosts: { host: string; name: string; needed: boolean }[]): string {
    const [first] = hosts;
    if (first === undefined || hosts.some(({ needed }) => needed)) {
        return "";
    }
    const verb = hosts.length === 1 ? "does" : "do";
    const remedy = `npm run pulumi -- config rm ${first.name} (in a program of your own, the argument ${first.name})`;
    return `${first.name} is set, but ${hostNames(hosts)} ${verb} not need it; remove it: ${remedy}`;
}

/** The names of the hosts, separated by commas. */
export function hostNames(hosts: { host: string }[]): string {
    return hosts.map(({ host }) => host).join(", ");
}

/** If a single host cannot be converged at all, its reason becomes the headline, with the remedy below. */
function headline(hosts: { host: string }[], refusal: string[]): string[] {
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
function refusalsOf({ plan, whyRun, slots, unknown }: Answer): string[] {
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
                      ...refusedLines(words, files, slots, unknown).map((line) => `      ${line}`),
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

function differencesOf({ title, resource, has }: Group, answer: Answer): string[] {
    const { whyRun, plan, slots, unknown } = answer;
    const files = plan.resources.flatMap(filesOf);
    const may = mayBeNone(has, answer);
    return [
        `  ${title}`,
        ...whyRun.differences.filter(has).flatMap((difference) => differenceLines(difference, resource, answer)),
        ...notValidated(resource, unknown),
        ...whyRun.activations
            .filter((activation) => has(activation) && whyRun.refused.length === 0)
            .flatMap(({ id, kind, reason }) => [
                `    ${kind === "none" ? "no reload" : may ? mayBe(kind) : kind}: ${reason}`,
                // Without an activation, an up may still have to judge an earlier one.
                ...whyRun.longest.filter((one) => one.id === id && (kind !== "none" || one.gate > 0)).map(longestLine),
            ]),
        ...whyRun.unchecked
            .filter(has)
            .flatMap(({ id, stage, words }) => [
                ...(stage === "download"
                    ? ["    not checked with the new package, an up checks it before it changes anything:"]
                    : [
                          `    cannot be checked until these are repaired: ${differingBefore(id, whyRun, plan)}`,
                          `    on the host as it is now, ${stage} says:`,
                      ]),
                ...refusedLines(words, files, slots, unknown).map((line) => `      ${line}`),
            ]),
    ];
}

/**
 * How long an activation may wait, and when the converge ends. There is no sum, because steps between the waits, such as packages and
 * the proof, have no limit of their own.
 */
function longestLine({ drain, gate, bake, deadline }: Longest): string {
    const waits = [
        ...(drain > 0 ? [`drain up to ${duration(drain)}`] : []),
        ...(gate > 0 ? [`gate up to ${duration(gate)}`] : []),
        ...(bake > 0 ? [`bake ${duration(bake)}`] : []),
    ];
    const end = `ends after ${duration(deadline)} at the latest`;
    return `    ${waits.length === 0 ? end : `waits: ${waits.join(", ")}; ${end}`}`;
}

/** The resources that differ and come before a resource. */
function differingBefore(id: string, whyRun: WhyRun, plan: Plan): string {
    const differing = new Set(whyRun.differences.map(positionOf));
    return plan.resources
        .filter((_, position) => position < positionOf({ id }) && differing.has(position))
        .map(label)
        .join(", ");
}

/** What an up would do with the daemon. */
function effectOf(answer: Answer): string {
    const { whyRun, isOpen } = answer;
    const services = whyRun.differences.filter(
        ({ aspect, have }) => aspect === "outdated" && /^re(load|start)$/.test(have),
    );
    const activations = whyRun.activations.filter(({ kind }) => kind !== "none");
    const all = [
        ...activations.map((activation) => {
            const isOf = (entry: { id: string }) => positionOf(entry) === positionOf(activation);
            return mayBeNone(isOf, answer) ? mayBe(activation.kind) : activation.kind;
        }),
        ...services.map((difference) => (isOpen(difference) ? mayBe(difference.have) : difference.have)),
    ];
    return unique(all)
        .filter((effect, _, effects) => !effects.some((other) => other !== effect && mayBe(other) === effect))
        .join(" and ");
}

/** Whether an up may find that none of a resource's differences is one. */
function mayBeNone(has: Group["has"], { whyRun, isOpen }: Answer): boolean {
    const all = whyRun.differences.filter(has);
    return all.length > 0 && all.every(isOpen);
}

/** An activation that may turn out not to be needed; a daemon that does not run is started in any case. */
function mayBe(activation: string): string {
    return activation === "start" ? activation : `may ${activation}`;
}

/** Aspects of the host as a whole. */
const HOST_WORDING: Wording = {
    owner: (have) => `owner: recorded as ${have}`,
    "taken over": (have) => `is converged by ${have}, would be taken over`,
    unlisted: (have) => `${have} has left the run list, would be undone`,
    "unlisted restart": (have) => `${have} has left the run list, would be restarted`,
    "unlisted stop": (have) => `${have} has left the run list, would be stopped and disabled`,
    manifest: () => "the list of managed files is out of date, would be rewritten",
    unconfirmed: () => "the last change of the firewall was not confirmed by a new login",
    unfinished: () => "the last converge was ended while it wrote its records, would be finished",
};

function differenceLines(difference: Difference, resource: Resource | undefined, answer: Answer): string[] {
    const { whyRun, slots, unknown, causeOf, isOpen } = answer;
    const { id, aspect, have } = difference;
    const cause = causeOf(difference);
    const kind = resource && kindOf(resource);
    const file = resource && fileOf(resource, id);
    const prefix = file && file.path !== kind?.nameOf(resource) ? `${file.path}: ` : "";
    const said = (kind?.wording ?? HOST_WORDING)[aspect]?.(have) ?? `${aspect} ${have}`.trim();
    const text = isOpen(difference) ? said.replace("content differs", "content may differ") : said;
    const declared = file ? declaredPermissions(file, aspect) : resource && kind?.declared?.(resource, aspect, have);
    const line = `    ${cause === undefined ? "" : `${CAUSES[cause]}: `}${prefix}${hideValues(text, slots)}${declared === undefined ? "" : `, declared ${declared}`}`;
    const live = aspect === "missing" ? Buffer.alloc(0) : whyRun.live.get(id);
    return file && (aspect === "content" || (aspect === "missing" && !file.program))
        ? [line, ...indented(diffLines(live, file, whyRun, slots, unknown))]
        : [line];
}

function indented(lines: string[]): string[] {
    return lines.map((line) => `      ${line}`);
}

function declaredPermissions(file: DeclaredFile, aspect: string): string | undefined {
    const { mode, owner, group } = permissionsOf(file);
    return { mode, owner: `${owner}:${group}` }[aspect];
}

/** Makes text from a host safe to show: without control characters, and not longer than a line should be. */
function shown(line: string): string {
    return printable(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
}

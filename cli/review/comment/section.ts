/** What a reviewer needs to know of one stack, the worst first. */
import { codeLines, counted, joined, names, type Phrase, phrase, strong } from "../markdown";
import type { CommentSettings, StackReview } from "../types";
import { certificateBlocks } from "./certificates";
import { diffBlocks } from "./diffs";
import { activationsOf, type HostFinding } from "./effects";
import type { Block } from "./fit";
import { isEnding, stepLine, stepsOf } from "./steps";
import { daemonOf, driftedOf } from "./table";

/** A list of this length is shown open. */
const SHORT = 10;

/** Hosts that are named with a warning; of more, the first one is. */
const MOST_HOSTS = 4;

/** Values that are named because they were not compared. */
const MOST_VALUES = 8;

/** Characters of a reason that is a part of a sentence. */
const LONGEST_REASON = 80;

export function blocksOf(review: StackReview, settings: CommentSettings): Block[] {
    const { rendering, previewed } = review;
    const { expired, soon } = certificateBlocks(review, settings.now);
    const steps = stepsOf(review);
    const others = steps.filter((step) => !isEnding(step)).map(stepLine);
    return [
        ...expired,
        ...refusals(review),
        ...list("⚠️ `pulumi up` would delete or replace resources:", steps.filter(isEnding).map(stepLine)),
        ...restarts(review),
        ...drift(review),
        ...soon,
        ...notAsked(review),
        ...notCompared(review, settings),
        ...hidden(review),
        ...diffBlocks(review, settings),
        ...addedAndRemoved(review),
        ...(others.length > 0
            ? [
                  {
                      isVital: false,
                      title: phrase`Other resources: ${counted(others.length, "step")}`,
                      lines: others,
                      isFolded: others.length > SHORT,
                  },
              ]
            : []),
        ...warnings([...rendering.warnings, ...hostWarnings(previewed?.hosts ?? []), ...(previewed?.warnings ?? [])]),
    ];
}

/** What fails, and the words with which it does. Never folded. */
function refusals({ rendering, previewed }: StackReview): Block[] {
    const { errors, checks } = rendering;
    const hosts = previewed?.hosts ?? [];
    const programs = errors.length > 0 ? errors : checks.flatMap((one) => (one.result === "errors" ? one.details : []));
    const refused = checks.filter(({ result }) => result === "refused");
    return [
        ...(programs.length > 0
            ? [words(phrase`❌ The program fails, so it declares nothing for any host:`, programs)]
            : []),
        ...refused.map(({ hosts: some, remark, details }) =>
            words(phrase`❌ ${daemonOf(remark)} refuses the configuration of ${names(some)}:`, details),
        ),
        ...(previewed !== undefined && previewed.errors.length > 0
            ? [words(phrase`❌ The preview fails:`, previewed.errors)]
            : []),
        ...byReason(hosts, "failed", (some) => phrase`❌ What is declared for ${some} is wrong:`),
        ...byReason(
            hosts,
            "refused",
            (some) => phrase`❌ Refused by ${some}, so that \`pulumi up\` would fail and change nothing there:`,
        ),
        ...byReason(
            hosts,
            "unasked",
            (some) => phrase`❌ Could not ask ${some}, so what would happen there is not known:`,
        ),
    ];
}

/** Hosts with equal reasons share one block. */
function byReason(
    hosts: readonly HostFinding[],
    outcome: HostFinding["outcome"],
    title: (hosts: Phrase) => Phrase,
): Block[] {
    const some = hosts.filter((one) => one.outcome === outcome);
    const reasons = [...new Set(some.map(({ reason }) => reason.join("\n")))];
    return reasons.map((reason) => {
        const same = some.filter((one) => one.reason.join("\n") === reason);
        return words(title(names(same.map(({ host }) => host))), reason === "" ? [] : [reason]);
    });
}

function words(title: Phrase, texts: readonly string[]): Block {
    return { isVital: true, title: strong(title), lines: dedented(codeLines(texts)), language: "text" };
}

/** Without the indentation that all lines share. */
function dedented(lines: readonly string[]): string[] {
    const depths = lines.filter((line) => line.trim() !== "").map((line) => /^ */.exec(line)?.[0].length ?? 0);
    const depth = depths.reduce((least, one) => Math.min(least, one), Number.MAX_SAFE_INTEGER);
    return lines.map((line) => line.slice(Math.min(depth, line.length)));
}

function list(title: string, lines: readonly string[]): Block[] {
    const words = strong({ markdown: title, html: title });
    return lines.length === 0 ? [] : [{ isVital: true, title: words, lines }];
}

/** Why HAProxy would be restarted: its connections are lost. */
function restarts({ previewed }: StackReview): Block[] {
    const found = (previewed?.hosts ?? [])
        .filter(({ outcome }) => outcome === "differs")
        .map((finding) => ({ host: finding.host, ...activationsOf(finding) }))
        .filter(({ daemon }) => daemon.includes("restart"));
    const reasons = [...new Set(found.map((one) => one.reasons.join("; ")))];
    return reasons.map((reason) => {
        const hosts = names(found.filter((one) => one.reasons.join("; ") === reason).map(({ host }) => host));
        const why = reason === "" ? phrase`` : phrase` Why: ${reason}`;
        return note(
            phrase`${strong(phrase`⚠️ A restart of HAProxy on ${hosts} loses the connections that it has.`)}${why}`,
        );
    });
}

function drift(review: StackReview): Block[] {
    const drifted = driftedOf(review);
    if (drifted.length === 0) {
        return [];
    }
    const what = strong(phrase`⚠️ Drift on ${names(drifted)}: changed since the last \`pulumi up\`, by something else.`);
    return [note(phrase`${what} The next \`pulumi up\` undoes that. If it is to stay, declare it first.`)];
}

/** Hosts about which a preview says nothing, and those that are as declared already. */
function notAsked({ previewed, changes = [] }: StackReview): Block[] {
    const hosts = previewed?.hosts ?? [];
    const later = hosts.filter(({ outcome }) => outcome === "later").map(({ host }) => host);
    const changed = new Set(changes.filter(({ kind }) => kind !== "removed").flatMap((change) => change.hosts));
    const done = hosts
        .filter(({ outcome, host }) => outcome === "unchanged" && changed.has(host))
        .map(({ host }) => host);
    return [
        ...(later.length > 0
            ? [
                  note(
                      phrase`Not asked: ${names(later)}. The address is known only after \`pulumi up\`, or previews are set to ask no host.`,
                  ),
              ]
            : []),
        ...(done.length > 0 ? [note(phrase`What this change declares is already so on ${names(done)}.`)] : []),
    ];
}

function notCompared({ changes, noBase, previewed, rendering }: StackReview, { base }: CommentSettings): Block[] {
    if (changes === undefined) {
        const reason = noBase ?? "not known why";
        return rendering.errors.length > 0
            ? []
            : reason.length <= LONGEST_REASON && !reason.includes("\n")
              ? [note(phrase`No changed lines are shown, because ${base} cannot be rendered: ${reason}`)]
              : [
                    {
                        isVital: true,
                        title: phrase`No changed lines are shown, because ${base} cannot be rendered:`,
                        lines: codeLines([reason]),
                        language: "text",
                    },
                ];
    }
    const differing = (previewed?.hosts ?? []).filter(({ outcome }) => outcome === "differs");
    if (changes.length > 0 || differing.length === 0) {
        return [];
    }
    const declared = differing.filter((one) => one.declared).map(({ host }) => host);
    const older =
        declared.length > 0
            ? phrase` What is declared anew for ${names(declared)} was so before, and was not brought there yet, or depends on a value that only \`pulumi up\` knows.`
            : phrase``;
    return [note(phrase`This change is not the cause: the files are the same as in ${base}.${older}`)];
}

/** A secret by its name. Takes time in proportion to the text, whatever a request has in its files. */
const SECRET = /‹([^‹›\n,]+)(?:,[^‹›\n]*)?›/g;

/** Names the values that were not compared, so that "nothing" promises no more than is known. */
function hidden({ previewed, changes, rendering }: StackReview): Block[] {
    const texts = new Set(rendering.hosts.flatMap(({ files }) => Object.values(files)));
    const found = [...texts].flatMap((text) => [...text.matchAll(SECRET)].map(([, name = ""]) => name));
    const all = [...new Set(found)].filter((name) => name !== "digest").sort();
    return previewed !== undefined || changes === undefined || all.length === 0
        ? []
        : [note(phrase`Not compared, because it is secret or known only later: ${names(all, MOST_VALUES)}.`)];
}

function addedAndRemoved({ changes = [] }: StackReview): Block[] {
    const of = (kind: string) => changes.filter((change) => change.kind === kind).flatMap(({ hosts }) => hosts);
    const [added, removed] = [of("added"), of("removed")];
    return [
        ...(added.length > 0 ? [note(phrase`${strong(phrase`New:`)} ${names(added)}. All files there are new.`)] : []),
        ...(removed.length > 0
            ? [
                  note(
                      phrase`${strong(phrase`No longer declared:`)} ${names(removed)}. \`pulumi up\` leaves HAProxy serving there, unless it deletes the machine.`,
                  ),
              ]
            : []),
    ];
}

/** `edge-lb1, edge-lb2: text`, once for hosts with the same one. */
function hostWarnings(hosts: readonly HostFinding[]): string[] {
    return [...new Set(hosts.flatMap((one) => one.warnings))].map((text) => {
        const same = hosts.filter((one) => one.warnings.includes(text)).map(({ host }) => host);
        return `${same.length > MOST_HOSTS ? `${same[0]} and ${same.length - 1} more` : same.join(", ")}: ${text}`;
    });
}

function warnings(texts: readonly string[]): Block[] {
    const all = [...new Set(texts)];
    const title = phrase`⚠️ ${counted(all.length, "warning")}`;
    return all.length === 0 ? [] : [{ isVital: false, title, isFolded: true, lines: codeLines(all), language: "text" }];
}

/** A sentence that nothing follows. */
function note(title: Phrase): Block {
    return { isVital: true, title: joined([title]), lines: [] };
}

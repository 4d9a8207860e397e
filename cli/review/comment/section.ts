/** What a reviewer needs to know of one stack, the worst first. */
import type { HostFinding } from "../../../components/convergence/findings";
import { codeLines, counted, joined, names, type Phrase, phrase, strong } from "../markdown";
import type { CommentSettings, StackReview } from "../types";
import { certificateBlocks } from "./certificates";
import { diffBlocks } from "./diffs";
import { activationsOf } from "./effects";
import type { Block } from "./fit";
import { isEnding, stepLine, stepsOf } from "./steps";
import { driftedOf } from "./table";

/** A list of this length is shown open. */
const SHORT = 10;

export function blocksOf(review: StackReview, settings: CommentSettings): Block[] {
    const { rendering, previewed } = review;
    const { expired, soon } = certificateBlocks(rendering, settings.now);
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
        ...warnings([
            ...rendering.warnings,
            ...(previewed?.hosts ?? []).flatMap(({ host, warnings }) => warnings.map((text) => `${host}: ${text}`)),
            ...(previewed?.warnings ?? []),
        ]),
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
            words(phrase`❌ ${remark} refuses the configuration of ${names(some)}:`, details),
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
    const what = strong(
        phrase`⚠️ Drift: something other than \`pulumi up\` has changed ${names(drifted)} since the last one.`,
    );
    return [note(phrase`${what} The next one undoes that. If it is to stay, declare it first.`)];
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
    if (changes === undefined && rendering.errors.length === 0) {
        const title = phrase`There is nothing in ${base} to compare with, so no changed lines are shown:`;
        return [{ isVital: true, title, lines: codeLines([noBase ?? "the stack is new"]), language: "text" }];
    }
    const declared = (previewed?.hosts ?? []).filter((one) => one.declared && one.outcome === "differs");
    return changes?.length === 0 && declared.length > 0
        ? [
              note(
                  phrase`The files are the same as in ${base}. What differs on ${names(declared.map(({ host }) => host))} was declared before and is not there yet, or depends on a value that only \`pulumi up\` knows.`,
              ),
          ]
        : [];
}

function addedAndRemoved({ changes = [] }: StackReview): Block[] {
    const of = (kind: string) => changes.filter((change) => change.kind === kind).flatMap(({ hosts }) => hosts);
    const [added, removed] = [of("added"), of("removed")];
    return [
        ...(added.length > 0 ? [note(phrase`${strong(phrase`New:`)} ${names(added)}. All of its files are new.`)] : []),
        ...(removed.length > 0
            ? [
                  note(
                      phrase`${strong(phrase`No longer declared:`)} ${names(removed)}. \`pulumi up\` stops managing it. Unless its machine is deleted, HAProxy goes on serving there.`,
                  ),
              ]
            : []),
    ];
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

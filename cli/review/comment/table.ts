/** The heading and the table of a comment: what an up would do with each stack, and whether that is safe. */
import { code, counted, digits, joined, names, Phrase, phrase, strong } from "../markdown";
import type { StackReview } from "../types";
import { certificateBlocks } from "./certificates";
import { type Effect, effectsOf, hostsOf, hostWords } from "./effects";
import type { Block } from "./fit";
import { isEnding, stepsOf } from "./steps";
import { programFails, type Verdict, verdictOf } from "./verdict";

/** Names of stacks in the heading for each verdict. */
const MOST_STACKS = 3;

/** Characters of a heading with names. */
const LONGEST_HEADING = 700;

/** Verdicts in the heading, the worst first. */
const VERDICTS = [
    "the program fails in",
    "the preview fails in",
    "refused in",
    "not all hosts could be asked in",
    "**restart** in",
    "restart expected in",
    "resources replaced or deleted in",
    "start in",
    "start expected in",
    "reload in",
    "reload expected in",
    "changes without a reload in",
    "changes without a reload expected in",
    "other resources change in",
    "nothing to compare with in",
    "no change expected in",
    "no change in",
] as const;
type Words = (typeof VERDICTS)[number];

/** `### Load balancers: reload in prod; nothing in staging`. */
export function heading(reviews: readonly StackReview[]): string {
    if (reviews.length === 0) {
        return "### Load balancers: no stack was reviewed";
    }
    const named = headingWith(reviews, MOST_STACKS);
    return named.length > LONGEST_HEADING ? headingWith(reviews, 0) : named;
}

/** @param most names of stacks for each verdict; more stacks are counted */
function headingWith(reviews: readonly StackReview[], most: number): string {
    const stacks = (some: readonly StackReview[]) =>
        some.length > most ? counted(some.length, "stack") : names(some.map(({ stack }) => stack));
    const clauses = VERDICTS.flatMap((words) => {
        const some = reviews.filter((review) => verdictWords(review) === words);
        return some.length === 0 ? [] : [`${words} ${stacks(some).markdown}`];
    });
    const drifted = reviews.filter((review) => driftedOf(review).length > 0);
    const drift = drifted.length === 0 ? [] : [`drift in ${stacks(drifted).markdown}`];
    return `### Load balancers: ${[...clauses, ...drift].join("; ")}`;
}

function verdictWords(review: StackReview): Words {
    const { previewed, changes } = review;
    const hosts = previewed?.hosts ?? [];
    if (programFails(review)) {
        return "the program fails in";
    }
    if (isRefusedIn(review)) {
        return "refused in";
    }
    if ((previewed?.errors.length ?? 0) > 0) {
        return "the preview fails in";
    }
    if (hosts.some(({ outcome }) => outcome === "unasked")) {
        return "not all hosts could be asked in";
    }
    const { worst, isExpected } = effectsOf(review);
    if (worst !== "restart" && stepsOf(review).some(isEnding)) {
        return "resources replaced or deleted in";
    }
    if (previewed === undefined && changes === undefined) {
        return "nothing to compare with in";
    }
    const words: Record<Effect, [is: Words, expected: Words]> = {
        restart: ["**restart** in", "restart expected in"],
        start: ["start in", "start expected in"],
        reload: ["reload in", "reload expected in"],
        change: ["changes without a reload in", "changes without a reload expected in"],
        resources: ["other resources change in", "other resources change in"],
        nothing: ["no change in", "no change expected in"],
    };
    return words[worst][isExpected || previewed === undefined ? 1 : 0];
}

function isRefusedIn({ rendering, previewed }: StackReview): boolean {
    return (
        rendering.checks.some(({ result }) => result === "refused") ||
        (previewed?.hosts ?? []).some(({ outcome }) => outcome === "refused" || outcome === "failed")
    );
}

/** A daemon's version. Where it is, is of interest only if it is no usual place. */
export function daemonOf(remark: string): string {
    return remark.replace(/^(HAProxy \S+) on PATH/, "$1");
}

export function driftedOf({ previewed }: StackReview): string[] {
    return (previewed?.hosts ?? []).filter(({ drift }) => drift).map(({ host }) => host);
}

/**
 * The table, whole if it fits. Otherwise with numbers in place of names; if that is too long, too, only with the rows that matter most.
 *
 * @param now milliseconds since 1970
 * @param readable characters with names
 * @param longest characters with numbers
 */
export function table(reviews: readonly StackReview[], now: number, readable: number, longest: number): string {
    const isPreviewed = reviews.some(({ previewed }) => previewed !== undefined);
    const head = [
        `| Stack | Hosts | ${isPreviewed ? "What `pulumi up` would do" : "What `pulumi up` is expected to do"} | ${isPreviewed ? "Checks and drift" : "HAProxy's check"} |`,
        "|---|---|---|---|",
    ];
    const whole = [...head, ...reviews.map((review) => row(review, now, false))].join("\n");
    if (whole.length <= readable) {
        return whole;
    }
    const ranks: Verdict[] = ["failed", "differs", "clean"];
    const sorted = ranks.flatMap((rank) => reviews.filter((review) => verdictOf(review) === rank));
    const all = reviews.map((review) => row(review, now, true));
    if ([...head, ...all].join("\n").length <= longest) {
        return [...head, ...all].join("\n");
    }
    const rows = sorted.map((review) => row(review, now, true));
    const last = (left: number) => `| and ${counted(left, "stack").markdown} more, left out | | | |`;
    let size = [...head, last(rows.length)].join("\n").length;
    let kept = 0;
    while (kept < rows.length && size + (rows[kept]?.length ?? 0) + 1 <= longest) {
        size += (rows[kept]?.length ?? 0) + 1;
        kept += 1;
    }
    const left = rows.length - kept;
    return [...head, ...rows.slice(0, kept), ...(left > 0 ? [last(left)] : [])].join("\n");
}

function row(review: StackReview, now: number, isShort: boolean): string {
    const hosts = hostsOf(review);
    const hostCell = isShort
        ? digits(hosts.length)
        : (hosts.length > 1 ? phrase`${hosts.length}: ${hostWords(hosts)}` : hostWords(hosts)).markdown;
    const checks = checkCell(review, now, isShort);
    return `| ${code(review.stack, isShort ? 32 : undefined).markdown} | ${hostCell} | ${doneCell(review, isShort).markdown} | ${checks.markdown} |`;
}

function doneCell(review: StackReview, isShort: boolean): Phrase {
    const { previewed, changes } = review;
    if (programFails(review)) {
        return strong(phrase`❌ fail: the program fails`);
    }
    const hosts = previewed?.hosts ?? [];
    const refusing = hosts.filter(({ outcome }) => outcome === "refused" || outcome === "failed").length;
    const refuse = new Phrase(refusing === 1 ? "refuses" : "refuse", "");
    if (isRefusedIn(review)) {
        return refusing > 0
            ? strong(phrase`❌ fail: ${counted(refusing, "host")} ${refuse} it`)
            : strong(phrase`❌ fail: HAProxy refuses this`);
    }
    if ((previewed?.errors.length ?? 0) > 0) {
        return strong(phrase`❌ not known: the preview fails`);
    }
    const unasked = hosts.filter(({ outcome }) => outcome === "unasked").length;
    const added = new Set((changes ?? []).flatMap((one) => (one.kind === "added" ? one.hosts : [])));
    const later = hosts.filter(({ outcome, host }) => outcome === "later" && !added.has(host)).length;
    const { worst, words, short } = effectsOf(review);
    const notKnown = [
        ...(unasked > 0 ? [strong(phrase`❌ not known for ${counted(unasked, "host")}`)] : []),
        ...(previewed === undefined && changes === undefined ? [phrase`not known: nothing to compare with`] : []),
    ];
    const notYet = later > 0 ? [phrase`not known yet for ${counted(later, "host")}`] : [];
    const isKnown = worst !== "nothing" || notKnown.length + notYet.length === 0;
    return joined([...notKnown, ...(isKnown ? [isShort ? short : words] : []), ...notYet], "; ");
}

function checkCell(review: StackReview, now: number, isShort: boolean): Phrase {
    const { rendering, previewed } = review;
    const results = [...new Set(rendering.checks.map(({ result }) => result))].sort();
    const texts = results.flatMap((result) => {
        const remarks = [
            ...new Set(rendering.checks.filter((one) => one.result === result).map(({ remark }) => remark)),
        ];
        const by = names(remarks.map(daemonOf), 1);
        return {
            accepted: [isShort ? phrase`accepted` : phrase`accepted by ${by}`],
            refused: [strong(isShort ? phrase`❌ refused` : phrase`❌ refused by ${by}`)],
            errors: [],
            "not checked": [isShort ? phrase`⚠️ not checked` : phrase`⚠️ not checked: ${by}`],
            "no HAProxy": [],
        }[result];
    });
    const hosts = previewed?.hosts ?? [];
    const of = (...outcomes: string[]) =>
        hosts.filter(({ outcome }) => outcomes.includes(outcome)).map(({ host }) => host);
    const named = (all: readonly string[]) => (isShort ? counted(all.length, "host") : names(all, 2));
    const [refusing, unasked, drifted] = [of("refused", "failed"), of("unasked"), driftedOf(review)];
    const isSound = hosts.length > 0 && of("unchanged", "differs", "refused").length === hosts.length;
    const { expired, soon } = certificateBlocks(review, now);
    const certificates = (blocks: readonly Block[]) => blocks.flatMap(({ lines }) => lines).length;
    const all = [
        ...(refusing.length > 0 ? [strong(phrase`❌ refused on ${named(refusing)}`)] : []),
        ...(unasked.length > 0 ? [strong(phrase`❌ could not ask ${named(unasked)}`)] : []),
        ...texts,
        ...(drifted.length > 0 ? [strong(phrase`⚠️ drift on ${named(drifted)}`)] : isSound ? [phrase`no drift`] : []),
        ...(expired.length > 0 ? [strong(phrase`❌ ${counted(certificates(expired), "certificate")} expired`)] : []),
        ...(soon.length > 0 ? [phrase`⚠️ ${counted(certificates(soon), "certificate")} to renew`] : []),
    ];
    return all.length > 0 ? joined(all, "; ") : phrase`not checked`;
}

import { BLINK, type Disturbance, type Expectation, expectationOf } from "./expectations";
import { type Request, type Sample, type Span, spansOf, type Time } from "./history";
import type { FaultRecord, History } from "./historyFile";

/** What a history has that must not be. */
export interface Violation {
    readonly rule: "observed" | "one owner" | "gap" | "serves" | "in the end" | "requests" | "told" | "calm";
    readonly time: Time;
    readonly message: string;
}

/** Milliseconds without a sample after which the checker cannot say what has happened. */
const BLIND = 1000;

interface Window extends Disturbance {
    readonly from: Time;
    readonly to: Time;
}

/** A fault with its windows: times in which the pair may be disturbed. */
interface Judged {
    readonly record: FaultRecord;
    readonly expected: Expectation;
    readonly begin: Window;
    readonly repair: Window;
    readonly windows: readonly Window[];
    /** When the next fault begins, or the history ends. */
    readonly next: Time;
}

function judged({ faults, hosts, timing, samples }: History): Judged[] {
    const end = samples.at(-1)?.time ?? 0;
    return faults.map((record, index) => {
        const expected = expectationOf({ ...record, hosts }, timing);
        const after = (from: Time, to: Time, { window, gap }: Disturbance): Window => {
            // What takes effect at any moment of an action may last from then on.
            return { from, to: to + window, window, gap: window > 0 ? gap + (to - from) : 0 };
        };
        const begin = after(record.begin, record.began, expected.begin);
        const repair = after(record.repair, record.repaired, expected.repair);
        const ups = record.up && expected.repairedByUp ? [after(record.up.start, record.up.end, expected.repair)] : [];
        const next = faults[index + 1]?.begin ?? end;
        return { record, expected, begin, repair, windows: [begin, ...ups, repair], next };
    });
}

const overlaps = (a: { from: Time; to: Time }, b: { from: Time; to: Time }) => a.from <= b.to && b.from <= a.to;
const within = (inner: { from: Time; to: Time }, outer: { from: Time; to: Time }) =>
    outer.from <= inner.from && inner.to <= outer.to;
const ms = (time: number) => `${Math.round(time)} ms`;
const named = ({ kind, target }: FaultRecord) => `${kind} on ${target}`;

/** Returns the fault that was there at a time, or the one before. */
const faultAt = (all: readonly Judged[], time: Time) => all.filter(({ record }) => record.begin <= time).at(-1);

/**
 * Judges what clients and the observer have seen of a pair:
 *
 * - There is exactly one owner, except within the bounds of a fault and its repair, and except while VRRP is cut both ways.
 * - Nobody has the address for no longer than the bound.
 * - A host that cannot serve does not keep it beyond the bound.
 * - After the repair it has the owner that failback demands.
 * - Requests fail only within the bounds.
 *
 * A history that shows too little is a violation, too.
 */
export function violationsOf(history: History): Violation[] {
    const all = judged(history);
    const spans = spansOf(history.samples);
    return [
        ...unobserved(history, all),
        ...all.flatMap((one) => notCalm(one)),
        ...spans.flatMap((span) => wrongOwners(span, all)),
        ...all.flatMap((one) => notServing(one, spans)),
        ...all.flatMap((one) => wrongInTheEnd(one, spans)),
        ...history.requests.flatMap((request) => failedRequest(request, all)),
        ...(history.tells ? all.flatMap(untold) : []),
    ].sort((a, b) => a.time - b.time);
}

function unobserved({ samples, requests }: History, all: readonly Judged[]): Violation[] {
    const blind = (time: Time, message: string): Violation => ({ rule: "observed", time, message });
    const found: Violation[] = [];
    if (samples.length === 0) found.push(blind(0, "the observer has no samples"));
    if (all.length === 0) found.push(blind(0, "there was no fault"));
    samples.slice(1).forEach(({ time }, index) => {
        const before = (samples[index] as Sample).time;
        if (time - before > BLIND) found.push(blind(before, `the observer has no samples for ${ms(time - before)}`));
    });
    for (const { record, next } of all) {
        if (record.begin < (samples[0]?.time ?? 0))
            found.push(blind(record.begin, `${named(record)}: before the first sample`));
        const answered = requests.some(
            ({ result, start }) => result === "ok" && start >= record.repaired && start <= next,
        );
        if (!answered) found.push(blind(record.repaired, `${named(record)}: no request was answered after the repair`));
    }
    return found;
}

function notCalm({ record }: Judged): Violation[] {
    if (record.calm !== undefined) return [];
    return [
        {
            rule: "calm",
            time: record.repaired,
            message: `${named(record)}: the pair did not become calm after the repair`,
        },
    ];
}

function wrongOwners(span: Span, all: readonly Judged[]): Violation[] {
    if (span.owners.length === 1) return [];
    const fault = faultAt(all, span.from);
    const what = fault ? named(fault.record) : "before any fault";
    const excepted = (owners: Expectation["owners"]) =>
        all.some(
            ({ record, expected, repair }) =>
                expected.owners === owners && within(span, { from: record.begin, to: repair.to }),
        );
    const near = all.flatMap((one) => one.windows).filter((window) => overlaps(span, window));
    const windows = near.filter((window) => within(span, window));
    if (span.owners.length > 1) {
        if (excepted("one or two") || windows.length > 0) return [];
        const message = `${what}: ${span.owners.join(" and ")} have the address for ${ms(span.to - span.from)}`;
        return [{ rule: "one owner", time: span.from, message }];
    }
    const length = span.to - span.from;
    if (length <= BLINK) return [];
    if (excepted("none") || windows.some(({ gap }) => length <= gap)) return [];
    const most = Math.max(0, ...near.map(({ gap }) => gap));
    return [
        {
            rule: "gap",
            time: span.from,
            message: `${what}: nobody has the address for ${ms(length)}; at most ${ms(most)}`,
        },
    ];
}

/** A host that cannot serve keeps the address. */
function notServing({ record, expected, begin }: Judged, spans: readonly Span[]): Violation[] {
    // An up may have repaired the host before.
    const end = expected.repairedByUp && record.up ? Math.min(record.up.start, record.repair) : record.repair;
    if (end <= begin.to) return [];
    const kept = spans.find(
        (span) =>
            overlaps(span, { from: begin.to, to: end }) && span.owners.some((owner) => expected.unfit.includes(owner)),
    );
    if (!kept) return [];
    const message = `${named(record)}: ${kept.owners.join(" and ")} still has the address ${ms(begin.to - record.began)} later`;
    return [{ rule: "serves", time: begin.to, message }];
}

/** From when the pair is calm again, until the next fault. */
function wrongInTheEnd({ record, expected, repair, next }: Judged, spans: readonly Span[]): Violation[] {
    const calm = record.calm ?? repair.to;
    const at = (time: Time) => spans.filter(({ from }) => from <= time).at(-1)?.owners ?? [];
    const wanted = expected.final ?? (expected.eitherInTheEnd ? undefined : at(record.repair)[0]);
    const owners = new Set(
        spans.filter((span) => overlaps(span, { from: calm, to: next })).flatMap((span) => span.owners),
    );
    if (owners.size === 1 && (wanted === undefined || owners.has(wanted))) return [];
    const got = [...owners].join(" and ") || "nobody";
    const message = `${named(record)}: after the repair, ${got} has the address; expected ${wanted ?? "one host, always the same"}`;
    return [{ rule: "in the end", time: calm, message }];
}

function failedRequest({ start, end, result, connection }: Request, all: readonly Judged[]): Violation[] {
    if (result === "ok") return [];
    const time = { from: start, to: end };
    const allowed = all.some(
        ({ record, expected, windows, repair }) =>
            ((connection === "kept" || expected.newMayFail) &&
                windows.some((window) => window.window > 0 && overlaps(time, window))) ||
            (expected.owners !== "one" && overlaps(time, { from: record.begin, to: repair.to })),
    );
    if (allowed) return [];
    const fault = faultAt(all, end);
    const what = fault ? named(fault.record) : "before any fault";
    const late = fault ? `, ${ms(start - fault.record.began)} after the fault` : "";
    return [{ rule: "requests", time: start, message: `${what}: a request failed (${connection}, ${result})${late}` }];
}

/** Status says that both have the address, if they have. */
function untold({ record }: Judged): Violation[] {
    if (record.kind !== "VRRP cut both ways" || record.told) return [];
    return [
        { rule: "told", time: record.repair, message: `${named(record)}: status does not say that both are MASTER` },
    ];
}

import * as pulumi from "@pulumi/pulumi";
import { record } from "./convergence/recordFinding";
import { count, printable } from "./convergence/text";
import { type CertificateFacts, daysLeft } from "./tls";

/** This many certificates are named, those that end first, and this many that are not known. */
const MOST_NAMES = 5;

/**
 * Shows in a preview how long certificates are valid, as information that warns of nothing, and records it. An up says nothing of it: its
 * preview has.
 *
 * @param component what declares them, one for all hosts of a fleet, and its name
 * @param facts by name; undefined if only an up knows the certificate
 */
export function showDaysLeft(
    { component, name }: { readonly component: pulumi.Resource; readonly name: string },
    facts: Readonly<Record<string, CertificateFacts | undefined>>,
    now: Date,
): void {
    const line = daysLeftLine(facts, now);
    if (line !== "" && pulumi.runtime.isDryRun()) {
        void pulumi.log.info(line, component);
        // Certificates end at whole seconds.
        const ends = byName(facts, ({ notAfter }) => notAfter.replace(/\.000Z$/, "Z"));
        record({ kind: "certificates", component: name, ends, fingerprints: byName(facts, ({ sha256 }) => sha256) });
    }
}

/** A value of each certificate by its name, sorted; null if only an up knows the certificate. */
function byName(
    facts: Readonly<Record<string, CertificateFacts | undefined>>,
    value: (fact: CertificateFacts) => string,
): Record<string, string | null> {
    const values = Object.entries(facts).map(([name, fact]) => [
        printable(name),
        fact === undefined ? null : value(fact),
    ]);
    return Object.fromEntries(values.sort());
}

/**
 * The days that certificates have left, the shortest first, in one line:
 * `certificates: docs 12 days (2026-12-11), shop 79 days (2027-02-16), api known after up`. Empty if there are none.
 *
 * @param facts by name; undefined if only an up knows the certificate
 */
export function daysLeftLine(facts: Readonly<Record<string, CertificateFacts | undefined>>, now: Date): string {
    const all = Object.entries(facts);
    const known = all
        .flatMap(([name, fact]) => (fact === undefined ? [] : [{ name, fact, end: Date.parse(fact.notAfter) }]))
        .sort((a, b) => a.end - b.end || (a.name < b.name ? -1 : 1));
    const unknown = all.flatMap(([name, fact]) => (fact === undefined ? [name] : [])).sort();
    const [next] = known.slice(MOST_NAMES);
    const words = [
        ...known.slice(0, MOST_NAMES).map(({ name, fact }) => `${name} ${timeLeft(fact, now)}`),
        ...(next ? [`${known.length - MOST_NAMES} more from ${timeLeft(next.fact, now)} on`] : []),
        ...unknown.slice(0, MOST_NAMES).map((name) => `${name} known after up`),
        ...(unknown.length > MOST_NAMES ? [`${unknown.length - MOST_NAMES} more known after up`] : []),
    ];
    return words.length === 0 ? "" : printable(`certificates: ${words.join(", ")}`);
}

/** `12 days (2026-12-11)`. */
function timeLeft(fact: CertificateFacts, now: Date): string {
    const isOver = Date.parse(fact.notAfter) <= now.getTime();
    return `${isOver ? "expired" : count(daysLeft(fact, now), "day")} (${fact.notAfter.slice(0, 10)})`;
}

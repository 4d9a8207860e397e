/** How a host takes part in a roll of several hosts, from its answer to a why-run. */
import { kindOf, label } from "../kinds/index";
import { encodedSlots } from "../payload/fileContents";
import type { Plan } from "../payload/plan";
import { causes, positionOf } from "./cause";
import type { Difference, WhyRun } from "./whyRun";

/** Nothing is due; or a converge that need not wait for other hosts; or one that must. */
export type RollRole = "unchanged" | "atOnce" | "rolls";

/** Differences of the host as a whole that change only what it has recorded. */
const RECORDS = ["owner", "taken over", "manifest", "unfinished"];

/**
 * The part that a host takes. It rolls if something declared anew makes a converge due, and if its last converge has proven a
 * configuration that a daemon serves with now: that is what a wrong declaration could take down on all hosts. Everything else is done
 * at once: a first converge, repairs of drift only, records only, and a host whose daemon does not run.
 *
 * @param slots the values of the slots, by name
 * @param unknown names of slots whose values only an up knows; what depends on them counts as declared anew
 */
export function rollRole(
    whyRun: WhyRun,
    plan: Plan,
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): RollRole {
    if (whyRun.differences.length === 0 && whyRun.token !== "") {
        return "unchanged";
    }
    return serves(whyRun, plan) && hasNews(whyRun, plan, slots, unknown) ? "rolls" : "atOnce";
}

/**
 * Whether a host has been converged to what is declared: whatever differs has drifted since, or is a record. A host that remembers
 * nothing of its last converge has it only if nothing differs.
 */
export function hasDeclared(
    whyRun: WhyRun,
    plan: Plan,
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): boolean {
    return wasConverged(whyRun) && !hasNews(whyRun, plan, slots, unknown);
}

/** Whether something declared anew makes a converge due. */
function hasNews(whyRun: WhyRun, plan: Plan, slots: Record<string, string>, unknown: readonly string[]): boolean {
    const causeOf = causes(whyRun, plan, encodedSlots(plan.resources, slots), unknown);
    return whyRun.differences.some((difference) => !isRecord(difference) && causeOf(difference) !== "drift");
}

function isRecord(difference: Difference): boolean {
    return Number.isNaN(positionOf(difference)) && RECORDS.includes(difference.aspect);
}

function wasConverged({ token, remembered }: WhyRun): boolean {
    return token !== "" || (remembered?.converged.size ?? 0) > 0;
}

/** Whether a daemon of a transaction that the last converge had declared, too, runs now. */
function serves(whyRun: WhyRun, { resources }: Plan): boolean {
    const started = whyRun.activations.filter(({ kind }) => kind === "start").map(positionOf);
    const { converged } = whyRun.remembered ?? {};
    return (
        wasConverged(whyRun) &&
        resources.some(
            (resource, position) =>
                kindOf(resource).filesTogether &&
                !started.includes(position) &&
                (converged === undefined || converged.has(label(resource))),
        )
    );
}

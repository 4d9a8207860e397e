import type { StackReview } from "../types";

/** What a review means for an exit status. */
export type Verdict = "failed" | "differs" | "clean";

/**
 * `failed`: the program or its preview fails, HAProxy or a host refuses what is declared, or a host could not be asked. `differs`: an up
 * would do something, or it is not known what. A configuration that no HAProxy has checked fails nothing.
 */
export function verdictOf(review: StackReview): Verdict {
    const { rendering, changes, previewed } = review;
    const { hosts = [], steps = [], errors: failures = [] } = previewed ?? {};
    if (
        programFails(review) ||
        failures.length > 0 ||
        rendering.checks.some(({ result }) => result === "refused") ||
        hosts.some(({ outcome }) => ["refused", "unasked", "failed"].includes(outcome))
    ) {
        return "failed";
    }
    const differs =
        // Hosts that were asked need no base.
        (changes === undefined && previewed === undefined) ||
        (changes ?? []).length > 0 ||
        steps.length > 0 ||
        hosts.some(({ outcome, drift }) => outcome === "differs" || drift);
    return differs ? "differs" : "clean";
}

/** Whether the program fails, so that it declares nothing. */
export function programFails({ rendering }: StackReview): boolean {
    return rendering.errors.length > 0 || rendering.checks.some(({ result }) => result === "errors");
}

/** Whether one of the reviews has failed. */
export function hasFailed(reviews: readonly StackReview[]): boolean {
    return reviews.some((review) => verdictOf(review) === "failed");
}

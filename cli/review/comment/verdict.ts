import type { StackReview } from "../types";

/** What a review means for an exit status. */
export type Verdict = "failed" | "differs" | "clean";

/**
 * `failed`: the program or its preview fails, HAProxy or a host refuses what is declared, or a host could not be asked. `differs`: an up
 * would do something, or it is not known what. A configuration that no HAProxy has checked fails nothing.
 */
export function verdictOf({ rendering, changes, previewed }: StackReview): Verdict {
    const { errors, checks } = rendering;
    const { hosts = [], steps = [], errors: failures = [] } = previewed ?? {};
    if (
        errors.length > 0 ||
        failures.length > 0 ||
        checks.some(({ result }) => result === "refused" || result === "errors") ||
        hosts.some(({ outcome }) => ["refused", "unasked", "failed"].includes(outcome))
    ) {
        return "failed";
    }
    const differs =
        changes === undefined ||
        changes.length > 0 ||
        steps.length > 0 ||
        hosts.some(({ outcome, drift }) => outcome === "differs" || drift);
    return differs ? "differs" : "clean";
}

/** Whether one of the reviews has failed. */
export function isRefused(reviews: readonly StackReview[]): boolean {
    return reviews.some((review) => verdictOf(review) === "failed");
}

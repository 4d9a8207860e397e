import type { Plan } from "../payload/plan";
import { causes } from "./cause";
import type { WhyRun } from "./whyRun";

/** What a host's answer means for the roll of its fleet. */
export function rollRole(whyRun: WhyRun, plan: Plan, slots: Record<string, string>): "unchanged" | "atOnce" | "rolls" {
    const causeOf = causes(whyRun, plan, slots);
    const found = whyRun.differences.map(causeOf);
    if (found.length === 0) {
        return "unchanged";
    }
    return found.some((cause) => cause === "declared" || cause === "both") ? "rolls" : "atOnce";
}

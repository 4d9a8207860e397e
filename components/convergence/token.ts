import type { Plan } from "./payload/plan";
import type { WhyRun } from "./preview/whyRun";
import { sha256 } from "./sha256";

/** Suffix of a token whose converge takes the host over. */
const TAKE_OVER = "-takeover";

/**
 * The token that the host stores after this converge; the engine plans a converge if it has changed. If nothing differs, it is the
 * host's current token. Otherwise it is computed from the host's state, so that a preview and the up after it get the same token, and
 * every other state another one.
 */
export function nextToken(whyRun: WhyRun, plan: Plan): string {
    if (whyRun.differences.length === 0 && whyRun.refused.length === 0 && whyRun.token !== "") {
        return whyRun.token;
    }
    const facts = [
        whyRun.token,
        whyRun.bootId,
        plan.digest,
        ...whyRun.differences.map(({ id, aspect, have }) => `${id}\t${aspect}\t${have}`),
        ...[...whyRun.live].map(([id, bytes]) => `${id}\t${sha256(bytes)}`),
    ];
    const taken = whyRun.differences.some(({ aspect }) => aspect === "taken over");
    return sha256(facts.join("\n")) + (taken ? TAKE_OVER : "");
}

/**
 * Whether the converge with this token may take the host over from another owner. The token says so, and not `takeOver`, because the
 * payload must not change when `takeOver` is removed from the program.
 */
export function takesOver(token: string): boolean {
    return token.endsWith(TAKE_OVER);
}

/** The token of a host that is not asked: it changes with the plan only. */
export function tokenOfPlan(payload: string): string {
    return sha256(payload);
}

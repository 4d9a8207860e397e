import { createHash } from "node:crypto";
import type { Plan } from "./payload/plan";
import type { WhyRun } from "./preview/whyRun";

/** Ends a token that hands the host over. */
const TAKE_OVER = "-takeover";

/**
 * What the host is to remember after this converge, and what makes the engine plan one: its own token where nothing differs, so
 * that nothing is planned; otherwise a value that this host in this state, and no other, leads to. The same state gives the same
 * token in the preview and in the up.
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
        ...[...whyRun.live].map(([id, bytes]) => `${id}\t${createHash("sha256").update(bytes).digest("hex")}`),
    ];
    const taken = whyRun.differences.some(({ aspect }) => aspect === "taken over");
    return createHash("sha256").update(facts.join("\n")).digest("hex") + (taken ? TAKE_OVER : "");
}

/**
 * Whether the converge with this token may take the host from another owner. It is read from the token, which the host keeps, so that
 * the payload stays the same when `takeOver` is taken out of the program again.
 */
export function takesOver(token: string): boolean {
    return token.endsWith(TAKE_OVER);
}

/** The token where the host was not asked: that of the plan itself, so that only a change of the plan leads to a converge. */
export function tokenOfPlan(payload: string): string {
    return createHash("sha256").update(payload).digest("hex");
}

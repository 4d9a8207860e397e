import type { WhyRun } from "./preview/whyRun";
import { sha256 } from "./sha256";

/**
 * The token that the host stores after this converge; the engine plans a converge if it has changed. If nothing differs, it is the
 * host's current token. Otherwise it is computed from the host's state, so that a preview and the up after it get the same token, and
 * every other state, and every other payload, another one. 32 hexadecimal digits.
 */
export function nextToken(whyRun: WhyRun, payload: string): string {
    if (whyRun.differences.length === 0 && whyRun.refused.length === 0 && whyRun.token !== "") {
        return whyRun.token;
    }
    const facts = [
        whyRun.token,
        whyRun.bootId,
        payload,
        ...whyRun.differences.map(({ id, aspect, have }) => `${id}\t${aspect}\t${have}`),
        ...[...whyRun.live].map(([id, bytes]) => `${id}\t${sha256(bytes)}`),
    ];
    return sha256(facts.join("\n")).slice(0, 32);
}

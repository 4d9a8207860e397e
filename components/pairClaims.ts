import { perProgram } from "./convergence/perProgram";

/** A pair of the program that has something which no other one should have. */
export interface Claim {
    /** Its component. */
    readonly component: object;
    readonly name: string;
    /** Whether the user has chosen it. */
    readonly isDeclared: boolean;
}

const claims = perProgram<Map<string, Claim>>(() => new Map());

/**
 * Notes that a pair has something.
 *
 * @param what as in `router id 51`
 * @returns another pair of the program that has it already
 */
export function claimForPair(what: string, claim: Claim): Claim | undefined {
    const other = claims().get(what);
    if (other !== undefined && other.component !== claim.component) {
        return other;
    }
    claims().set(what, claim);
    return undefined;
}

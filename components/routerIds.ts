import { perProgram } from "./convergence/perProgram";

/** A pair of the program, by its component. */
interface Claim {
    readonly component: object;
    readonly name: string;
}

const claims = perProgram<Map<number, Claim>>(() => new Map());

/**
 * Notes that a pair has a VRRP router id.
 *
 * @returns the name of another pair of the program that has it already: on one network, the two would take each other for their peers
 */
export function claimRouterId(routerId: number, name: string, component: object): string | undefined {
    const other = claims().get(routerId);
    if (other !== undefined && other.component !== component) {
        return other.name;
    }
    claims().set(routerId, { component, name });
    return undefined;
}

import type { Balancing } from "./balancing";
import { seconds } from "./haproxy";

/** How hosts are treated, as ConvergedHost takes it. */
export function treatment({ probe, requireAnswer, takeOver, deadline, bake = "0" }: Balancing) {
    return { probe, requireAnswer, takeOver, deadline: deadline ?? 900 + seconds(bake) };
}

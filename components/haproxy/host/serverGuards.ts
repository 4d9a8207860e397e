import type { Backend, HaproxyConfig } from "../model";
import { seconds } from "../model/durations";

/** The guards for the host's adapter, one line per backend that has any. */
export function serverGuardRules({ backends, listens = [] }: HaproxyConfig): string {
    return [...backends, ...listens].flatMap(rule).join("\n");
}

function rule({ name, minServers, maxShrinkPercent, drain, backups = true, minUp }: Backend): string[] {
    const limits = [minServers, maxShrinkPercent, drain === undefined ? undefined : seconds(drain)];
    const words = [...limits.map((value) => value ?? "-"), backups ? "yes" : "no", minUp ?? "-"];
    return [...limits, minUp].some((value) => value !== undefined) ? [[name, ...words].join(" ")] : [];
}

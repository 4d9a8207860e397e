import type { Backend, HaproxyConfig } from "../model";
import { milliseconds } from "../model/durations";

/** The guards for the host's adapter, one line per backend that has any. */
export function serverGuardRules({ backends, listens = [] }: HaproxyConfig): string {
    return [...backends, ...listens].flatMap(rule).join("\n");
}

function rule({ name, minServers, maxShrinkPercent, drain, backups = true }: Backend): string[] {
    const values = [minServers, maxShrinkPercent, drain === undefined ? undefined : seconds(drain)];
    return values.some((value) => value !== undefined)
        ? [[name, ...values.map((value) => value ?? "-"), backups ? "yes" : "no"].join(" ")]
        : [];
}

function seconds(duration = "0"): number {
    return Math.ceil((milliseconds(duration) ?? 0) / 1000);
}

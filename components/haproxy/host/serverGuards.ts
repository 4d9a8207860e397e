import type { Backend, HaproxyConfig } from "../model";
import { milliseconds } from "../model/durations";

/**
 * The guards for the host's adapter, one line per backend that has any.
 *
 * @param allowShrink Whether to leave `minServers` and `maxShrinkPercent` out this time.
 */
export function serverGuardRules({ backends, listens = [] }: HaproxyConfig, allowShrink: boolean): string {
    return [...backends, ...listens].flatMap((backend) => rule(backend, allowShrink)).join("\n");
}

function rule({ name, minServers, maxShrinkPercent, drain }: Backend, allowShrink: boolean): string[] {
    const guards = allowShrink ? [undefined, undefined] : [minServers, maxShrinkPercent];
    const values = [...guards, drain === undefined ? undefined : seconds(drain)];
    return values.some((value) => value !== undefined)
        ? [[name, ...values.map((value) => value ?? "-")].join(" ")]
        : [];
}

function seconds(duration = "0"): number {
    return Math.ceil((milliseconds(duration) ?? 0) / 1000);
}

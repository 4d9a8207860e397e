// Datadog's OpenMetrics check on a lab host, which has no agent: what the agent would send of HAProxy's metrics.
import { join } from "node:path";
import type { Host } from "../host";
import { run } from "../machine/exec";
import { pythonPackages } from "../pythonPackages";

/** What a check submits to the agent. */
export interface Submitted {
    readonly metrics: readonly {
        readonly name: string;
        /** Such as `gauge` or `monotonic_count`. */
        readonly type: string;
        readonly value: number;
        /** Sorted; without those of the host, which Datadog joins. */
        readonly tags: readonly string[];
    }[];
    /** 0 is OK, 2 critical. */
    readonly serviceChecks: readonly {
        readonly name: string;
        readonly status: number;
        readonly tags: readonly string[];
    }[];
    readonly errors: readonly string[];
}

/** Installs the check into the cache, once: 22 MB. Returns why it cannot be installed, in words. */
export async function prepareDatadogCheck(): Promise<{ readonly folder: string } | { readonly why: string }> {
    return pythonPackages("datadog-checks-base", join(__dirname, "requirements.txt"));
}

/**
 * Runs the check in the host's network, so that its loopback is the host's.
 *
 * @param folder what {@link prepareDatadogCheck} returns
 * @param file the agent's file for haproxy: conf.d/haproxy.d/conf.yaml
 */
export async function runDatadogCheck(host: Host, folder: string, file: string): Promise<Submitted> {
    const env = ["env", `PYTHONPATH=${folder}`, "no_proxy=*"];
    const command = [...env, "python3", join(__dirname, "check.py")];
    const { stdout } = await run("ip", ["netns", "exec", host.namespace, ...command], { stdin: file, timeout: 60_000 });
    return JSON.parse(stdout) as Submitted;
}

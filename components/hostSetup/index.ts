/** What a load balancer's host has besides HAProxy: `HostSetup` is declared, and becomes a part of the configuration and of the run list. */
import type { z } from "zod";
import type { Resource } from "../convergence/kinds/index";
import type { HaproxyConfig, Issue } from "../haproxy";
import {
    apiKeySlot,
    datadogTagIssues,
    type LogsAndMetrics,
    logsAndMetricsShape,
    logTargetIssues,
    runListWithLogs,
    withLogsAndMetrics,
} from "./logsAndMetrics";

export type { DatadogSettings, LogsAndMetrics, PapertrailSettings } from "./logsAndMetrics";

/** What a load balancer's host has besides HAProxy. `Secret` is how a secret is given. */
export interface HostSetup<Secret> extends LogsAndMetrics<Secret> {}

/** Fields of {@link HostSetup}, for forms that have more fields. `secret` is the form of secrets. */
export function hostSetupShape<Secret extends z.ZodType>(secret: Secret) {
    return logsAndMetricsShape(secret);
}

const keys = ["papertrail", "logrotate", "datadog"] as const satisfies readonly (keyof HostSetup<unknown>)[];

/** Takes the setup out of arguments that have more. */
export function splitSetup<Secret, Args extends HostSetup<Secret>>(
    args: Args & HostSetup<Secret>,
): { readonly setup: HostSetup<Secret>; readonly others: Omit<Args, keyof HostSetup<Secret>> } {
    const isSetup = ([key]: [string, unknown]) => (keys as readonly string[]).includes(key);
    const entries = Object.entries(args);
    const [setup, others] = [entries.filter(isSetup), entries.filter((entry) => !isSetup(entry))];
    return {
        setup: Object.fromEntries(setup) as HostSetup<Secret>,
        others: Object.fromEntries(others) as Omit<Args, keyof HostSetup<Secret>>,
    };
}

/** The setup with what `convert` makes of its secrets. */
export function withSetupSecrets<From, To>(
    { datadog, ...others }: HostSetup<From>,
    convert: (secret: From) => To,
): HostSetup<To> {
    return { ...others, ...(datadog && { datadog: { ...datadog, apiKey: convert(datadog.apiKey) } }) };
}

/** Its secrets. */
export function setupSecrets<Secret>(setup: HostSetup<Secret>): Secret[] {
    return Object.values(setupSlots(setup));
}

/** Its secrets by the slots that they fill. */
export function setupSlots<Secret>({ datadog }: HostSetup<Secret>): Record<string, Secret> {
    return { ...(datadog && { [apiKeySlot]: datadog.apiKey }) };
}

/** The configuration with what the setup needs in it. */
export function withSetup(config: HaproxyConfig, setup: HostSetup<unknown>): HaproxyConfig {
    return withLogsAndMetrics(config, setup);
}

/**
 * Issues of the setup.
 *
 * @param config as customized
 */
export function setupIssues(config: HaproxyConfig, setup: HostSetup<unknown>): Issue[] {
    return [...datadogTagIssues(setup), ...logTargetIssues(config, setup)];
}

/**
 * A run list of HAProxy, and of its host's setup.
 *
 * @param config with what the setup needs in it
 * @param haproxy what the recipe makes of it
 * @param services names of what is balanced, for tags
 */
export function runListWithSetup(
    config: HaproxyConfig,
    haproxy: readonly Resource[],
    setup: HostSetup<unknown>,
    services: readonly string[],
): Resource[] {
    return runListWithLogs(config, haproxy, setup, services);
}

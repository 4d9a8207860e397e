/** What a load balancer's host has besides HAProxy: declared as `HostSetup`, it becomes a part of the configuration and of the run list. */
import { z } from "zod";
import type { Resource } from "../convergence/kinds/index";
import { slot } from "../convergence/slots";
import { formOf } from "../forms";
import { type HaproxyConfig, type Issue, openPorts, peersWithoutRule, tuningFigures } from "../haproxy";
import { type AlertArgs, alert, alertShape } from "../recipes/alert/index";
import { type FirewallSettings, firewall, firewallShape } from "../recipes/firewall/index";
import { keepalived } from "../recipes/keepalived/index";
import { type TuningSettings, tuning, tuningShape } from "../recipes/tuning/index";
import {
    apiKeySlot,
    datadogTagIssues,
    type LogsAndMetrics,
    logsAndMetricsShape,
    logTargetIssues,
    runListWithLogs,
    withLogsAndMetrics,
} from "./logsAndMetrics";
import { nonlocalBind, type PairedHost, setupOfPair } from "./ofPair";
import {
    type PackageVersions,
    packageVersionIssues,
    packageVersionsForm,
    withMergedPackages,
    withPackageVersions,
} from "./packageVersions";

export type { FirewallSettings } from "../recipes/firewall/index";
export type { TuningSettings } from "../recipes/tuning/index";
export type { DatadogSettings, LogsAndMetrics, PapertrailSettings } from "./logsAndMetrics";
export type { PackageVersion, PackageVersions } from "./packageVersions";

/** What a load balancer's host has besides HAProxy. `Secret` is how a secret is given. */
export interface HostSetup<Secret> extends LogsAndMetrics<Secret> {
    /**
     * Lets in what clients need: HAProxy's ports, SSH, and what else is declared. `true` is every default.
     * @default - the host's firewall is left alone
     */
    readonly firewall?: true | FirewallSettings;
    /** Sets the kernel's limits for `maxconn` connections. `true` is every default. @default - the kernel's limits are left alone */
    readonly tuning?: true | TuningSettings;
    /**
     * Versions of packages, by name: HAProxy's and the others that a load balancer installs.
     * @default - installed versions stay; a missing package is installed in the version that the host's package lists prefer
     */
    readonly packages?: PackageVersions;
    /** Runs a command when HAProxy dies, when a converge fails, and when that is over. @default - only the journal has it */
    readonly alert?: AlertSettings<Secret>;
}

/** Arguments of the recipe `alert`. */
export interface AlertSettings<Secret> extends Omit<AlertArgs, "command"> {
    /** Shell commands that send a word to people; see `recipes.alert`. */
    readonly command: Secret;
}

const firewallForm = formOf<FirewallSettings>()(z.strictObject(firewallShape));
const tuningForm = formOf<TuningSettings>()(z.strictObject(tuningShape));
const orSettings = { message: "expected true, or settings" };

/** Fields of {@link HostSetup}, for forms that have more fields. `secret` is the form of secrets. */
export function hostSetupShape<Secret extends z.ZodType>(secret: Secret) {
    return {
        ...logsAndMetricsShape(secret),
        firewall: z.union([z.literal(true), firewallForm], orSettings).optional(),
        tuning: z.union([z.literal(true), tuningForm], orSettings).optional(),
        packages: packageVersionsForm.readonly().optional(),
        alert: z.strictObject({ ...alertShape, command: secret }).optional(),
    };
}

/** Its fields. */
const keys = Object.keys(hostSetupShape(z.string()));

/** Takes the setup out of arguments that have more. */
export function splitSetup<Secret, Args extends HostSetup<Secret>>(
    args: Args & HostSetup<Secret>,
): { readonly setup: HostSetup<Secret>; readonly others: Omit<Args, keyof HostSetup<Secret>> } {
    const entries = Object.entries(args);
    const [setup, others] = [true, false].map((wanted) =>
        Object.fromEntries(entries.filter(([key]) => keys.includes(key) === wanted)),
    );
    return { setup: setup as HostSetup<Secret>, others: others as Omit<Args, keyof HostSetup<Secret>> };
}

/** The setup with each of its secrets converted. */
export function withSetupSecrets<From, To>(
    { datadog, alert: alerting, ...others }: HostSetup<From>,
    convert: (secret: From) => To,
): HostSetup<To> {
    return {
        ...others,
        ...(datadog && { datadog: { ...datadog, apiKey: convert(datadog.apiKey) } }),
        ...(alerting && { alert: { ...alerting, command: convert(alerting.command) } }),
    };
}

/** Its secrets. */
export function setupSecrets<Secret>(setup: HostSetup<Secret>): Secret[] {
    return Object.values(setupSlots(setup));
}

/** The slot of the alert's command. */
const commandSlot = "alert.command";

/** Its secrets by the slots that they fill. */
export function setupSlots<Secret>({ datadog, alert: alerting }: HostSetup<Secret>): Record<string, Secret> {
    return { ...(datadog && { [apiKeySlot]: datadog.apiKey }), ...(alerting && { [commandSlot]: alerting.command }) };
}

/** The configuration with what the setup needs in it. */
export function withSetup(config: HaproxyConfig, setup: HostSetup<unknown>): HaproxyConfig {
    return withLogsAndMetrics(config, setup);
}

/**
 * Issues of the setup in a configuration.
 *
 * @param config as customized
 */
export function setupIssues(config: HaproxyConfig, setup: HostSetup<unknown>): Issue[] {
    const closed = setup.firewall === undefined ? [] : peersWithoutRule(config);
    return [
        ...datadogTagIssues(setup),
        ...logTargetIssues(config, setup),
        ...closed.map((issue): Issue => ({ rule: "peer-address", ...issue, severity: "warning" })),
    ];
}

/**
 * A run list of HAProxy, and of its host's setup, with the versions that packages are to have.
 *
 * @param config with what the setup needs in it
 * @param haproxy what the recipe makes of it
 * @param services names of what is balanced, for tags
 * @param paired the pair that the host is in
 */
export function runListWithSetup(
    config: HaproxyConfig,
    haproxy: readonly Resource[],
    given: HostSetup<unknown>,
    services: readonly string[],
    paired?: PairedHost,
): { readonly resources: Resource[]; readonly issues: Issue[] } {
    const setup = paired ? setupOfPair(given, config, paired) : given;
    const { firewall: filtering, tuning: limits, packages = {}, alert: alerting } = setup;
    const installed = haproxy.findIndex(({ kind }) => kind === "packages") + 1;
    const ofHost = [
        ...haproxy.slice(0, installed),
        // Before the service, which needs open ports, and addresses that it can bind. The firewall comes first, because the kernel tracks
        // connections, for which there are limits, only once something filters.
        ...(filtering ? firewall({ ...(filtering !== true && filtering), ports: openPorts(config) }) : []),
        ...(limits ? tuning({ ...tuningFigures(config), ...(limits !== true && limits) }) : []),
        ...(paired && !limits ? nonlocalBind(config, paired) : []),
        ...haproxy.slice(installed),
        ...(alerting ? alert({ ...alerting, command: slot(commandSlot) }) : []),
        // After HAProxy, which must be proven before its host may become MASTER.
        ...(paired ? keepalived(paired.pair, paired.host) : []),
    ];
    const resources = withMergedPackages(runListWithLogs(config, ofHost, setup, services));
    const issues = packageVersionIssues(resources, packages).map(
        ({ path, message }): Issue => ({ rule: "form", path: `packages.${path}`, message, severity: "error" }),
    );
    return { resources: issues.length > 0 ? resources : withPackageVersions(resources, packages), issues };
}

import { z } from "zod";
import type { Resource } from "../convergence/kinds/index";
import { slot } from "../convergence/slots";
import { type FormIssue, formOf } from "../forms";
import { addressesOf, type HaproxyConfig, type Issue, type LogTarget, logRequests, type PortBind } from "../haproxy";
import { type DatadogArgs, datadog, datadogShape, tagIssues, tagWarnings } from "../recipes/datadog/index";
import { type LogrotateArgs, logrotate, logrotateShape } from "../recipes/logrotate/index";
import { forwarding, forwardProof, type PapertrailArgs, papertrailShape } from "../recipes/papertrail/index";
import { LOG_PORT, rsyslog } from "../recipes/rsyslog/index";

/** Where HAProxy's log lines and metrics go. `Secret` is how a secret is given. */
export interface LogsAndMetrics<Secret> {
    /**
     * Forwards HAProxy's log lines to Papertrail, or to any other receiver of syslog over TLS. They are also written to
     * /var/log/haproxy.log. @default - lines are not forwarded
     */
    readonly papertrail?: PapertrailSettings;
    /** Writes HAProxy's log lines to /var/log/haproxy.log, and rotates it daily and by size. `true` is every default. @default - not rotated by us */
    readonly logrotate?: true | LogrotateArgs;
    /** Reports HAProxy's metrics, its process and its log lines to Datadog, by an agent on each host. @default - no agent */
    readonly datadog?: DatadogSettings<Secret>;
}

/** Arguments of the recipe `papertrail`, but for what is computed from the configuration. */
export type PapertrailSettings = Omit<PapertrailArgs, "requests">;

/** Arguments of the recipe `datadog`, but for what is computed from the configuration. */
export interface DatadogSettings<Secret> extends Omit<DatadogArgs, "apiKey" | "endpoint"> {
    /** API key of the organization. */
    readonly apiKey: Secret;
}

/** Fields of {@link LogsAndMetrics}, for forms that have more fields. `secret` is the form of secrets. */
export function logsAndMetricsShape<Secret extends z.ZodType>(secret: Secret) {
    return {
        papertrail: papertrailForm.optional(),
        logrotate: z.union([z.literal(true), logrotateForm], { message: "expected true, or settings" }).optional(),
        datadog: z.strictObject({ ...datadogShape, apiKey: secret }).optional(),
    };
}

const { requests: _, ...papertrailSettings } = papertrailShape;
const papertrailForm = formOf<PapertrailSettings>()(z.strictObject(papertrailSettings));
const logrotateForm = formOf<LogrotateArgs>()(z.strictObject(logrotateShape));

/** The slot of Datadog's API key. */
export const apiKeySlot = "datadog.api-key";

/** Where rsyslog takes lines: by UDP, so that HAProxy never waits, before and after it has changed its root directory. */
const logTarget: LogTarget = {
    address: `127.0.0.1:${LOG_PORT}`,
    length: 8192,
    format: "rfc5424",
    facility: "local0",
    level: "info",
};

/** Where Datadog's agent finds the metrics if the configuration does not say it. */
const metricsBind: PortBind = { address: "127.0.0.1", port: 8405 };

/** Whether rsyslog writes HAProxy's log lines to a file. */
function writesFile({ papertrail: forward, logrotate: rotation, datadog: agent }: LogsAndMetrics<unknown>): boolean {
    return forward !== undefined || rotation !== undefined || (agent !== undefined && agent.logs !== false);
}

/** The configuration with a log target and metrics for what is declared beside it. */
export function withLogsAndMetrics(config: HaproxyConfig, declared: LogsAndMetrics<unknown>): HaproxyConfig {
    const { global, metrics } = config;
    const writes = writesFile(declared);
    const reports = declared.datadog !== undefined && metrics === undefined;
    return writes || reports
        ? {
              ...config,
              ...(writes && { global: { ...global, log: [...(global?.log ?? []), logTarget] } }),
              ...(reports && { metrics: { bind: metricsBind } }),
          }
        : config;
}

/**
 * A run list of HAProxy, and what is declared beside it.
 *
 * @param config with log target and metrics
 * @param haproxy what the recipe makes of it
 * @param services names of what is balanced, for tags
 */
export function runListWithLogs(
    config: HaproxyConfig,
    haproxy: readonly Resource[],
    declared: LogsAndMetrics<unknown>,
    services: readonly string[],
): Resource[] {
    const { papertrail: forward, logrotate: rotation, datadog: agent } = declared;
    const requests = logRequests(config);
    const forwarded = forward && { ...forward, requests };
    const logs = forwarded ? forwarding(forwarded) : writesFile(declared) ? rsyslog({ requests }) : [];
    const isPackages = ({ kind }: Resource) => kind === "packages";
    return [
        // If these cannot be had, HAProxy goes on to log where it did.
        ...logs.filter(isPackages),
        ...haproxy,
        ...logs.filter((resource) => !isPackages(resource)),
        ...(rotation ? logrotate(rotation === true ? {} : rotation) : []),
        ...(agent ? datadogResources(config, agent, services) : []),
        // Last, so that a receiver that is away keeps nothing else from being converged.
        ...(forwarded ? [forwardProof(forwarded)] : []),
    ];
}

/** Issues of Datadog's tags. */
export function datadogTagIssues({ datadog: agent }: LogsAndMetrics<unknown>): Issue[] {
    if (agent === undefined) {
        return [];
    }
    const at = ({ path, message }: FormIssue) => ({ path: `datadog.${path}`, message });
    const errors = tagIssues(agent).map((issue): Issue => ({ rule: "tag", ...at(issue), severity: "error" }));
    return errors.length > 0
        ? errors
        : tagWarnings(agent).map((issue): Issue => ({ rule: "rewritten-tag", ...at(issue), severity: "warning" }));
}

/** Targets whose lines rsyslog gets: its port, and the socket in HAProxy's chroot. */
const toRsyslog = /^(127\.0\.0\.1(:514)?|\/dev\/log)$/;

/**
 * Issues of log targets: ours is gone, so rsyslog gets nothing; or another one reaches rsyslog, too, so that each line would be written,
 * forwarded and counted twice.
 *
 * @param config as customized
 */
export function logTargetIssues({ global }: HaproxyConfig, declared: LogsAndMetrics<unknown>): Issue[] {
    if (!writesFile(declared)) {
        return [];
    }
    const targets = (global?.log ?? []).map(({ address }) => address);
    const ours = targets.lastIndexOf(logTarget.address);
    const found =
        ours < 0
            ? [
                  {
                      path: "global.log",
                      message: `rsyslog gets no line of HAProxy; keep the target ${logTarget.address} when you customize`,
                  },
              ]
            : targets.flatMap((address, index) => {
                  const message = `rsyslog may get each line by ${address} and by ${logTarget.address}, and write it twice; remove this target`;
                  return toRsyslog.test(address) && index !== ours ? [{ path: `global.log[${index}]`, message }] : [];
              });
    return found.map((issue): Issue => ({ rule: "log-target", ...issue, severity: "warning" }));
}

function datadogResources(
    { metrics: { bind, uri = "/metrics" } = { bind: metricsBind } }: HaproxyConfig,
    agent: DatadogSettings<unknown>,
    services: readonly string[],
): Resource[] {
    const scheme = bind.ssl === undefined ? "http" : "https";
    return datadog({
        ...agent,
        apiKey: slot(apiKeySlot),
        endpoint: `${scheme}://${ownAddress(bind)}:${bind.port}${uri}`,
        tags: { ...(services.length > 0 && { service: services }), ...agent.tags },
    });
}

/** The address by which the host itself reaches a bind, as in a URL. */
function ownAddress(bind: PortBind): string {
    const addresses = addressesOf(bind);
    const has = (...these: string[]) => these.some((address) => addresses.includes(address));
    if (has("127.0.0.1", "*", "0.0.0.0") || (has("::") && !bind.v6only)) {
        return "127.0.0.1";
    }
    const [address = ""] = has("::") ? ["::1"] : addresses;
    return address.includes(":") ? `[${address}]` : address;
}

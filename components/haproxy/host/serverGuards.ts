import type { Backend, HaproxyConfig } from "../model";
import { milliseconds } from "../model/durations";
import type { AnyProxy } from "../model/lookup";
import { type IssueList, show } from "../validate/issues";

/** In seconds. A converge ends after 15 minutes, and its waits end 2 minutes before. */
const longestDrain = 600;

/** Checks `minServers` and `drain`, which HAProxy never sees. */
export function serverGuardIssues(backend: AnyProxy, path: string, where: string, issues: IssueList): void {
    const { minServers, drain } = backend;
    const count = serverCount(backend);
    if (minServers !== undefined && count !== undefined && count < minServers) {
        // A host judges only changes, so one that is as declared reports nothing.
        issues.warning(
            "min-servers",
            `${path}.minServers`,
            `minServers of ${where}: ${count} ${count === 1 ? "server is" : "servers are"} declared or found, backups not counted, but it is ${minServers}, so hosts refuse the next change; add servers, correct their tags, lower it, or set allowShrink`,
        );
    }
    const length = drain === undefined ? 0 : milliseconds(drain);
    if (drain !== undefined && (length === undefined || length > longestDrain * 1000)) {
        issues.error(
            "drain",
            `${path}.drain`,
            `drain of ${where}: ${show(drain)} is not a duration of at most 10 minutes, which is how long a converge waits; use one like "30s"`,
        );
    }
}

/** The number of servers that are not backups; undefined if raw lines can add some. */
function serverCount({ servers = [], serverTemplates = [], defaultServer, raw = [] }: AnyProxy): number | undefined {
    if (raw.some((line) => /^\s*(default-server|server|server-template)\s/.test(line))) {
        return undefined;
    }
    const counted = [...servers, ...serverTemplates].filter(({ backup = defaultServer?.backup }) => !backup);
    return counted.reduce((sum, server) => sum + ("count" in server ? server.count : 1), 0);
}

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

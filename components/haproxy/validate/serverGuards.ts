import { milliseconds } from "../model/durations";
import type { AnyProxy } from "../model/lookup";
import { type IssueList, show } from "./issues";

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
            `minServers of ${where}: it is ${minServers}, but only ${count} ${count === 1 ? "server is" : "servers are"} declared or found (without backups), so hosts refuse the next change; add servers, correct their tags, lower it, or allow it once: pulumi up --config allowShrink=true`,
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

import type { HaproxyConfig } from "../model";
import { milliseconds } from "../model/durations";
import type { AnyProxy } from "../model/lookup";
import { declared, type Issue, IssueList, show } from "./issues";

/** In seconds. A converge ends after 15 minutes, and its waits end 2 minutes before. */
const longestDrain = 600;

/** Finds names in `acceptDown` that no section with servers has. */
export function acceptDownIssues({ backends, listens = [] }: HaproxyConfig, names: readonly string[] = []): Issue[] {
    const known = [...backends, ...listens].map(({ name }) => name);
    const unknown = names.filter((name) => !known.includes(name));
    const list = new IssueList();
    if (unknown.length > 0) {
        const remedy = declared(known, "backend");
        list.error("unknown-reference", "acceptDown", `${unknown.map(show).join(", ")}: no such backend; ${remedy}`);
    }
    return list.issues;
}

/** Checks `minServers`, `minUp` and `drain`, which HAProxy never sees. */
export function serverGuardIssues(backend: AnyProxy, path: string, where: string, issues: IssueList): void {
    const { minServers, minUp, drain } = backend;
    const { count, backups } = serverCounts(backend) ?? {};
    if (minServers !== undefined && count !== undefined && count < minServers) {
        // A host judges only changes, so one that is as declared reports nothing.
        issues.warning(
            "min-servers",
            `${path}.minServers`,
            `minServers of ${where}: it is ${minServers}, but only ${count} ${count === 1 ? "server is" : "servers are"} declared or found (without backups), so hosts refuse the next change; add servers, correct their tags, lower it, or allow it once: pulumi up --config allowShrink=true`,
        );
    }
    const possible = count || backups;
    if (typeof minUp === "number" && possible && possible < minUp) {
        issues.error(
            "min-up",
            `${path}.minUp`,
            `minUp of ${where}: it is ${minUp}, but only ${possible} ${possible === 1 ? "server is" : "servers are"} declared or found${count ? " (without backups)" : ""}, so hosts would undo every change; add servers, correct their tags, or lower it`,
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

/** The numbers of servers that are not backups, and of backups; undefined if raw lines can add some. */
function serverCounts({
    servers = [],
    serverTemplates = [],
    defaultServer,
    raw = [],
}: AnyProxy): { count: number; backups: number } | undefined {
    if (raw.some((line) => /^\s*(default-server|server|server-template)\s/.test(line))) {
        return undefined;
    }
    const counted = (backups: boolean) =>
        [...servers, ...serverTemplates]
            .filter(({ backup = defaultServer?.backup }) => Boolean(backup) === backups)
            .reduce((sum, server) => sum + ("count" in server ? server.count : 1), 0);
    return { count: counted(false), backups: counted(true) };
}

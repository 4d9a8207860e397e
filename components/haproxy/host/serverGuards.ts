import type { Backend, HaproxyConfig } from "../model";
import type { AnyProxy } from "../model/lookup";
import { type IssueList, milliseconds } from "../validate/issues";

/** A converge ends after 15 minutes, its waits 2 before that. */
const longestDrain = 600;

/** Faults of what a backend says of servers that go: `minServers`, `maxShrinkPercent` and `drain`. */
export function serverGuardIssues(backend: AnyProxy, path: string, where: string, issues: IssueList): void {
    const { minServers, maxShrinkPercent, drain } = backend;
    issues.whole(minServers, 1, 100_000, `${path}.minServers`, `minServers of ${where}`);
    const count = serverCount(backend);
    if (minServers !== undefined && count !== undefined && count < minServers) {
        // A host judges changes: one that is as declared says nothing.
        issues.warning(
            `${path}.minServers`,
            `minServers of ${where} is ${minServers}, but ${count} ${count === 1 ? "server is" : "servers are"} declared or found, backups not counted, so hosts refuse the next change without allowShrink: add servers, correct their tags or lower it`,
        );
    }
    issues.whole(maxShrinkPercent, 0, 100, `${path}.maxShrinkPercent`, `maxShrinkPercent of ${where}`);
    issues.duration(drain, `${path}.drain`, `drain of ${where}`);
    if (seconds(drain) > longestDrain) {
        issues.error(
            `${path}.drain`,
            `drain ${drain} of ${where} is longer than a converge may wait: use at most "10m"`,
        );
    }
}

/** Servers that are no backups; undefined where raw lines may have some. */
function serverCount({ servers = [], serverTemplates = [], defaultServer, raw = [] }: AnyProxy): number | undefined {
    if (raw.some((line) => /^\s*(default-server|server|server-template)\s/.test(line))) {
        return undefined;
    }
    const counted = [...servers, ...serverTemplates].filter(({ backup }) => !(backup || defaultServer?.backup));
    return counted.reduce((sum, server) => sum + ("count" in server ? server.count : 1), 0);
}

/**
 * What the host's adapter is to hold new servers against, a line per backend that says something of it.
 *
 * @param allowShrink whether guards do not count this time
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

import { type HaproxyConfig, type Issue, IssueList } from "../haproxy/index";
import { checkOf } from "./pair";
import type { Pair, PairSettings } from "./types";

/**
 * The issue of a health page that is declared beside that of the pair, which would take its place.
 *
 * @param config without the page of the pair
 */
export function healthPageIssues({ health }: HaproxyConfig, settings: PairSettings): Issue[] {
    const issues = new IssueList();
    if (health !== undefined) {
        const { port } = checkOf(settings);
        issues.error(
            "pair-check",
            "health",
            `health: the page on port ${health.port} would be lost, because a pair has its own on port ${port}, for its two hosts only; ` +
                "remove it (check.port of the pair moves that one), and answer others by a frontend with monitor-uri",
        );
    }
    return issues.issues;
}

/**
 * Adds the page by which keepalived, and the other host, find out whether HAProxy serves. Both hosts have the same page, which answers
 * only them.
 *
 * @param config in which `healthPageIssues` and `pairBindIssues` find no error
 */
export function withHealthPage(config: HaproxyConfig, { settings, hosts }: Pair): HaproxyConfig {
    const { port, needs } = checkOf(settings);
    const from = hosts.map(({ address }) => address);
    return { ...config, health: { port, from, ...(needs.length > 0 && { needs }) } };
}

import type { HaproxyConfig } from "../haproxy/index";
import { checkOf } from "./pair";
import type { Pair } from "./types";

/**
 * Adds the page by which keepalived, and the other host, find out whether HAProxy serves. Both hosts have the same page, which answers
 * only them.
 *
 * @param config in which `pairBindIssues` finds no error
 */
export function withHealthPage(config: HaproxyConfig, { settings, hosts }: Pair): HaproxyConfig {
    const { port, needs } = checkOf(settings);
    const from = hosts.map(({ address }) => address);
    return { ...config, health: { port, from, ...(needs.length > 0 && { needs }) } };
}

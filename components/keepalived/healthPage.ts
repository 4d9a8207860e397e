import type { HaproxyConfig } from "../haproxy/index";
import { checkOf } from "./pair";
import type { Pair } from "./types";

/** Name of its frontend. */
export const healthPageName = "pair-health";

/**
 * Adds the page by which keepalived, and the other host, find out whether HAProxy serves: it answers `/` itself, with 200, or with 503 if
 * a service that the pair needs has no server left. Only the two hosts are answered. Both have the same page.
 *
 * @param config in which `pairBindIssues` finds no error
 */
export function withHealthPage(config: HaproxyConfig, { settings, hosts }: Pair): HaproxyConfig {
    const { port, needs } = checkOf(settings);
    const sources = ["127.0.0.0/8", ...hosts.map(({ address }) => address)];
    return {
        ...config,
        frontends: [
            ...config.frontends,
            {
                name: healthPageName,
                mode: "http",
                binds: [{ port }],
                // Two hosts ask, one request at a time.
                maxconn: 100,
                timeouts: { client: "5s", httpRequest: "5s", httpKeepAlive: "1s" },
                raw: ["no log", "monitor-uri /", ...needs.map((name) => `monitor fail if { nbsrv(${name}) eq 0 }`)],
                tcpRequestRules: [{ at: "connection", action: "reject", unless: [`{ src ${sources.join(" ")} }`] }],
            },
        ],
    };
}

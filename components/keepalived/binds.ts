import {
    addressesOf,
    allBinds,
    canonical,
    type HaproxyConfig,
    hostRequirements,
    type Issue,
    IssueList,
    type Listener,
    portsOf,
} from "../haproxy/index";
import { checkOf, isIPv6Network, sidesOf, withoutPrefix } from "./pair";
import type { Pair } from "./types";

/**
 * Issues of a host's binds in a pair. A bind to a service address alone is refused: on the BACKUP, a request to it would be answered by
 * the MASTER, and nothing could prove the BACKUP.
 *
 * @param config without the health page
 * @param host name of the host
 */
export function pairBindIssues(config: HaproxyConfig, pair: Pair, host: string): Issue[] {
    const issues = new IssueList();
    const { own } = sidesOf(pair, host);
    const { port: healthPort } = checkOf(pair.settings);
    const listeners = hostRequirements(config).binds;
    const service = serviceAddresses(pair);
    const paths = placesOf(config);
    const reported = new Set<string>();
    for (const { address, port } of listeners) {
        const { path, where } = paths.get(`${canonical(address)} ${port}`) ?? { path: "", where: "a raw line" };
        const report = (problem: string) => {
            if (!reported.has(`${path} ${address} ${problem}`)) {
                reported.add(`${path} ${address} ${problem}`);
                issues.error("pair-bind", path, `bind of ${where}: ${problem}`);
            }
        };
        if (port === healthPort) {
            report(`the health page of the pair has port ${port}; use another port, or set check.port of the pair`);
        }
        if (!service.has(canonical(address))) {
            continue;
        }
        const isIPv6 = isIPv6Network(address);
        const others = [own.address, ...(isIPv6 ? ["::"] : ["*", "0.0.0.0", "::"])];
        const proves = (other: Listener) =>
            other.port === port && others.includes(canonical(other.address)) && (isIPv6 || !other.v6only);
        if (!listeners.some(proves)) {
            report(
                `only the MASTER has ${address}, so on the BACKUP nothing could be proven at port ${port}; leave the address out to ` +
                    `listen on all, or bind ${isIPv6 ? '"::"' : addressInWords(own.address)} with the same port as well`,
            );
        }
    }
    return issues.issues;
}

/**
 * Whether HAProxy binds a service address, which a BACKUP does not have: its host needs `net.ipv4.ip_nonlocal_bind` (argument
 * `nonlocalBind` of the recipe `tuning`).
 */
export function needsNonlocalBind(config: HaproxyConfig, pair: Pair): boolean {
    const service = serviceAddresses(pair);
    return hostRequirements(config).binds.some(({ address }) => service.has(canonical(address)));
}

/** Addresses that only the MASTER has. Both hosts have one of their own for an elastic IP address, all the time. */
function serviceAddresses({ settings }: Pair): ReadonlySet<string> {
    return new Set((settings.addresses ?? []).map((address) => canonical(withoutPrefix(address))));
}

/** Where a port of an address is declared. */
function placesOf(config: HaproxyConfig): ReadonlyMap<string, { readonly path: string; readonly where: string }> {
    return new Map(
        allBinds(config).flatMap(({ bind, path, where }) =>
            "path" in bind
                ? []
                : addressesOf(bind).flatMap((address) =>
                      portsOf(bind).map((port) => [`${canonical(address)} ${port}`, { path, where }] as const),
                  ),
        ),
    );
}

/** An address that is not known yet is a slot. */
function addressInWords(address: string): string {
    return address.includes("\0") ? "the host's own address" : `the host's own address ${address}`;
}

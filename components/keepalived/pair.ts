import { canonical } from "../haproxy/index";
import { isNetwork, rangeOf } from "../networks";
import type { Pair, PairCheck, PairMember, PairSettings } from "./types";

/** Where a pair's files are on a host. */
export const pairPaths = {
    directory: "/etc/keepalived",
    config: "/etc/keepalived/keepalived.conf",
    /** What the pair's programs read. */
    settings: "/etc/keepalived/pair.conf",
    /** `1` makes the host stand by. */
    standby: "/etc/keepalived/standby",
    /** Not `0`: the host has handed the address over for a moment. */
    yield: "/run/haproxy-fleet-pair/yield",
    /** One line, `interface NAME`: the one that has the host's own address, which the host finds out itself. */
    device: "/run/haproxy-fleet-pair/interface.conf",
    programs: "/usr/local/libexec/haproxy-fleet",
} as const;

/** What is rendered for a setting that is not declared. */
export const pairDefaults = {
    priorities: [101, 100],
    advertise: 1,
    noneServes: "keep",
    interval: 2,
    fall: 2,
    rise: 2,
    port: 8407,
} as const;

/** The longest time that keepalived gives a check, in seconds, however rarely it checks. */
const longestTimeout = 5;
/** The shortest one: a check is a new process, which a busy host may start late. */
const shortestTimeout = 0.5;

/** A check with everything that is computed. */
export interface ResolvedCheck extends Required<PairCheck> {
    /** Seconds after which keepalived ends a check and takes it for failed. */
    readonly timeout: number;
}

/** The check with its defaults. */
export function checkOf({ check = {} }: PairSettings): ResolvedCheck {
    const { interval = pairDefaults.interval, fall = pairDefaults.fall, rise = pairDefaults.rise } = check;
    const { port = pairDefaults.port, needs = [] } = check;
    return {
        interval,
        fall,
        rise,
        port,
        needs,
        // Releases that know whole seconds only refuse a timeout below 1 as well.
        timeout: interval < 1 ? Math.max(interval, shortestTimeout) : Math.min(interval, longestTimeout),
    };
}

/**
 * Computes a pair. Both hosts are rendered from it.
 *
 * @param settings in which `pairIssues` finds no error
 * @param members the first is preferred with failback `immediate`
 * @throws {Error} If there are not two members.
 */
export function resolvePair(name: string, settings: PairSettings, members: readonly PairMember[]): Pair {
    const [first, second, ...more] = members;
    if (first === undefined || second === undefined || more.length > 0) {
        throw new Error(`pair ${name}: ${members.length} hosts; declare two`);
    }
    return { name, hosts: [first, second], settings, routerId: settings.routerId ?? routerIdOf(name) };
}

/** A router id, 1 to 255, from the name of a pair: FNV-1a over its UTF-8, so that it stays the same everywhere. */
export function routerIdOf(name: string): number {
    const hash = Buffer.from(name, "utf8").reduce(
        (value, byte) => Math.imul(value ^ byte, 0x01000193) >>> 0,
        0x811c9dc5,
    );
    return (hash % 255) + 1;
}

/**
 * The host and its peer.
 *
 * @throws {Error} If the pair has no such host.
 */
export function sidesOf({ name, hosts: [first, second] }: Pair, host: string): { own: PairMember; peer: PairMember } {
    if (host !== first.name && host !== second.name) {
        throw new Error(`pair ${name}: it has no host ${host}; its hosts are ${first.name} and ${second.name}`);
    }
    return host === first.name ? { own: first, peer: second } : { own: second, peer: first };
}

/**
 * The address that a pair with an elastic IP address gives its MASTER on the loopback interface, because VRRP wants one: link-local, so
 * that no network routes it. The same on both hosts.
 */
export function dummyAddress({ routerId }: Pick<Pair, "routerId">): string {
    return `169.254.112.${routerId}`;
}

/** The addresses that the MASTER has and the BACKUP has not, with prefix lengths, as the hosts' own tools print them. */
export function addressesOfPair(pair: Pair): string[] {
    const { addresses } = pair.settings;
    return addresses === undefined ? [`${dummyAddress(pair)}/32`] : addresses.map(asPrinted);
}

function asPrinted(address: string): string {
    return withPrefix(address).replace(/^[^/]+/, canonical);
}

/** The address with its prefix length; without one it is a network of its own. */
export function withPrefix(address: string): string {
    return address.includes("/")
        ? address
        : `${address}/${isNetwork(address) && rangeOf(address).family === 6 ? 128 : 32}`;
}

/** An address without its prefix length. */
export function withoutPrefix(address: string): string {
    return address.replace(/\/.*$/s, "");
}

/** Whether the text is an IPv6 address or network. */
export function isIPv6Network(address: string): boolean {
    return isNetwork(address) && rangeOf(address).family === 6;
}

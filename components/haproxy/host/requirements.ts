import { posix } from "node:path";
import { isSlot } from "../../convergence/slots";
import type { Bind, HaproxyConfig, Mode, Server } from "../model";
import { isAddress, withoutFamily } from "../model/addresses";
import { globalDefaults } from "../model/defaults";
import { seconds } from "../model/durations";
import { addressesOf, localPeers, modeOf, portsOf } from "../model/lookup";
import { usesTls } from "../model/tls";

/** What a configuration needs from its host that `haproxy -c` does not check. */
export interface HostRequirements {
    /** Raw `bind` lines included. */
    readonly binds: readonly Listener[];
    /** Directory that must exist, belong to root, and not be writable by HAProxy's user. */
    readonly chroot: string;
    /** Directories that must exist. */
    readonly socketDirectories: readonly string[];
    readonly maxconn: number;
    /**
     * File descriptors; more than HAProxy's own count (measured: 100028 for 50000 connections, one frontend and one server).
     */
    readonly fileDescriptors: number;
    /**
     * Kilobytes for the declared connections at their busiest, including kernel buffers: 50 for each, 125 with TLS to clients or to
     * servers, 200 with both (manual: `maxconn` in section 4.2, and "Sizing" in the intro). Old workers need more.
     */
    readonly memory: number;
    /** Seconds after a reload until the old worker is ended with its connections. */
    readonly hardStopAfter: number;
    /** Server names that the host must be able to resolve. */
    readonly serverNames: readonly string[];
}

/** A port that HAProxy listens on. */
export interface Listener {
    /** `*` is all IPv4 addresses, `::` all IPv6 addresses. */
    readonly address: string;
    readonly port: number;
    /** `http` if a plain request gets an answer; `tcp` with TLS, the proxy protocol or raw parameters. */
    readonly mode: Mode;
    /** The interface on which connections must arrive; the host's own connections do not. */
    readonly interface?: string;
    /** Accepts connections to addresses that the host may not have or reach. */
    readonly transparent?: boolean;
    /** An IPv6 address that accepts no IPv4 connections. */
    readonly v6only?: boolean;
}

/** Computes the requirements of a configuration. */
export function hostRequirements(config: HaproxyConfig): HostRequirements {
    const { global = {}, frontends, backends, listens = [], stats, metrics, health } = config;
    const sections = [...frontends, ...listens];
    const binds = [
        ...sections.flatMap((section) => [
            ...section.binds.flatMap((bind) => listeners(bind, modeOf(section, config))),
            // A raw bind may have TLS or the proxy protocol.
            ...(section.raw ?? []).flatMap(rawBinds).map((bind) => ({ ...bind, mode: "tcp" as const })),
        ]),
        ...[stats?.bind, metrics?.bind, health && { port: health.port }].flatMap((bind) =>
            bind ? listeners(bind, "http") : [],
        ),
        // HAProxy itself resolves names.
        ...localPeers(config)
            .filter(({ peer }) => isAddress(peer.address) && !isSlot(peer.port))
            .map(({ peer: { address, port } }) => ({ address, port, mode: "tcp" as const })),
    ];
    const files = sections.flatMap((section) => section.binds).flatMap((bind) => ("path" in bind ? [bind.path] : []));
    const servers = [...backends, ...listens].flatMap((backend) => backend.servers);
    const templates = [...backends, ...listens].flatMap(({ serverTemplates = [] }) => serverTemplates);
    const slots = templates.reduce((sum, { count }) => sum + count, 0);
    const maxconn = global.maxconn ?? globalDefaults.maxconn;
    const sockets = global.statsSockets ?? globalDefaults.statsSockets;
    return {
        binds,
        chroot: global.chroot ?? globalDefaults.chroot,
        socketDirectories: unique([...sockets.map(({ path }) => path), ...files].map((path) => posix.dirname(path))),
        maxconn,
        fileDescriptors: descriptors(maxconn, binds.length + files.length, servers.length + slots),
        memory: memoryNeeded(maxconn, config),
        hardStopAfter: seconds(global.hardStopAfter ?? globalDefaults.hardStopAfter),
        serverNames: unique(servers.filter(mustResolve).map(({ address }) => withoutFamily(address))),
    };
}

/** Two per connection, two per listener and server, and 1000 for the rest. */
export function descriptors(maxconn: number, listeners: number, servers: number): number {
    return 2 * maxconn + 2 * (listeners + servers) + 1000;
}

function memoryNeeded(maxconn: number, config: HaproxyConfig): number {
    const { clients, servers } = usesTls(config);
    return maxconn * (clients && servers ? 200 : clients || servers ? 125 : 50);
}

/** The ports of a bind by address. */
export function listeners(bind: Bind, mode: Mode): Listener[] {
    if ("path" in bind) {
        return [];
    }
    const { transparent, v6only, raw = "" } = bind;
    // HAProxy itself resolves names.
    const addresses = addressesOf(bind).filter((address) => address === "*" || isAddress(address));
    return addresses.flatMap((address) =>
        portsOf(bind).map((port) => ({
            address,
            port,
            mode: speaksPlainly(bind) ? mode : "tcp",
            ...rawRestrictions(raw),
            ...(bind.interface !== undefined && { interface: bind.interface }),
            ...(transparent && { transparent }),
            ...(v6only && { v6only }),
        })),
    );
}

/** Whether a plain HTTP request gets an answer there; raw parameters might require TLS. */
function speaksPlainly(bind: Bind): boolean {
    return !bind.ssl && !bind.acceptProxy && !bind.raw;
}

/** Raw parameters of a bind that restrict who can connect. */
function rawRestrictions(text: string): Pick<Listener, "interface" | "transparent" | "v6only"> {
    const device = /(?:^|\s)interface\s+(\S+)/.exec(text)?.[1];
    return {
        ...(device !== undefined && { interface: device }),
        ...(/(?:^|\s)transparent(?:\s|$)/.test(text) && { transparent: true }),
        ...(/(?:^|\s)v6only(?:\s|$)/.test(text) && { v6only: true }),
    };
}

/** With `none` in `init-addr`, HAProxy starts even if a name does not resolve. The name in a slot may be secret. */
function mustResolve({ address, initAddr }: Server): boolean {
    return !isSlot(address) && !isAddress(address) && !initAddr?.split(",").includes("none");
}

/** Listeners of a raw `bind` line (section 4.2): addresses with one port each; HAProxy itself judges ranges and sockets. */
function rawBinds(line: string): Omit<Listener, "mode">[] {
    const [, list = "", parameters = ""] = /^\s*bind\s+(\S+)(.*)/.exec(line) ?? [];
    return list.split(",").flatMap((part) => {
        const [, address = "", port] = /^(?:ipv[46]@)?([0-9a-fA-F.:*[\]]*):(\d+)$/.exec(part) ?? [];
        return port
            ? [{ address: address.replace(/^\[|\]$/g, "") || "*", port: Number(port), ...rawRestrictions(parameters) }]
            : [];
    });
}

function unique(list: readonly string[]): string[] {
    return [...new Set(list)].sort();
}

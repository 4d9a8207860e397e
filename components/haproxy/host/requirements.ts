import { posix } from "node:path";
import type { Bind, HaproxyConfig, Mode, Server } from "../model";
import { isAddress } from "../model/addresses";
import { globalDefaults } from "../model/defaults";
import { milliseconds } from "../model/durations";
import { localPeers, modeOf, portsOf } from "../model/lookup";
import { addressesOf, speaksPlainly } from "../render/binds";

/** What haproxy.cfg demands of its host, and `haproxy -c` does not check. */
export interface HostRequirements {
    /** Raw `bind` lines included. */
    readonly binds: readonly Listener[];
    /** Directory that must exist, belong to root and not be writable by HAProxy's user. */
    readonly chroot: string;
    /** Directories that must exist. */
    readonly socketDirectories: readonly string[];
    readonly maxconn: number;
    /**
     * File descriptors, above HAProxy's own count (measured: 100028 for 50000 connections, one frontend and one server).
     */
    readonly fdsNeeded: number;
    /**
     * Kilobytes that the declared connections take at their busiest, kernel buffers included: 50 for each, 125 with TLS to clients or
     * to servers, 200 with both (manual: `maxconn` of section 4.2, and "Sizing" of the intro). Workers of before a reload add to it.
     */
    readonly memoryNeeded: number;
    /** Seconds after which the process of before a reload is ended, connections and all. */
    readonly hardStopAfter: number;
    /** Server addresses that the host must be able to resolve. */
    readonly serverNames: readonly string[];
}

/** A port that HAProxy listens on. */
export interface Listener {
    /** `*` stands for all IPv4 addresses, `::` for all of IPv6. */
    readonly address: string;
    readonly port: number;
    /** http: a plain request gets an answer there. With TLS, the proxy protocol or raw parameters it is tcp. */
    readonly mode: Mode;
    /** The interface that connections must come in by: those that the host makes to itself do not. */
    readonly interface?: string;
    /** Takes connections to addresses that are not the host's; it need not have this one, and may not reach it. */
    readonly transparent?: boolean;
    /** An IPv6 address that takes no IPv4 connections. */
    readonly v6only?: boolean;
}

/** What a configuration demands of its host. */
export function hostRequirements(config: HaproxyConfig): HostRequirements {
    const { global = {}, frontends, backends, listens = [], stats } = config;
    const sections = [...frontends, ...listens];
    const binds = [
        ...sections.flatMap((section) => [
            ...section.binds.flatMap((bind) => listeners(bind, modeOf(section, config))),
            // What a raw bind speaks is not known: it may have TLS or the proxy protocol.
            ...(section.raw ?? []).flatMap(rawBinds).map((bind) => ({ ...bind, mode: "tcp" as const })),
        ]),
        ...(stats ? listeners(stats.bind, "http") : []),
        // Which address a name has is for HAProxy to find out.
        ...localPeers(config)
            .filter(({ peer }) => isAddress(peer.address))
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
        fdsNeeded: descriptors(maxconn, binds.length + files.length, servers.length + slots),
        memoryNeeded: memoryNeeded(maxconn, config),
        hardStopAfter: Math.ceil((milliseconds(global.hardStopAfter ?? globalDefaults.hardStopAfter) ?? 0) / 1000),
        serverNames: unique(servers.filter(mustResolve).map(({ address }) => address)),
    };
}

/** Two per connection, two per listener and server, and 1000 for the rest. */
export function descriptors(maxconn: number, listeners: number, servers: number): number {
    return 2 * maxconn + 2 * (listeners + servers) + 1000;
}

function memoryNeeded(maxconn: number, { frontends, backends, listens = [] }: HaproxyConfig): number {
    const clients = [...frontends, ...listens].some(({ binds }) => binds.some(isTls));
    const servers = [...backends, ...listens].some(
        ({ servers: list, serverTemplates = [], defaultServer = {} }) =>
            (list.length + serverTemplates.length > 0 && isTls(defaultServer)) ||
            [...list, ...serverTemplates].some(isTls),
    );
    return maxconn * (clients && servers ? 200 : clients || servers ? 125 : 50);
}

function isTls({ ssl, raw = "" }: { readonly ssl?: object | false; readonly raw?: string }): boolean {
    return Boolean(ssl) || /(?:^|\s)ssl(?:\s|$)/.test(raw);
}

function listeners(bind: Bind, mode: Mode): Listener[] {
    if ("path" in bind) {
        return [];
    }
    const { transparent, v6only, raw = "" } = bind;
    // Which addresses a name has is for HAProxy to find out.
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

/** What raw parameters of a bind say of who can connect. */
function rawRestrictions(text: string): Pick<Listener, "interface" | "transparent" | "v6only"> {
    const device = /(?:^|\s)interface\s+(\S+)/.exec(text)?.[1];
    return {
        ...(device !== undefined && { interface: device }),
        ...(/(?:^|\s)transparent(?:\s|$)/.test(text) && { transparent: true }),
        ...(/(?:^|\s)v6only(?:\s|$)/.test(text) && { v6only: true }),
    };
}

/** `init-addr` with `none` lets HAProxy start with a name that does not resolve yet. */
function mustResolve({ address, initAddr }: Server): boolean {
    return !isAddress(address) && !initAddr?.split(",").includes("none");
}

/** Section 4.2, keyword `bind`: addresses with one port each; ranges and sockets are left to HAProxy. */
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

import type { PortBind } from "./binds";
import type { Defaults, HaproxyConfig } from "./config";
import { globalDefaults } from "./defaults";
import type { Backend, Frontend, Listen, Mode, ProxySection } from "./proxies";
import type { Peer } from "./sections";
import type { ServerOptions } from "./servers";

/** Any proxy section; fields that it cannot have are undefined. */
export type AnyProxy = ProxySection & Partial<Frontend> & Partial<Backend>;

/** A proxy section, its keyword and its path in the model. */
export interface PlacedProxy {
    readonly section: "frontend" | "backend" | "listen";
    readonly path: string;
    readonly proxy: AnyProxy;
}

/** All proxy sections, in the order of the file. */
export function allProxies({ frontends, backends, listens = [] }: HaproxyConfig): PlacedProxy[] {
    const placed = (section: PlacedProxy["section"], list: readonly (Frontend | Backend | Listen)[]) =>
        list.map((proxy, i): PlacedProxy => ({ section, path: `${section}s[${i}]`, proxy }));
    return [...placed("frontend", frontends), ...placed("backend", backends), ...placed("listen", listens)];
}

/** The mode of a section, from its defaults if it declares none. */
export function modeOf({ mode, from }: { readonly mode?: Mode; readonly from?: string }, config: HaproxyConfig): Mode {
    return mode ?? defaultsOf(from, config)?.mode ?? "http";
}

/** The `defaults` that a section uses. */
export function defaultsOf(from: string | undefined, config: HaproxyConfig): Defaults | undefined {
    return from === undefined ? config.defaults : config.namedDefaults?.find(({ name }) => name === from);
}

/** Whether a reload keeps the states of servers. */
export function keepsServerStates({ global = {} }: HaproxyConfig): boolean {
    return global.serverStates ?? globalDefaults.serverStates;
}

/** Every port of a bind's range; only the first port of an invalid range. */
export function portsOf({ port, portEnd = port }: { readonly port: number; readonly portEnd?: number }): number[] {
    return portEnd > port && portEnd <= 65_535
        ? Array.from({ length: portEnd - port + 1 }, (_, i) => port + i)
        : [port];
}

/** Peers that the host itself listens as: those without a name. Others may be any host. */
export function localPeers({ peers = [] }: HaproxyConfig): { peer: Peer; path: string; where: string }[] {
    return peers.flatMap((section, i) =>
        section.peers.flatMap((peer, j) =>
            peer.name === undefined ? [{ peer, path: `peers.${i}.peers.${j}`, where: `peers ${section.name}` }] : [],
        ),
    );
}

/** All addresses of a bind. */
export function addressesOf({ address = "*" }: PortBind): readonly string[] {
    return typeof address === "string" ? [address] : address;
}

/** Whether a section has servers, declared or in raw lines, or places for those that HAProxy finds by DNS. */
export function hasServers({ servers = [], serverTemplates = [], raw }: AnyProxy): boolean {
    return servers.length + serverTemplates.length > 0 || hasLine(raw, "server") || hasLine(raw, "server-template");
}

/** Whether a server's health is checked; `defaults`: those of its section's `default-server`. */
export function isChecked({ check }: ServerOptions, defaults: ServerOptions = {}): boolean {
    return check ?? defaults.check ?? true;
}

/** Whether one of the raw lines begins with these words. */
export function hasLine(raw: readonly string[] | undefined, words: string): boolean {
    if (raw === undefined || raw.length === 0) {
        return false;
    }
    const pattern = new RegExp(`^\\s*${words.replace(/ /g, "\\s+")}(\\s|$)`);
    return raw.some((line) => pattern.test(line));
}

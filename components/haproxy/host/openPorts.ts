import { isSlot } from "../../convergence/slots";
import { formError } from "../../forms";
import type { Bind, HaproxyConfig, Peers, PortBind } from "../model";
import { isAddress, isLoopback } from "../model/addresses";
import { addressesOf, allProxies } from "../model/lookup";
import { modelFormIssues } from "../model/schema/index";

/** A port that a firewall has to let in. */
export interface OpenPort {
    /** `udp` for QUIC. */
    readonly protocol: "tcp" | "udp";
    /** A port, or a range as in `"8000-8010"`. */
    readonly port: number | string;
}

/** A port for some addresses only. */
export interface PeerPort extends OpenPort {
    /** IP addresses. */
    readonly from: readonly string[];
}

/** The ports of a configuration that others must reach. */
export interface OpenPorts {
    /** Binds of frontends and sections `listen`, raw ones included. */
    readonly clients: readonly OpenPort[];
    /** Where the host takes stick tables of other peers, each with their addresses. */
    readonly peers: readonly PeerPort[];
    /** The statistics page. */
    readonly stats: readonly OpenPort[];
    /** The metrics. */
    readonly metrics: readonly OpenPort[];
}

/**
 * Finds the ports that a firewall has to let in: for IPv4 and IPv6, and for every address of the host, since HAProxy itself listens on
 * those that are declared. Left out are unix sockets, and binds that only the host itself can reach: on loopback addresses, on
 * `localhost`, or on the interface `lo`.
 *
 * @throws {Error} If the configuration does not have its form.
 * @example
 * ```typescript
 * import { ConvergedHost, haproxy, recipes } from "haproxy-fleet";
 *
 * const model: haproxy.HaproxyConfig = {
 *     version: "2.6",
 *     frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "shop" }],
 *     backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.21", port: 8080 }] }],
 * };
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: [
 *         ...recipes.firewall({ default: "drop", ports: haproxy.openPorts(model) }),
 *         ...recipes.haproxy(model),
 *     ],
 * });
 * ```
 */
export function openPorts(config: HaproxyConfig): OpenPorts {
    const issues = modelFormIssues(config);
    if (issues.length > 0) {
        throw formError(issues, "openPorts");
    }
    const { peers = [], stats, metrics } = config;
    return {
        clients: unique(
            allProxies(config).flatMap(({ proxy: { binds = [], raw = [] } }) => [
                ...binds.flatMap(portsOfBind),
                ...raw.flatMap(portsOfLine),
            ]),
        ),
        peers: peers.flatMap(portsOfPeers),
        stats: stats ? portsOfBind(stats.bind) : [],
        metrics: metrics ? portsOfBind(metrics.bind) : [],
    };
}

/** Peers that no rule of {@link openPorts} lets in, because an address is a name, or a value is not known yet: a path and a message each. */
export function peersWithoutRule({ peers = [] }: HaproxyConfig): { readonly path: string; readonly message: string }[] {
    return peers.flatMap((section, i) => {
        const locals = listening(section);
        const [{ port } = { port: 0 }] = locals;
        const remedy = `add tcp ${isSlot(port) ? "and that port" : port} from the peers' network to firewall.allow`;
        const closed = (field: string, whom: string, why: string) => ({
            path: `peers[${i}].peers${field}`,
            message: `peers ${section.name}: the firewall does not let ${whom} in, because ${why}; ${remedy}`,
        });
        return locals.length === 0
            ? []
            : section.peers.flatMap((peer, j) => {
                  if (isSlot(peer.port) && locals.includes(peer)) {
                      return [closed(`[${j}].port`, "other peers", "the port is a secret, or not known yet")];
                  }
                  if (peer.name === undefined || isAddress(peer.address)) {
                      return [];
                  }
                  const why = isSlot(peer.address) ? "a secret, or not known yet" : "a host name";
                  return [closed(`[${j}].address`, `peer ${peer.name}`, `its address is ${why}`)];
              });
    });
}

/** The peers that may be the host itself and listen to others: the one without a name, otherwise any. */
function listening({ peers }: Peers): Peers["peers"] {
    const unnamed = peers.filter(({ name }) => name === undefined);
    return (unnamed.length > 0 ? unnamed : peers).filter(({ address }) => isSlot(address) || !isLoopback(address));
}

function portsOfPeers(section: Peers): PeerPort[] {
    return listening(section).flatMap((local) => {
        const from = section.peers.filter((peer) => peer !== local && isAddress(peer.address));
        return from.length === 0 || isSlot(local.port)
            ? []
            : [{ protocol: "tcp", port: local.port, from: from.map(({ address }) => address) }];
    });
}

function portsOfBind(bind: Bind): OpenPort[] {
    return "path" in bind || !isReachable(bind)
        ? []
        : [{ protocol: "tcp", port: portRange(bind.port, bind.portEnd ?? bind.port) }];
}

function isReachable(bind: PortBind): boolean {
    return (
        bind.interface !== "lo" &&
        !onLoopbackDevice.test(bind.raw ?? "") &&
        !addressesOf(bind).every((address) => isLoopback(address))
    );
}

const onLoopbackDevice = /(?:^|\s)interface\s+lo(?:\s|$)/;

/** The ports of a raw `bind` line (section 4.2); sockets and file descriptors have none. */
function portsOfLine(line: string): OpenPort[] {
    const [, list = "", parameters = ""] = /^\s*bind\s+(\S+)(.*)/.exec(line) ?? [];
    return onLoopbackDevice.test(parameters)
        ? []
        : list.split(",").flatMap((part) => {
              const [, family = "", address = "", first, last = first] =
                  /^(?:([a-z]+)[46]?@)?([^/@]*):(\d+)(?:-(\d+))?$/.exec(part) ?? [];
              return first === undefined || isLoopback(address.replace(/^\[|\]$/g, ""))
                  ? []
                  : [
                        {
                            protocol: /^(quic|udp)$/.test(family) ? "udp" : "tcp",
                            port: portRange(Number(first), Number(last)),
                        },
                    ];
          });
}

function portRange(first: number, last: number): number | string {
    return last > first ? `${first}-${last}` : first;
}

function unique(ports: readonly OpenPort[]): OpenPort[] {
    return [...new Map(ports.map((port) => [`${port.protocol} ${port.port}`, port])).values()];
}

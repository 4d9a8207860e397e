import { isSlot } from "../../convergence/slots";
import { formError } from "../../forms";
import type { HaproxyConfig } from "../model";
import { portsOf } from "../model/lookup";
import { modelFormIssues } from "../model/schema/index";
import { type OpenPort, openPorts } from "./openPorts";
import { hostRequirements } from "./requirements";

/** What the kernel of a host must allow for a configuration. */
export interface TuningFigures {
    /** Connections at the same time: `maxconn` of the configuration. */
    readonly maxconn: number;
    /** File descriptors that HAProxy opens at most. */
    readonly fileDescriptors: number;
    /** Ports from 1024 on at which HAProxy listens, in ascending order: no connection to a server may take them. */
    readonly listenPorts: readonly number[];
}

/**
 * Computes what the kernel of a host must allow for its configuration, for the recipe `tuning`.
 *
 * @throws {Error} If the configuration does not have its form.
 * @example
 * ```typescript
 * import { ConvergedHost, haproxy, recipes } from "haproxy-fleet";
 *
 * const model: haproxy.HaproxyConfig = {
 *     version: "2.6",
 *     global: { maxconn: 20_000 },
 *     frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "shop" }],
 *     backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.21", port: 8080 }] }],
 * };
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: [...recipes.tuning(haproxy.tuningFigures(model)), ...recipes.haproxy(model)],
 * });
 * ```
 */
export function tuningFigures(config: HaproxyConfig): TuningFigures {
    const issues = modelFormIssues(config);
    if (issues.length > 0) {
        throw formError(issues, "tuningFigures");
    }
    const { maxconn, fileDescriptors, binds } = hostRequirements(config);
    // Those of binds that only HAProxy itself can read, too: names, ranges and QUIC. Of named peers any may be the host itself.
    const peers = (config.peers ?? []).flatMap((section) => section.peers.map(({ port }) => port));
    const ports = [...binds.map(({ port }) => port), ...peers, ...openPorts(config).clients.flatMap(portsIn)];
    const high = ports.filter((port) => !isSlot(port) && port >= 1024 && port <= 65_535);
    return { maxconn, fileDescriptors, listenPorts: [...new Set(high)].sort((a, b) => a - b) };
}

function portsIn({ port }: OpenPort): number[] {
    const [first = 0, last = first] = String(port).split("-").map(Number);
    return portsOf({ port: first, portEnd: last });
}

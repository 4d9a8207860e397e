import { formError } from "../../forms";
import type { HaproxyConfig } from "../model";
import { modelFormIssues } from "../model/schema/index";
import { hostRequirements } from "./requirements";

/** What the kernel of a host must allow for a configuration. */
export interface TuningFigures {
    /** Connections at the same time: `maxconn` of the configuration. */
    readonly maxconn: number;
    /** File descriptors that HAProxy opens at most. */
    readonly fileDescriptors: number;
    /** Ports from 1024 on that HAProxy listens on, in ascending order: no connection to a server may take them. */
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
    const ports = binds.map(({ port }) => port).filter((port) => port >= 1024);
    return { maxconn, fileDescriptors, listenPorts: [...new Set(ports)].sort((a, b) => a - b) };
}

import type { HaproxyConfig } from "../model";
import { hostRequirements } from "./requirements";

/** What the kernel of a host must allow for a configuration. */
export interface TuningFigures {
    /** Connections at the same time: `maxconn` of the configuration. */
    readonly maxconn: number;
    /** File descriptors that HAProxy opens at most, see `hostRequirements`. */
    readonly fileDescriptors: number;
    /** Ports from 1024 on that HAProxy listens on, in ascending order: no connection to a server may take them. */
    readonly listenPorts: readonly number[];
}

/** Computes what the kernel must allow from the final configuration of a host. */
export function tuningFigures(config: HaproxyConfig): TuningFigures {
    const { maxconn, fileDescriptors, binds } = hostRequirements(config);
    const ports = binds.map(({ port }) => port).filter((port) => port >= 1024);
    return { maxconn, fileDescriptors, listenPorts: [...new Set(ports)].sort((a, b) => a - b) };
}

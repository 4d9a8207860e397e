import { z } from "zod";
import { anyText, formOf, matching, whole } from "./forms";
import type { Backend, HaproxyConfig, Issue } from "./haproxy";
import { isAddress, settingsShape, withWeights } from "./haproxy";

/** How one host of a fleet differs from the others, as plain data. */
export interface Differences {
    /** Concurrent connections of the host. @default - those of the fleet */
    readonly maxconn?: number;
    /** Where the statistics page listens on this host. @default - as in the fleet */
    readonly stats?: {
        /** IPv4 or IPv6. */
        readonly address: string;
    };
    /** Weights of servers on this host, 0 to 256: by service or backend, then by server. @default - those of the fleet */
    readonly weights?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The form of {@link Differences}, for forms that have more fields. */
export const differencesShape = {
    maxconn: settingsShape.maxconn,
    stats: z.strictObject({ address: matching(isAddress, "expected an IP address") }).optional(),
    weights: z.record(anyText, z.record(anyText, whole(0, 256))).optional(),
};
formOf<Differences>()(z.strictObject(differencesShape));

/**
 * The configuration of one host.
 *
 * @param path of the differences, for issues
 * @returns the same object if nothing differs
 */
export function withDifferences(
    config: HaproxyConfig,
    { maxconn, stats, weights = {} }: Differences,
    path: string,
): { readonly config: HaproxyConfig; readonly issues: readonly Issue[] } {
    const issues = [...unknownWeights(config, weights, path), ...(stats && !config.stats ? [noStats(path)] : [])];
    const isWeighted = Object.keys(weights).length > 0;
    if (maxconn === undefined && stats === undefined && !isWeighted) {
        return { config, issues };
    }
    const { global, stats: page, backends, listens } = config;
    const weighted = <S extends Pick<Backend, "name" | "servers">>(section: S): S => {
        const own = weights[section.name];
        return own === undefined ? section : withWeights(section, own);
    };
    return {
        config: {
            ...config,
            ...(maxconn !== undefined && { global: { ...global, maxconn } }),
            ...(stats && page && { stats: { ...page, bind: { ...page.bind, address: stats.address } } }),
            ...(isWeighted && { backends: backends.map(weighted) }),
            ...(isWeighted && listens && { listens: listens.map(weighted) }),
        },
        issues,
    };
}

/** A search may find a server again, so its weight does not stop the others. */
function unknownWeights(
    { backends, listens = [] }: HaproxyConfig,
    weights: NonNullable<Differences["weights"]>,
    path: string,
): Issue[] {
    const sections = new Map([...backends, ...listens].map((section) => [section.name, section]));
    return Object.entries(weights).flatMap(([name, own]): Issue[] => {
        const servers = sections.get(name)?.servers;
        const at = `${path}.weights.${name}`;
        if (servers === undefined) {
            const message = `weights: no service or backend ${JSON.stringify(name)}; correct the name`;
            return [{ rule: "unknown-reference", path: at, message, severity: "error" }];
        }
        const unknown = Object.keys(own).filter((server) => !servers.some((each) => each.name === server));
        return unknown.map((server) => {
            const message = `${name} has no server ${JSON.stringify(server)}; correct weights`;
            return { rule: "unknown-server", path: at, message, severity: "warning" };
        });
    });
}

function noStats(path: string): Issue {
    const message = "stats: the fleet has no statistics page; declare stats for all hosts first";
    return { rule: "unknown-reference", path: `${path}.stats`, message, severity: "error" };
}

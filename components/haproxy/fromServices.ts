import { slot } from "../convergence/slots";
import type { Backend, Defaults, Global, HaproxyConfig, Stats } from "./model";
import { rateTableOf, userlistOf } from "./services/access";
import { backendOf } from "./services/backend";
import { frontendOf, hostMaps } from "./services/frontend";
import { serviceIssues } from "./services/issues";
import { byPort } from "./services/routing";
import type { Service, ServiceServer } from "./services/service";

export type * from "./services/service";

/** What a stack says of HAProxy beside its services. */
export interface HaproxySettings {
    /** Lowest HAProxy version among the hosts. */
    readonly version: string;
    /** @default 50000 */
    readonly maxconn?: number;
    /** Port of services with http that name none. @default 80 */
    readonly port?: number;
    /**
     * Hosts of services without routes are looked up in a map, a file beside haproxy.cfg, and not in an acl each: with hundreds of
     * services, requests to the last one take no longer. @default false
     */
    readonly hostMap?: boolean;
    /**
     * Port on 127.0.0.1 by which a reload hands the tables of services on, those of persistence by address and of rate limits: their old
     * worker sends them to the new one. `false`: a reload empties them. Any process of the host can connect to it. @default 8406
     */
    readonly peersPort?: number | false;
    readonly global?: Omit<Global, "maxconn">;
    readonly defaults?: Defaults;
}

/** The statistics page of a stack: passwords are named, not given. */
export type StatsSettings = Omit<Stats, "auth"> & {
    /** `passwordSecret` is the slot of the password, and its key in the stack's Pulumi config. @default - open to all */
    readonly auth?: { readonly user: string; readonly passwordSecret: string };
};

/**
 * The configuration that leads clients to the services: a backend each, and a frontend for each port that clients connect to. The most
 * specific way wins: one with hosts before one for any host, then a whole path, the longer prefix, the shorter prefix, a regular
 * expression, no path; then more conditions on headers and methods. What no way takes gets the service with `default`, else a 503.
 *
 * @param servers Those of a service, by search. @default - every service tells its own
 * @throws {Error} With every fault of the services, one a line.
 */
export function fromServices(
    settings: HaproxySettings,
    services: readonly Service[],
    servers: (service: Service) => readonly ServiceServer[] = () => [],
    stats?: StatsSettings,
): HaproxyConfig {
    const { version, maxconn, global, defaults } = settings;
    const faults: string[] = [];
    const found = services.map((service, i) => {
        try {
            return service.servers ?? servers(service);
        } catch (error) {
            faults.push(`services[${i}]: ${(error as Error).message}`);
            return undefined;
        }
    });
    const issues = serviceIssues(settings, services, found);
    faults.push(...issues.map(({ path, message }) => `${path}: ${message}`));
    if (faults.length > 0) {
        throw new Error(faults.join("\n"));
    }
    const ports = [...byPort(services, settings)];
    const maps = ports.flatMap(([port, sharing]) => hostMaps(port, sharing, settings));
    const userlists = services.flatMap(userlistOf);
    return {
        version,
        global: { ...global, ...(maxconn !== undefined && { maxconn }) },
        ...(defaults && { defaults }),
        ...(maps.length > 0 && { maps }),
        ...(userlists.length > 0 && { userlists }),
        frontends: ports.map(([port, sharing]) => frontendOf(port, sharing, settings)),
        ...withPeers(
            services.flatMap((service, i) => [backendOf(service, found[i] ?? [], version), ...rateTableOf(service)]),
            settings,
        ),
        ...(stats && { stats: statsOf(stats) }),
    };
}

/** The tables outlive a reload by a section of peers that has only the host itself. */
function withPeers(
    backends: readonly Backend[],
    { peersPort: port = 8406 }: HaproxySettings,
): Pick<HaproxyConfig, "backends" | "peers"> {
    if (port === false || !backends.some(({ stickTable }) => stickTable)) {
        return { backends };
    }
    const name = "fleet";
    return {
        peers: [{ name, peers: [{ address: "127.0.0.1", port }] }],
        backends: backends.map((backend) => ({
            ...backend,
            ...(backend.stickTable && { stickTable: { ...backend.stickTable, peers: name } }),
        })),
    };
}

function statsOf({ auth, ...page }: StatsSettings): Stats {
    return { ...page, ...(auth && { auth: [{ user: auth.user, password: slot(auth.passwordSecret) }] }) };
}

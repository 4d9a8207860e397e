import { slot } from "../../convergence/slots";
import type { Backend, Defaults, Global, HaproxyConfig, Stats } from "../model";
import { type Issue, validate } from "../validate/index";
import { rateTableOf, userlistOf } from "./access";
import { backendOf } from "./backend";
import { frontendOf, hostMaps } from "./frontend";
import { servicePaths } from "./issuePaths";
import { servicesByPort, wildcard } from "./routes";
import { soundParts } from "./sound";
import type { Service, ServiceServer } from "./types";
import { serviceIssues } from "./validate";

export type * from "./types";

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
    /**
     * Whether the ports of services, and of the statistics page where it names no address, are served on all IPv6 addresses too. Not unless
     * it is said: to be reached from another network, past lists and firewalls made for IPv4, must be meant; and HAProxy does not start
     * on a host whose kernel has no IPv6 (`ipv6.disable=1`), which then refuses the configuration. One where it is merely off for all
     * interfaces (`net.ipv6.conf.all.disable_ipv6`) takes it. IPv4 clients are seen by their IPv4 addresses. @default false
     */
    readonly ipv6?: boolean;
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
 * @throws {Error} If there is a fault in the services: with all of them, and all other errors of the model, one a line.
 */
export function fromServices(
    settings: HaproxySettings,
    services: readonly Service[],
    servers?: (service: Service) => readonly ServiceServer[],
    stats?: StatsSettings,
): HaproxyConfig {
    const { config, issues, issuesIn } = compileServices(settings, services, servers, stats);
    if (issues.some(isError)) {
        const errors = issuesIn(config).filter(isError);
        throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join("\n"));
    }
    return config;
}

/** What has to be corrected before anything is converged. */
export function isError({ severity }: Issue): boolean {
    return severity === "error";
}

/** What services come to, whatever is wrong with them. */
export interface CompiledServices {
    /** Of the services without their faulty arguments. */
    readonly config: HaproxyConfig;
    /** What is wrong with the services among themselves, and with what only they say. */
    readonly issues: readonly Issue[];
    /** These, and all that `check` finds in `config` or in what it was changed to, where services say it by its place in them. */
    readonly issuesIn: (config: HaproxyConfig) => Issue[];
}

/**
 * Compiles services as {@link fromServices} does, and throws nothing.
 *
 * @param servers Throws if it finds none: a fault of the service. `undefined`: not known, and no fault of its own.
 */
export function compileServices(
    settings: HaproxySettings,
    services: readonly Service[],
    servers: (service: Service) => readonly ServiceServer[] | undefined = () => [],
    stats?: StatsSettings,
): CompiledServices {
    const { version, maxconn, global, defaults } = settings;
    const issues: Issue[] = [];
    const found = services.map((service, i) => {
        try {
            return service.servers ?? servers(service);
        } catch (error) {
            issues.push({ path: `services[${i}]`, message: (error as Error).message, severity: "error" });
            return undefined;
        }
    });
    issues.push(...serviceIssues(settings, services, found));
    const sound = soundParts(services, found, issues.filter(isError));
    const listening = sound.filter(({ withoutPort }) => !withoutPort).map(({ service }) => service);
    const ports = [...servicesByPort(listening, settings)];
    const maps = ports.flatMap(([port, sharing]) => hostMaps(port, sharing, settings));
    const userlists = sound.flatMap(({ service }) => userlistOf(service));
    const config: HaproxyConfig = {
        version,
        global: { ...global, ...(maxconn !== undefined && { maxconn }) },
        ...(defaults && { defaults }),
        ...(maps.length > 0 && { maps }),
        ...(userlists.length > 0 && { userlists }),
        frontends: ports.map(([port, sharing]) => frontendOf(port, sharing, settings)),
        ...withPeers(
            sound.flatMap(({ service, servers }) => [backendOf(service, servers, version), ...rateTableOf(service)]),
            settings,
        ),
        ...(stats && { stats: statsOf(stats, settings) }),
    };
    const compiled = sound.map(({ service: { name }, index }) => ({
        service: services[index] as Service,
        index,
        backend: config.backends.find((backend) => backend.name === name) as Backend,
    }));
    return {
        config,
        issues,
        issuesIn: (changed) => [...issues, ...servicePaths(validate(changed), compiled, changed)],
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

function statsOf({ auth, bind, ...page }: StatsSettings, settings: HaproxySettings): Stats {
    return {
        ...page,
        bind: { ...bind, ...(bind.address === undefined && wildcard(settings)) },
        ...(auth && { auth: [{ user: auth.user, password: slot(auth.passwordSecret) }] }),
    };
}

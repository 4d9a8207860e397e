import { aFunction, assertForm, formError } from "../../forms";
import type { Backend, HaproxyConfig, PortBind, Server, Stats } from "../model";
import { type Issue, isError, validate } from "../validate/index";
import { passwordOf, rateTableOf, userlistOf } from "./access";
import { backendOf } from "./backend";
import { backendTlsOf } from "./backendTls";
import { frontendOf } from "./frontend";
import { withAsciiHosts } from "./hosts";
import { compiledParts, servicePath } from "./issuePaths";
import { redirectBackend } from "./plainPort";
import { listenPort, servicesByPort, wildcard } from "./ports";
import { argumentsFormIssues, serversForm } from "./schema";
import { type DeclaredTls, sharedTls } from "./tls";
import type { HaproxySettings, MetricsSettings, Service, ServiceServer, StatsSettings } from "./types";
import { serviceIssues } from "./validate";

export { type DeclaredTls, type TlsUse, tlsUses } from "./tls";
export type * from "./types";

/**
 * Compiles services to a configuration: a backend for each, and a frontend for each port that clients connect to. The most specific
 * route wins: one with hosts before one for any host, then by path (whole path, longer prefix, shorter prefix, regular expression,
 * none), then by the number of conditions on headers and methods. Other requests go to the service with `default`; without one they get
 * a 503.
 *
 * @param servers Finds the servers of a service. @default - each service lists its own
 * @param stats The statistics page. @default - no page
 * @param declared Certificates and authorities that services with `tls` name. @default - none
 * @param metrics The metrics for Prometheus. @default - none
 * @throws {Error} With every issue of form, else with every error in the services, else with every error in the compiled model; one per
 * line.
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * export const model = haproxy.fromServices({ version: "2.6" }, [
 *     {
 *         name: "shop",
 *         hosts: ["shop.example.com"],
 *         port: 8080,
 *         servers: [{ name: "shop1", address: "192.0.2.21" }],
 *     },
 * ]);
 * ```
 */
export function fromServices(
    settings: HaproxySettings,
    services: readonly Service[],
    servers?: (service: Service) => readonly ServiceServer[],
    stats?: StatsSettings,
    declared: DeclaredTls = {},
    metrics?: MetricsSettings,
): HaproxyConfig {
    const form = argumentsFormIssues(settings, services, stats, declared, metrics);
    if (form.length > 0) {
        throw formError(form, "fromServices");
    }
    assertForm(aFunction().optional(), servers, "fromServices: servers");
    const found = servers && ((service: Service) => serversOf(service, servers(service)));
    const { config, ...compiled } = compileServices(settings, services, found, stats, declared, metrics);
    const errors = compiled.validate(config).filter(isError);
    if (errors.length > 0) {
        throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join("\n"));
    }
    return config;
}

/** The servers that a user's function has returned. */
function serversOf(service: Service, servers: unknown): readonly ServiceServer[] {
    assertForm(serversForm, servers, `servers of ${service.name}`);
    return servers as readonly ServiceServer[];
}

/** The result of compiling services. */
export interface CompiledServices {
    /** Without frontends and backends if the services have errors. */
    readonly config: HaproxyConfig;
    /** Issues of the services themselves. */
    readonly issues: readonly Issue[];
    /**
     * Returns these issues and, if none is an error, those of `config`, or of a changed copy, with paths in the
     * services for parts that were compiled from them and not changed.
     */
    readonly validate: (config: HaproxyConfig) => Issue[];
    /** Returns the path in the services for a path in `config`, or in a changed copy; the same path if no service declares that part. */
    readonly sourceOf: (config: HaproxyConfig, path: string) => string;
}

/**
 * Compiles services like {@link fromServices}, without throwing.
 *
 * @param servers Finds the servers of a service. Throws if there are none, which is an error of the service. Returns `undefined` if
 * they are unknown for another reason.
 * @param declared Certificates and authorities that services with `tls` name; the configuration has them.
 */
export function compileServices(
    settings: HaproxySettings,
    services: readonly Service[],
    servers: (service: Service) => readonly ServiceServer[] | undefined = () => [],
    stats?: StatsSettings,
    declared: DeclaredTls = {},
    metrics?: MetricsSettings,
): CompiledServices {
    const issues: Issue[] = [];
    const ascii = services.map(withAsciiHosts);
    const found = services.map((service, i) => {
        try {
            return (service.servers ?? servers(service))?.map((server) => resolved(server, service));
        } catch (error) {
            const message = (error as Error).message;
            issues.push({ rule: "search", path: `services[${i}]`, message, severity: "error" });
            return undefined;
        }
    });
    issues.push(...serviceIssues(settings, ascii, found, declared));
    if (issues.some(isError)) {
        const config = { ...releaseIn(settings), frontends: [], backends: [] };
        return { config, issues, validate: () => issues, sourceOf: (_, path) => path };
    }
    const config = configOf(
        settings,
        ascii.map((service, i) => ({ service, servers: found[i] ?? [] })),
        { stats, metrics },
        declared,
    );
    const parts = compiledParts(config, ascii);
    const sourceOf = (changed: HaproxyConfig, path: string) => servicePath(path, parts, changed);
    return {
        config,
        issues,
        validate: (changed) => [
            ...issues,
            ...validate(changed).map((issue) => ({ ...issue, path: sourceOf(changed, issue.path) })),
        ],
        sourceOf,
    };
}

/** The server with the port and weight that its service declares. */
function resolved(server: ServiceServer, { port, weights = {} }: Service): Server {
    const weight = weights[server.name] ?? server.weight;
    return { ...server, port: server.port ?? port, ...(weight !== undefined && { weight }) };
}

/** The release that is declared, so that a configuration has no more than its services. */
function releaseIn({ version }: HaproxySettings): Pick<HaproxyConfig, "version"> {
    return version === undefined ? {} : { version };
}

function configOf(
    settings: HaproxySettings,
    services: readonly { readonly service: Service; readonly servers: readonly Server[] }[],
    { stats, metrics }: { readonly stats?: StatsSettings; readonly metrics?: MetricsSettings },
    { certificates, authorities }: DeclaredTls,
): HaproxyConfig {
    const { maxconn, global, defaults, tls } = settings;
    const all = services.map(({ service }) => service);
    const ports = servicesByPort(all, settings);
    const shared = new Map(
        ports
            .filter(({ kind }) => kind === "tls")
            .map((onPort) => [onPort.port, sharedTls(onPort.port, onPort.services, settings)]),
    );
    const frontends = ports.map((onPort) => frontendOf(onPort, all, settings, { certificates, authorities }));
    const maps = frontends.flatMap((compiled) => compiled.maps);
    const userlists = all.flatMap(userlistOf);
    const tlsOf = (service: Service) => backendTlsOf(service, shared.get(listenPort(service, settings)), settings);
    const targets = new Set(ports.flatMap(({ redirected }) => redirected.map((one) => listenPort(one, settings))));
    return {
        ...releaseIn(settings),
        global: {
            ...global,
            ...(maxconn !== undefined && { maxconn }),
            ...(tls?.profile !== undefined && { tls: { profile: tls.profile } }),
        },
        ...(defaults && { defaults }),
        ...(maps.length > 0 && { maps }),
        ...(certificates && { certificates }),
        ...(authorities && { authorities }),
        ...(userlists.length > 0 && { userlists }),
        frontends: frontends.map(({ frontend }) => frontend),
        ...withPeers(
            [
                ...services.flatMap(({ service, servers }) => [
                    backendOf(service, servers, settings, tlsOf(service)),
                    ...rateTableOf(service),
                ]),
                ...[...targets].map(redirectBackend),
            ],
            settings,
        ),
        ...(stats && { stats: statsOf(stats, settings) }),
        ...(metrics && { metrics: { ...metrics, bind: pageBind(metrics.bind, settings) } }),
    };
}

/** Keeps tables across reloads with a section `peers` that contains only the host itself. */
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
        bind: pageBind(bind, settings),
        ...(auth && { auth: [{ user: auth.user, password: passwordOf(auth) }] }),
    };
}

function pageBind(bind: PortBind, settings: HaproxySettings): PortBind {
    return { ...bind, ...(bind.address === undefined && wildcard(settings)) };
}

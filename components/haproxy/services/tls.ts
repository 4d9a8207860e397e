import type { BindCertificate, BindTls, BindTlsOptions, HaproxyConfig } from "../model";
import { authorityPath, revocationsPath } from "../model/files";
import { given } from "../model/strings";
import { asciiHost } from "./hosts";
import { listenPort, type Ports, servicesByPort } from "./ports";
import type { ClientCertificates, Hsts, PortTls, Service, ServiceTls } from "./types";

/** What is declared beside services. */
export type DeclaredTls = Pick<HaproxyConfig, "certificates" | "authorities">;

/** Settings that rules about TLS depend on. */
export type TlsContext = Ports & { readonly version?: string };

/** What HAProxy and a client agree on before the request is known. */
type Handshake = Pick<PortTls, "minVersion" | "clients">;

/** The `tls` of a service, `true` as an object. */
export function tlsOf({ tls }: Service): ServiceTls | undefined {
    return tls === true ? {} : tls;
}

/** Whether HAProxy ends TLS for the service. */
export function endsTls({ protocol = "http", tls }: Service): boolean {
    return protocol === "http" && tls !== undefined;
}

/** TLS of a port: what `ports` says of it, then what is said for all. */
export function portTls(port: number, { tls = {} }: Ports): PortTls {
    const { port: _, profile: __, http: ___, hsts: ____, ports = {}, ...all } = tls;
    const own = given(ports[`${port}`] ?? {});
    return {
        ...all,
        // A default and strict SNI exclude each other.
        ...(own.strictSni && { defaultCertificate: undefined }),
        ...(own.defaultCertificate !== undefined && { strictSni: undefined }),
        ...own,
    };
}

/** Certificates of the clients of a service, if it wants any. */
export function clientsOf(service: Service, settings: Ports): ClientCertificates | undefined {
    return endsTls(service) ? handshakeOf(service, settings).clients : undefined;
}

/** The header Strict-Transport-Security of a service, if it has one. */
export function hstsOf(service: Service, settings: Ports): Hsts | undefined {
    const { hsts = settings.tls?.hsts } = tlsOf(service) ?? {};
    return endsTls(service) && hsts !== false ? hsts : undefined;
}

/** Lowest version of TLS of a service, if any is declared. */
export function minVersionOf(service: Service, settings: Ports): PortTls["minVersion"] {
    return handshakeOf(service, settings).minVersion;
}

function handshakeOf(service: Service, settings: Ports): Handshake {
    const { minVersion, clients } = portTls(listenPort(service, settings), settings);
    const own = tlsOf(service) ?? {};
    return { minVersion: own.minVersion ?? minVersion, clients: own.clients ?? clients };
}

/** Equal for services whose handshakes are the same. */
export function handshakeKey(service: Service, settings: Ports): string {
    return keyOf(handshakeOf(service, settings));
}

function keyOf({ minVersion, clients }: Handshake): string {
    return JSON.stringify([minVersion, clients && [clients.authority, clients.verify ?? "required"]]);
}

/** What the services of a port with TLS have in common. */
export interface SharedTls {
    /**
     * Those whose handshake differs from that of the port, which then depends on the name that a client asks for, with keys that are equal
     * for equal handshakes. None if all services agree: then the port has their handshake.
     */
    readonly apart: ReadonlyMap<Service, string>;
    /** Whether their lowest versions of TLS differ. */
    readonly versionsDiffer: boolean;
}

/** Computed once for a port, because it depends on all of its services. */
export function sharedTls(port: number, services: readonly Service[], settings: Ports): SharedTls {
    const keys = services.map((service) => [service, handshakeKey(service, settings)] as const);
    const own = keyOf(portTls(port, settings));
    const differ = new Set(keys.map(([, key]) => key)).size > 1;
    return {
        apart: new Map(differ ? keys.filter(([, key]) => key !== own) : []),
        versionsDiffer: new Set(services.map((service) => minVersionOf(service, settings))).size > 1,
    };
}

/** The names of the certificates of a port: all, unless each of its services names its own. */
export function certificatesOf(
    port: number,
    services: readonly Service[],
    settings: Ports,
    all: readonly string[],
): string[] {
    const { defaultCertificate } = portTls(port, settings);
    const own = services.map((service) => tlsOf(service)?.certificates);
    const used = new Set([...own.flatMap((names) => names ?? all), defaultCertificate]);
    return all.filter((name) => used.has(name));
}

/** TLS of the bind of a port whose services have `tls`. */
export function bindTlsOf(
    port: number,
    services: readonly Service[],
    settings: TlsContext,
    declared: DeclaredTls,
): BindTls {
    const { alpn, defaultCertificate, strictSni, ...own } = portTls(port, settings);
    const all = (declared.certificates ?? []).map(({ name }) => name);
    const names = certificatesOf(port, services, settings, all);
    const others = [...sharedTls(port, services, settings).apart.keys()];
    const [first] = services as readonly [Service];
    const lines = mergedLines(
        others.flatMap((service) =>
            (tlsOf(service)?.certificates ?? names).map((certificate) => ({
                certificate,
                hosts: service.hosts ?? [],
                ...optionsOf(handshakeOf(service, settings), declared),
            })),
        ),
    );
    const fallback = defaultCertificate ?? (lines.length > 0 && !strictSni ? names[0] : undefined);
    return {
        // The first line of a name counts.
        certificates: [...lines, ...names],
        ...(fallback !== undefined && { defaultCertificate: fallback }),
        ...(strictSni && { strictSni }),
        ...(alpn && { alpn }),
        ...optionsOf(others.length > 0 ? own : handshakeOf(first, settings), declared),
    };
}

function optionsOf({ minVersion, clients }: Handshake, { authorities = [] }: DeclaredTls): BindTlsOptions {
    return {
        ...(minVersion && { sslMinVer: minVersion }),
        ...(clients && {
            caFile: authorityPath(clients.authority),
            ...(hasRevocations(clients.authority, authorities) && { crlFile: revocationsPath(clients.authority) }),
            verify: clients.verify ?? "required",
        }),
    };
}

/** Whether the authority declares revocation lists. */
export function hasRevocations(name: string, authorities: DeclaredTls["authorities"]): boolean {
    return authorities?.some((authority) => authority.name === name && authority.revocations !== undefined) ?? false;
}

/** One line for all hosts of a certificate with the same options. */
function mergedLines(lines: readonly BindCertificate[]): BindCertificate[] {
    const merged = new Map<string, BindCertificate>();
    for (const line of lines) {
        const key = JSON.stringify({ ...line, hosts: undefined });
        const hosts = [...(merged.get(key)?.hosts ?? []), ...(line.hosts ?? [])];
        merged.set(key, { ...line, hosts: [...new Set(hosts.map((host) => host.toLowerCase()))] });
    }
    return [...merged.values()];
}

/** A service for which HAProxy ends TLS, and the certificates that must cover its hosts. */
export interface TlsUse {
    /** Path of its `tls`, such as `services[2].tls`. */
    readonly path: string;
    /** Its name. */
    readonly service: string;
    /** Port with TLS that its clients connect to. */
    readonly port: number;
    /** In lower case and in ASCII; none if it takes requests for any host. */
    readonly hosts: readonly string[];
    /** Names of the certificates that it may be served with; undefined: all that are declared. */
    readonly certificates?: readonly string[];
    /** Whether each of these must cover all hosts, because they are used for these hosts without regard to the names in them. */
    readonly each: boolean;
    /** Whether the port lets in clients of another authority, too, under other names. */
    readonly otherClients: boolean;
}

/**
 * What services need certificates for.
 *
 * @param services as for {@link compileServices}
 */
export function tlsUses(settings: Ports, services: readonly Service[]): TlsUse[] {
    const ports = servicesByPort(services, settings).filter(({ kind }) => kind === "tls");
    const others = new Set(ports.flatMap((on) => [...sharedTls(on.port, on.services, settings).apart.keys()]));
    const authorities = new Map(ports.map((on) => [on.port, authoritiesOf(on.port, on.services, settings)]));
    return services.flatMap((service, i) => {
        if (!endsTls(service)) {
            return [];
        }
        const certificates = tlsOf(service)?.certificates;
        const port = listenPort(service, settings);
        const own = clientsOf(service, settings)?.authority;
        return [
            {
                path: `services[${i}].tls`,
                service: service.name,
                port,
                hosts: (service.hosts ?? []).map((host) => asciiHost(host).toLowerCase()),
                ...(certificates && { certificates }),
                each: others.has(service),
                otherClients: own !== undefined && (authorities.get(port) ?? []).some((name) => name !== own),
            },
        ];
    });
}

/** The authorities whose clients a port lets in, under one name or another. */
function authoritiesOf(port: number, services: readonly Service[], settings: Ports): string[] {
    const all = [portTls(port, settings), ...services.map((service) => handshakeOf(service, settings))];
    return all.flatMap(({ clients }) => (clients ? [clients.authority] : []));
}

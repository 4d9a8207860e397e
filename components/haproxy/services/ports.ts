import type { PortBind } from "../model";
import type { Service, TlsSettings } from "./types";

/** Settings of ports and frontends. */
export interface Ports {
    /** @default 80 */
    readonly port?: number;
    /** @default false */
    readonly hostMap?: boolean;
    /** @default false */
    readonly ipv6?: boolean;
    /** @default - every default of {@link TlsSettings} */
    readonly tls?: TlsSettings;
}

/** What clients speak on a port: `tls` is HTTP over TLS that ends here, `https` TLS that is passed through. */
export type PortKind = "http" | "tls" | "https" | "tcp";

/** The services of a port that clients connect to. */
export interface PortServices {
    readonly port: number;
    /** That of the first service. */
    readonly kind: PortKind;
    /** Those that get requests or connections. */
    readonly services: readonly Service[];
    /** Those whose requests are redirected to their ports with TLS. Those at the usual port come first. */
    readonly redirected: readonly Service[];
}

/** Addresses of a bind on all addresses of the host. IPv6 has its own socket, since one for both would show IPv4 clients as IPv6 ones. */
export function wildcard({ ipv6 }: Ports): Pick<PortBind, "address" | "v6only"> {
    return ipv6 ? { address: ["*", "::"], v6only: true } : {};
}

/** Port of services with http that set no other. */
export function plainPort({ port = 80 }: Ports): number {
    return port;
}

/** Port of services with `tls` that set no other. */
function usualTlsPort({ tls = {} }: Ports): number {
    return tls.port ?? 443;
}

/** Port that clients connect to; with `tls`, the one with TLS. */
export function listenPort({ protocol, tls, listen, port }: Service, settings: Ports): number {
    if (listen !== undefined) {
        return listen;
    }
    switch (protocol) {
        case "tcp":
            return port;
        case "https":
            return 443;
        default:
            return tls ? usualTlsPort(settings) : plainPort(settings);
    }
}

/** What clients of a service speak on one of its ports. */
export function kindOn(port: number, service: Service, settings: Ports): PortKind {
    const { protocol = "http", tls } = service;
    return protocol === "http" && tls && listenPort(service, settings) === port ? "tls" : protocol;
}

/** What clients of a service with `tls` get on the plain port. */
export function onPlainPort({ protocol, tls, listen }: Service, settings: Ports): "redirect" | "serve" | "none" {
    const port = listen ?? usualTlsPort(settings);
    if (!tls || (protocol ?? "http") !== "http" || port === plainPort(settings)) {
        return "none";
    }
    return (tls === true ? undefined : tls.http) ?? settings.tls?.http ?? "redirect";
}

/** The services by the port that clients connect to. */
export function servicesByPort(services: readonly Service[], settings: Ports): PortServices[] {
    const ports = new Map<number, { services: Service[]; redirected: Service[] }>();
    const at = (port: number) => {
        const lists = ports.get(port) ?? { services: [], redirected: [] };
        ports.set(port, lists);
        return lists;
    };
    for (const service of services) {
        at(listenPort(service, settings)).services.push(service);
        const plain = onPlainPort(service, settings);
        if (plain !== "none") {
            at(plainPort(settings))[plain === "serve" ? "services" : "redirected"].push(service);
        }
    }
    const usual = (service: Service) => listenPort(service, settings) === usualTlsPort(settings);
    return [...ports].map(([port, lists]) => ({
        port,
        kind: lists.services[0] === undefined ? "http" : kindOn(port, lists.services[0], settings),
        services: lists.services,
        redirected: lists.redirected.sort((a, b) => Number(usual(b)) - Number(usual(a))),
    }));
}

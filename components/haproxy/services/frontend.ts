import type { Frontend, MapFile } from "../model";
import { accessAcls, tcpAccess } from "./access";
import { idleTimeout, keepAlive, type ProxySettings } from "./backend";
import { headerRemovals } from "./clientCertificates";
import { type PortServices, type Ports, plainPort, wildcard } from "./ports";
import { routingOf } from "./routing";
import { bindTlsOf, type DeclaredTls } from "./tls";
import type { Service } from "./types";

/** Settings that frontends depend on. */
type FrontendSettings = Ports & ProxySettings;

/** A frontend, and the maps that it reads. */
export interface CompiledFrontend {
    readonly frontend: Frontend;
    readonly maps: readonly MapFile[];
}

/**
 * The frontend of a port that services of one protocol share; a service with protocol tcp does not share its port.
 *
 * @param all All services. From 3.2 on, HAProxy warns about a frontend and a backend of one name.
 */
export function frontendOf(
    onPort: PortServices,
    all: readonly Service[],
    settings: FrontendSettings,
    declared: DeclaredTls,
): CompiledFrontend {
    const { port, kind, services } = onPort;
    const usualName = frontendName(onPort, settings);
    // Services have no colon in their names.
    const name = all.some((service) => service.name === usualName) ? `${usualName}:${port}` : usualName;
    const bind = { ...wildcard(settings), port };
    if (kind === "tcp") {
        const [service] = services as readonly [Service];
        const frontend = { name, binds: [bind], mode: "tcp", ...tcpFrontendParts(service, settings) } as const;
        return { frontend: { ...frontend, defaultBackend: service.name }, maps: [] };
    }
    const { maps, acls, useBackends, defaultBackend } = routingOf(onPort, settings, usualName);
    const ssl = kind === "tls" ? bindTlsOf(port, services, settings, declared) : undefined;
    const removals = kind === "https" ? [] : headerRemovals(all, settings);
    return {
        maps,
        frontend: {
            name,
            binds: [{ ...bind, ...(ssl && { ssl }) }],
            ...(acls.length > 0 && { acls }),
            ...(removals.length > 0 && { httpRequestRules: removals }),
            ...(useBackends.length > 0 && { useBackends }),
            ...(defaultBackend !== undefined && { defaultBackend }),
            ...(kind === "https" && {
                mode: "tcp",
                tcpRequestRules: [
                    "inspect-delay 5s",
                    { at: "content", action: "accept", if: ["{ req.ssl_hello_type 1 }"] },
                    { at: "content", action: "reject" },
                ],
            }),
        },
    };
}

function frontendName({ port, kind, services: [first] }: PortServices, settings: Ports): string {
    if (kind === "tcp") {
        return `tcp-${first?.name}`;
    }
    const protocol = kind === "http" ? "http" : "https";
    const usual = protocol === "http" ? plainPort(settings) : 443;
    return port === usual ? protocol : `${protocol}-${port}`;
}

function tcpFrontendParts(service: Service, settings: FrontendSettings): Partial<Frontend> {
    const acls = accessAcls(service);
    const rules = tcpAccess(service, "connection");
    // The kernel notices dead peers, and firewalls keep idle sessions.
    const { options, raw } = keepAlive("clitcpka", settings);
    const client = service.timeouts?.client ?? idleTimeout("client", settings);
    return {
        options,
        ...(raw.length > 0 && { raw }),
        ...(client !== undefined && { timeouts: { client } }),
        ...(acls.length > 0 && { acls }),
        ...(rules.length > 0 && { tcpRequestRules: rules }),
    };
}

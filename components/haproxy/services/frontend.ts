import type { Frontend, MapFile, UseBackend } from "../model";
import { mapPath } from "../model/files";
import { accessAcls, tcpAccess } from "./access";
import { idleTimeout, keepAlive, type ProxySettings } from "./backend";
import { hostAcls, type Ports, type RouteRule, routeRules, wildcard } from "./routes";
import type { Service } from "./types";

/** Settings that frontends depend on. */
type FrontendSettings = Ports & ProxySettings;

/**
 * The frontend of a port that services of one protocol share; a service with protocol tcp does not share its port.
 *
 * @param backends Names that the frontend must not have: from 3.2 on, HAProxy warns about a frontend and a backend of one name.
 */
export function frontendOf(
    port: number,
    services: readonly Service[],
    settings: FrontendSettings,
    backends: ReadonlySet<string>,
): Frontend {
    const [first] = services as readonly [Service];
    const fallback = services.find((service) => service.default)?.name;
    const rules = routeRules(services);
    const usualName = frontendName(port, first, settings);
    // Services have no colon in their names.
    const name = backends.has(usualName) ? `${usualName}:${port}` : usualName;
    const mapped = settings.hostMap ? rules.filter(byHostAlone) : [];
    const others = rules.filter((rule) => !mapped.includes(rule));
    // Rules for any host come after those by host.
    const last = others.findIndex(({ hosts }) => hosts.length === 0);
    const useBackends = others.map(({ service, terms }): UseBackend => ({ backend: service.name, if: terms }));
    if (mapped.length > 0) {
        useBackends.splice(last < 0 ? useBackends.length : last, 0, mapRule(usualName, first));
    }
    const aclServices = services.filter((service) => others.some((rule) => rule.service === service));
    const binds = [{ ...wildcard(settings), port }];
    const shared = {
        name,
        binds,
        ...(others.length > 0 && {
            acls: [...aclServices.flatMap(hostAcls), ...others.flatMap(({ acls }) => acls)],
        }),
        ...(useBackends.length > 0 && { useBackends }),
        ...(fallback !== undefined && { defaultBackend: fallback }),
    };
    switch (first.protocol) {
        case "tcp":
            return {
                name,
                binds,
                mode: "tcp",
                ...tcpFrontendParts(first, settings),
                defaultBackend: first.name,
            };
        case "https":
            return {
                ...shared,
                mode: "tcp",
                tcpRequestRules: [
                    "inspect-delay 5s",
                    { at: "content", action: "accept", if: ["{ req.ssl_hello_type 1 }"] },
                    { at: "content", action: "reject" },
                ],
            };
        default:
            return shared;
    }
}

/** The map from hosts to the services of a port, if `hostMap` is set. */
export function hostMaps(port: number, services: readonly Service[], settings: Ports): MapFile[] {
    const mapped = settings.hostMap ? routeRules(services).filter(byHostAlone) : [];
    const [first] = services as readonly [Service];
    const entries = mapped
        .flatMap(({ service, hosts }) => hosts.map((host) => ({ key: host.toLowerCase(), value: service.name })))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    return entries.length === 0 ? [] : [{ name: mapName(frontendName(port, first, settings)), entries }];
}

function byHostAlone({ hosts, path, others }: RouteRule): boolean {
    return hosts.length > 0 && path === undefined && others.length === 0;
}

function mapRule(frontend: string, { protocol }: Service): UseBackend {
    const host = protocol === "https" ? "req.ssl_sni" : "req.hdr(host),field(1,:)";
    const found = `${host},lower,map(${mapPath(mapName(frontend))})`;
    return { backend: `%[${found}]`, if: [`{ ${found} -m found }`] };
}

function mapName(frontend: string): string {
    return `${frontend}-hosts`;
}

function frontendName(port: number, { name, protocol = "http" }: Service, settings: Ports): string {
    const usual = { http: settings.port ?? 80, https: 443 };
    return protocol === "tcp" ? `tcp-${name}` : port === usual[protocol] ? protocol : `${protocol}-${port}`;
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

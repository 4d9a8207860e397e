import type { Frontend, MapFile, UseBackend } from "../model";
import { mapPath } from "../render/files";
import { accessAcls, tcpAccess } from "./access";
import { keepAlive, tcpIdle } from "./backend";
import { hostAcls, type Ports, type RouteRule, routeRules, wildcard } from "./routes";
import type { Service } from "./types";

/** What frontends go by beside their services. */
interface FrontendSettings extends Ports {
    readonly version: string;
}

/** The frontend of a port that services of one protocol share; one with tcp has it alone. */
export function frontendOf(port: number, services: readonly Service[], settings: FrontendSettings): Frontend {
    const [first] = services as readonly [Service];
    const fallback = services.find((service) => service.default)?.name;
    const ways = routeRules(services);
    const name = frontendName(port, first, settings);
    const mapped = settings.hostMap ? ways.filter(byHostAlone) : [];
    const others = ways.filter((way) => !mapped.includes(way));
    // Those for any host come after those by host.
    const last = others.findIndex(({ hosts }) => hosts.length === 0);
    const useBackends = others.map(({ service, terms }): UseBackend => ({ backend: service.name, if: terms }));
    if (mapped.length > 0) {
        useBackends.splice(last < 0 ? useBackends.length : last, 0, mapRule(name, first));
    }
    const aclServices = services.filter((service) => others.some((way) => way.service === service));
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

/** The map of a port's services by host, if they are looked up in one. */
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

function tcpFrontendParts(service: Service, { version }: FrontendSettings): Partial<Frontend> {
    const acls = accessAcls(service);
    const rules = tcpAccess(service, "connection");
    const raw = keepAlive("clitcpka", version);
    return {
        // The kernel notices peers that are gone, and firewalls see a session that is silent.
        options: { clitcpka: true },
        ...(raw.length > 0 && { raw }),
        timeouts: { client: service.timeouts?.client ?? tcpIdle },
        ...(acls.length > 0 && { acls }),
        ...(rules.length > 0 && { tcpRequestRules: rules }),
    };
}

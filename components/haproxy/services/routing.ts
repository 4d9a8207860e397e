import type { Acl, MapFile, UseBackend } from "../model";
import { mapPath } from "../model/files";
import { behindProxy, diverted, plainAcls, redirectName } from "./plainPort";
import { listenPort, type PortServices, type Ports } from "./ports";
import { hostAcls, type RouteRule, routeRules } from "./routes";
import type { Service } from "./types";

/** How the requests or connections of a port find their backends. */
export interface Routing {
    readonly acls: readonly Acl[];
    readonly useBackends: readonly UseBackend[];
    readonly defaultBackend?: string;
    readonly maps: readonly MapFile[];
}

/** Rules in the place of a route or map, and rules that come after those about paths for any host. */
interface Rules {
    readonly here: readonly UseBackend[];
    readonly later: readonly UseBackend[];
}

/**
 * The routing of a port. Of equal routes, one to a service comes before one to a redirect.
 *
 * @param name That of the frontend, for the names of maps.
 */
export function routingOf(onPort: PortServices, settings: Ports, name: string): Routing {
    const served = new Set(onPort.services);
    const rules = routeRules([...onPort.services, ...onPort.redirected]);
    const isMapped = (rule: RouteRule) =>
        settings.hostMap === true && byHostAlone(rule) && (served.has(rule.service) || !behindProxy(rule.service));
    const maps = hostMaps(rules.filter(isMapped), served, settings, name);
    const others = rules.filter((rule) => !isMapped(rule));
    const useOf = (which: (rule: RouteRule) => boolean) =>
        others
            .filter(which)
            .map(
                (rule): Rules =>
                    served.has(rule.service)
                        ? { here: [{ backend: rule.service.name, if: rule.terms }], later: [] }
                        : diverted(rule, settings),
            );
    const hosted = [...useOf(({ hosts }) => hosts.length > 0), ...maps];
    const byPath = useOf(({ hosts, path }) => hosts.length === 0 && path !== undefined);
    const rest = useOf(({ hosts, path }) => hosts.length === 0 && path === undefined);
    const fallback = fallbackOf(onPort, settings);
    const useBackends = withoutRedundant(
        [
            ...[...hosted, ...byPath].flatMap(({ here }) => here),
            ...[...hosted, ...byPath].flatMap(({ later }) => later),
            ...rest.flatMap(({ here }) => here),
            ...rest.flatMap(({ later }) => later),
            ...fallback.rules,
        ],
        fallback,
    );
    return {
        acls: usedAcls(useBackends, others, onPort),
        useBackends,
        ...(fallback.backend !== undefined && { defaultBackend: fallback.backend }),
        maps: maps.map(({ file }) => file),
    };
}

function byHostAlone({ hosts, path, others }: RouteRule): boolean {
    return hosts.length > 0 && path === undefined && others.length === 0;
}

/** Maps from hosts to services: one for those that are served, and one for each port with TLS that others are redirected to. */
function hostMaps(
    rules: readonly RouteRule[],
    served: ReadonlySet<Service>,
    settings: Ports,
    name: string,
): (Rules & { readonly file: MapFile })[] {
    const targets = [...new Set(rules.map(({ service }) => targetOf(service, served, settings)))];
    return targets.map((target, i) => {
        const own = rules.filter(({ service }) => targetOf(service, served, settings) === target);
        const [{ service }] = own as [RouteRule];
        const file = {
            name: target === undefined ? `${name}-hosts` : `${name}-redirects${i > 1 ? `-${target}` : ""}`,
            entries: own
                .flatMap((rule) => rule.hosts.map((host) => ({ key: host.toLowerCase(), value: rule.service.name })))
                .sort((a, b) => (a.key < b.key ? -1 : 1)),
        };
        const host = service.protocol === "https" ? "req.ssl_sni" : "req.hdr(host),field(1,:)";
        const sample = `${host},lower,map(${mapPath(file.name)})`;
        const found = `{ ${sample} -m found }`;
        return target === undefined
            ? { file, here: [{ backend: `%[${sample}]`, if: [found] }], later: [] }
            : {
                  file,
                  here: [{ backend: redirectName(target), if: [found, "!acme"] }],
                  later: [{ backend: `%[${sample}]`, if: [found, "acme"] }],
              };
    });
}

/** The port that requests to a service are redirected to; undefined if they are served. */
function targetOf(service: Service, served: ReadonlySet<Service>, settings: Ports): number | undefined {
    return served.has(service) ? undefined : listenPort(service, settings);
}

interface Fallback {
    readonly backend?: string;
    readonly redirects?: boolean;
    /** Before it. */
    readonly rules: readonly UseBackend[];
}

/** Where requests go that match no route. */
function fallbackOf({ services, redirected }: PortServices, settings: Ports): Fallback {
    const service = services.find((one) => one.default);
    if (service) {
        return { backend: service.name, rules: [] };
    }
    const other = redirected.find((one) => one.default);
    if (!other) {
        return { rules: [] };
    }
    return {
        backend: redirectName(listenPort(other, settings)),
        redirects: true,
        rules: [
            ...(behindProxy(other) ? [{ backend: other.name, if: ["forwarded-tls"] }] : []),
            { backend: other.name, if: ["acme"] },
        ],
    };
}

/**
 * Leaves out the rules that lead to a redirect that is the default, if all others are about challenges, which these rules exclude.
 */
function withoutRedundant(rules: readonly UseBackend[], fallback: Fallback): readonly UseBackend[] {
    return fallback.redirects &&
        rules.every(({ backend, if: terms }) => backend === fallback.backend || terms?.includes("acme"))
        ? rules.filter(({ backend }) => backend !== fallback.backend)
        : rules;
}

function usedAcls(useBackends: readonly UseBackend[], rules: readonly RouteRule[], onPort: PortServices): Acl[] {
    const used = new Set(useBackends.flatMap(({ if: terms = [] }) => terms.map((term) => term.replace(/^!/, ""))));
    const services = [...onPort.services, ...onPort.redirected];
    const all = [...services.flatMap(hostAcls), ...rules.flatMap(({ acls }) => acls), ...plainAcls];
    return all.filter(({ name }) => used.has(name));
}

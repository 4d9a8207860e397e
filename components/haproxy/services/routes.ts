import type { Acl } from "../model";
import { word } from "../render/quoting";
import type { Route, Service } from "./types";

/** A `use_backend` line that leads to a service, and what determines its position. */
export interface RouteRule {
    readonly service: Service;
    /** Empty: any host. */
    readonly hosts: readonly string[];
    readonly path?: Path;
    /** Conditions on headers and methods; equal conditions have equal text. */
    readonly others: readonly string[];
    /** Acls that `terms` use. */
    readonly acls: readonly Acl[];
    /** The whole condition. */
    readonly terms: readonly string[];
}

/** A condition on the path. */
export interface Path {
    readonly kind: "exact" | "prefix" | "regex";
    readonly value: string;
}

/** HAProxy reads at most 64 words and 2048 characters of a line. */
const wordsPerLine = 40;
const charactersPerLine = 1200;

/** The rules for services of a port, the most specific first; equally specific ones in the order of the services. */
export function routeRules(services: readonly Service[]): RouteRule[] {
    return services.flatMap(serviceRouteRules).sort(bySpecificity);
}

const pathKinds = ["exact", "prefix", "regex"];

function bySpecificity(a: RouteRule, b: RouteRule): number {
    const kind = ({ path }: RouteRule) => (path ? pathKinds.indexOf(path.kind) : pathKinds.length);
    const length = ({ path }: RouteRule) => (path?.kind === "prefix" ? path.value.length : 0);
    return (
        Number(a.hosts.length === 0) - Number(b.hosts.length === 0) ||
        kind(a) - kind(b) ||
        length(b) - length(a) ||
        b.others.length - a.others.length
    );
}

function serviceRouteRules(service: Service): RouteRule[] {
    const { hosts = [], routes = [] } = service;
    const ofHosts = hosts.length === 0 ? [] : [hostAcl(service)];
    if (routes.length === 0) {
        return hosts.length === 0 ? [] : [{ service, hosts, others: [], acls: [], terms: ofHosts }];
    }
    return routes.flatMap((route, r): RouteRule[] => {
        const name = `route-${service.name}:${r + 1}`;
        const conditions = otherAcls(route, name);
        const others = conditions.map(({ criterion }) => criterion).sort();
        const terms = [...ofHosts, ...conditions.map((acl) => acl.name)];
        const paths = pathsOf(route);
        return paths.map((path, p) => {
            // Acls for headers and methods are declared once for all paths of a route.
            const acls = p === 0 ? conditions : [];
            if (path === undefined) {
                return { service, hosts, others, acls, terms };
            }
            const pathName = `${name}-path${paths.length === 1 ? "" : `-${p + 1}`}`;
            return {
                service,
                hosts,
                path,
                others,
                acls: [...acls, ...pathAcls(path, pathName)],
                terms: [...terms, pathName],
            };
        });
    });
}

function hostAcl({ name, protocol }: Service): string {
    return `${protocol === "https" ? "sni" : "host"}-${name}`;
}

/** Acls for the hosts of a service. */
export function hostAcls(service: Service): Acl[] {
    const name = hostAcl(service);
    return linesOf(service.hosts ?? []).map((hosts) =>
        service.protocol === "https" ? { name, criterion: `req.ssl_sni -i ${hosts.join(" ")}` } : { name, host: hosts },
    );
}

/** Alternatives; `undefined` is any path. */
function pathsOf({ paths = [], pathPrefixes = [], pathRegex }: Route): (Path | undefined)[] {
    const found = [
        ...paths.map((value) => ({ kind: "exact" as const, value })),
        // The prefix "/" is any path.
        ...pathPrefixes
            .map(withoutSlash)
            .map((value) => (value === "" ? undefined : { kind: "prefix" as const, value })),
        ...(pathRegex === undefined ? [] : [{ kind: "regex" as const, value: pathRegex }]),
    ];
    return found.length === 0 ? [undefined] : found;
}

/** `/api` for `/api/`, which is the same prefix. */
export function withoutSlash(prefix: string): string {
    return prefix.replace(/\/+$/, "");
}

/** Acls for a path: alternatives with one name. */
export function pathAcls({ kind, value }: Path, name: string): Acl[] {
    switch (kind) {
        case "exact":
            return [{ name, path: [value] }];
        case "prefix":
            return [
                { name, path: [value] },
                { name, pathBeg: [`${value}/`] },
            ];
        case "regex":
            return [{ name, criterion: `path -m reg -- ${word(value)}` }];
    }
}

function otherAcls({ headers = {}, methods = [] }: Route, name: string): { name: string; criterion: string }[] {
    return [
        ...Object.entries(headers).map(([header, value]) => ({
            // Neither services nor headers have a colon in their names, so this name cannot be that of a path or method.
            name: `${name}:${header.toLowerCase()}`,
            criterion:
                value === true
                    ? `req.hdr(${header}) -m found`
                    : `${headerValue(header, value)} -m str -- ${word(value)}`,
        })),
        ...(methods.length > 0 ? [{ name: `${name}-method`, criterion: `method ${methods.join(" ")}` }] : []),
    ];
}

/** One of a header's comma-separated values; the whole header if the value contains a comma. */
function headerValue(header: string, value: string): string {
    return `req.${value.includes(",") ? "fhdr" : "hdr"}(${header})`;
}

/** Splits the values of a criterion into lines that are short enough for HAProxy. */
export function linesOf(values: readonly string[]): string[][] {
    const lines: string[][] = [];
    let length = Number.POSITIVE_INFINITY;
    for (const value of values) {
        const last = lines.at(-1);
        if (last === undefined || last.length >= wordsPerLine || length + value.length > charactersPerLine) {
            lines.push([value]);
            length = value.length;
        } else {
            last.push(value);
            length += value.length + 1;
        }
    }
    return lines;
}

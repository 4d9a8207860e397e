import type { IssueList } from "../validate/issues";
import { type Ports, type RouteRule, routeRules, servicesByPort, withoutSlash } from "./routes";
import type { Service, ServiceRedirect } from "./types";

/** A request as far as ways and redirects look at it. */
interface Request {
    readonly tls: boolean;
    readonly host: string;
    readonly path: string;
    /** Conditions on headers and methods that it fits, as ways have them. */
    readonly others: readonly string[];
}

/** A redirect that has answered a request. */
interface Step {
    readonly service: Service;
    readonly index: number;
    readonly request: Request;
}

/** Redirects after which clients give up (WHATWG Fetch, section 4.4). */
const patience = 20;

/** No service has it: what leads there is for any host. */
const anyHost = "*";

/** Redirects that lead to each other without end. Where clients may be led elsewhere, that is only probable. */
export function redirectCircles(settings: Ports, services: readonly Service[], issues: IssueList): void {
    const told = new Set<string>();
    for (const [port, sharing] of servicesByPort(services.filter(isHttp), settings)) {
        if (!sharing.some(({ redirects = [] }) => redirects.length > 0)) {
            continue;
        }
        const ways = routeRules(sharing).map((way) => ({ ...way, hosts: way.hosts.map((host) => host.toLowerCase()) }));
        const fallback = sharing.find((service) => service.default);
        const known = [...sharing, ...sharing.flatMap(({ redirects = [] }) => redirects)];
        const hosts = new Set(known.flatMap(({ hosts = [] }) => hosts.map((host) => host.toLowerCase())));
        for (const service of sharing.filter(({ redirects = [] }) => redirects.length > 0)) {
            const own = [...routeRules([service]), ...(service === fallback ? [undefined] : [])];
            for (const start of (service.redirects ?? []).flatMap((redirect) =>
                own.flatMap((way) => starts(redirect, way)),
            )) {
                const circle = circleFrom(start, ways, fallback);
                const places = circle.map(
                    (step) => `services.${services.indexOf(step.service)}.redirects.${step.index}`,
                );
                const key = [...new Set(places)].sort().join(" ");
                if (circle.length > 0 && !told.has(key)) {
                    told.add(key);
                    const sure = circle.every((step) => staysHere(step, port, hosts));
                    tell(circle, sure, key.split(" ")[0] as string, issues);
                }
            }
        }
    }
}

function isHttp({ protocol = "http" }: Service): boolean {
    return protocol === "http";
}

/** What goes to https, to a host that no service has, or to the port that a host alone stands for, may be answered elsewhere. */
function staysHere({ service, index, request }: Step, port: number, hosts: ReadonlySet<string>): boolean {
    const { host } = service.redirects?.[index]?.to ?? {};
    return !request.tls && (host === undefined || (port === 80 && hosts.has(host.toLowerCase())));
}

function tell(circle: readonly Step[], sure: boolean, place: string, issues: IssueList): void {
    const urls = circle.map(({ request: { tls, host, path } }) => `http${tls ? "s" : ""}://${host}${path}`);
    const names = [...new Set(circle.map(({ service }) => service.name))];
    const way = urls.join(" -> ");
    const when = sure ? "" : " where these come back here";
    issues[sure ? "error" : "warning"](
        place,
        `redirects of service ${names.join(" and service ")} lead on without end${when} (${way}): redirect elsewhere`,
    );
}

/** Requests by a way, or by none, that a redirect may answer. */
function starts({ hosts, pathPrefix }: ServiceRedirect, way: RouteRule | undefined): Request[] {
    const ofWay = way?.hosts.length ? way.hosts : undefined;
    const prefixes = [pathPrefix ?? "/", ...(way?.path && way.path.kind !== "regex" ? [way.path.value] : [])].map(
        withoutSlash,
    );
    return (hosts ?? ofWay ?? [anyHost]).flatMap((host) =>
        prefixes
            .flatMap((prefix) => [prefix || "/", `${prefix}/x`])
            .map((path) => ({ tls: false, host: host.toLowerCase(), path, others: way?.others ?? [] })),
    );
}

/** The steps of the circle that a request gets into, the first one again at its end; none if it gets an answer, or nobody can tell. */
function circleFrom(start: Request, ways: readonly RouteRule[], fallback: Service | undefined): Step[] {
    const steps: Step[] = [];
    for (let request = start; steps.length <= patience; ) {
        const service = serviceFor(request, ways, fallback);
        const index = service?.redirects?.findIndex((redirect) => answers(redirect, request)) ?? -1;
        const redirect = service?.redirects?.[index];
        if (!service || !redirect) {
            return [];
        }
        steps.push({ service, index, request });
        request = follow(request, redirect);
    }
    const last = steps.at(-1);
    const same = steps.flatMap((step, i) => (step.service === last?.service && step.index === last.index ? [i] : []));
    return steps.slice(same[0], (same[1] ?? 0) + 1);
}

/** Where HAProxy sends it; undefined where that is nowhere, or nobody can tell. */
function serviceFor(request: Request, ways: readonly RouteRule[], fallback: Service | undefined): Service | undefined {
    try {
        const way = ways.find(
            ({ hosts, path, others }) =>
                (hosts.length === 0 || hosts.includes(request.host)) &&
                others.every((other) => request.others.includes(other)) &&
                (path === undefined || fits(request.path, path)),
        );
        return way?.service ?? fallback;
    } catch {
        // A regular expression of PCRE's own.
        return undefined;
    }
}

function fits(path: string, { kind, value }: NonNullable<RouteRule["path"]>): boolean {
    switch (kind) {
        case "exact":
            return path === value;
        case "prefix":
            return begins(path, value);
        case "regex":
            return new RegExp(value).test(path);
    }
}

/** By whole segments. */
function begins(path: string, prefix: string): boolean {
    return path === prefix || path.startsWith(`${prefix}/`);
}

function answers({ hosts, pathPrefix, to }: ServiceRedirect, { tls, host, path }: Request): boolean {
    const from = hosts === undefined || hosts.some((name) => name.toLowerCase() === host);
    const changes =
        to.pathPrefix !== undefined ||
        (to.scheme !== undefined && !tls) ||
        (to.host !== undefined && to.host.toLowerCase() !== host);
    return from && begins(path, withoutSlash(pathPrefix ?? "")) && changes;
}

function follow(request: Request, { pathPrefix = "", to, code = 302 }: ServiceRedirect): Request {
    const rest = request.path.slice(withoutSlash(pathPrefix).length);
    const keepsMethod = code === 307 || code === 308;
    return {
        tls: request.tls || to.scheme !== undefined,
        host: to.host?.toLowerCase() ?? request.host,
        path: to.pathPrefix === undefined ? request.path : `${withoutSlash(to.pathPrefix)}${rest}` || "/",
        others: request.others.filter((other) => keepsMethod || !other.startsWith("method ") || / GET\b/.test(other)),
    };
}

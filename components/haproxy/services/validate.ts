import { isAddress, isHostName } from "../model/addresses";
import { type Issue, IssueList, show } from "../validate/issues";
import { redirectCircles } from "./redirects";
import { type Ports, routeRules, servicesByPort } from "./routes";
import type { Route, Service, ServiceRedirect, ServiceServer } from "./types";

/** Those of RFC 9110, section 5.6.2, that need no quotes in an acl and its name; there are no others in use. */
const headerName = /^[A-Za-z0-9_.-]+$/;
/** RFC 3986, section 3.3; `*` and the like would be taken literally, which nobody means. */
const urlPath = /^\/[A-Za-z0-9._~!$&'()+,;=:@%/-]*$/;

/** Arguments that have no meaning with a protocol. */
const notAllowed: Readonly<Record<"https" | "tcp", readonly (keyof Service)[]>> = {
    https: ["routes", "serverTls", "forwardFor", "basicAuth", "redirects", "httpRequestRules"],
    tcp: ["hosts", "routes", "default", "serverTls", "forwardFor", "basicAuth", "redirects", "httpRequestRules"],
};

/**
 * What is wrong with services among themselves and with what only they say; `check` judges the model that comes of them.
 *
 * @param servers Those of each service; undefined where the search for them has failed, which is a fault of its own.
 */
export function serviceIssues(
    settings: Ports & { readonly version: string },
    services: readonly Service[],
    servers: readonly (readonly ServiceServer[] | undefined)[],
): Issue[] {
    const issues = new IssueList(settings.version);
    issues.unique(
        services.map(({ name }) => name),
        (i) => `services.${i}.name`,
        "service",
    );
    services.forEach((service, i) => {
        const path = `services.${i}`;
        const where = `service ${service.name}`;
        if (service.name.includes(":")) {
            issues.error(`${path}.name`, `colon in the name of ${where}: use letters, digits, "-", "_" and "."`);
        }
        protocolIssues(service, path, where, issues);
        accessIssues(service, path, where, issues);
        service.hosts?.forEach((host, j) => {
            hostIssues(host, `${path}.hosts.${j}`, where, issues);
        });
        service.routes?.forEach((route, j) => {
            routeIssues(route, `${path}.routes.${j}`, where, issues);
        });
        service.redirects?.forEach((redirect, j) => {
            redirectIssues(redirect, `${path}.redirects.${j}`, where, issues);
        });
        const found = servers[i];
        if (found) {
            serverIssues(service, found, path, where, issues);
        }
    });
    samePortIssues(settings, services, issues);
    redirectCircles(settings, services, issues);
    return issues.issues;
}

function serverIssues(
    { weights = {} }: Service,
    servers: readonly ServiceServer[],
    path: string,
    where: string,
    issues: IssueList,
): void {
    const names = servers.map(({ name }) => name);
    if (names.length === 0) {
        issues.error(`${path}.servers`, `no servers of ${where}: list them, or search for them`);
        return;
    }
    for (const name of Object.keys(weights)) {
        if (!names.includes(name)) {
            issues.error(
                `${path}.weights`,
                `weight of ${show(name)}, which is no server of ${where}: it has ${names.join(", ")}`,
            );
        }
    }
    if (servers.every(({ backup }) => backup)) {
        issues.error(`${path}.servers`, `all servers of ${where} are backups: at least one must not be`);
    }
    if (servers.every(({ name, weight = 1 }) => (weights[name] ?? weight) === 0)) {
        issues.error(
            `${path}.weights`,
            `weight 0 of every server of ${where}, so that requests get a 503: give one of them a share`,
        );
    }
}

function protocolIssues(service: Service, path: string, where: string, issues: IssueList): void {
    const { protocol = "http", hosts = [], routes = [], timeouts, persistence } = service;
    if (protocol !== "http") {
        for (const key of notAllowed[protocol]) {
            if (service[key] !== undefined) {
                issues.error(`${path}.${key}`, `${key} of ${where}, which has protocol ${protocol}: remove it`);
            }
        }
        if (persistence?.by === "cookie") {
            issues.error(`${path}.persistence`, `cookie of ${where} needs protocol http: keep clients by "address"`);
        }
        if (service.clientAddress === "x-forwarded-for") {
            issues.error(`${path}.clientAddress`, `header of ${where}, which has protocol ${protocol}: remove it`);
        }
    }
    if (protocol !== "tcp" && hosts.length === 0 && routes.length === 0 && !service.default) {
        issues.error(
            path,
            `nothing leads to ${where}: give it hosts, ${protocol === "http" ? "routes, " : ""}or default`,
        );
    }
    if (protocol !== "tcp" && timeouts?.client !== undefined) {
        issues.error(
            `${path}.timeouts.client`,
            `client timeout of ${where}, whose port others may share: set it in haproxy.defaults.timeouts`,
        );
    }
}

function accessIssues(service: Service, path: string, where: string, issues: IssueList): void {
    for (const key of ["allow", "deny"] as const) {
        service[key]?.forEach((network, i) => {
            if (!isNetwork(network)) {
                issues.error(
                    `${path}.${key}.${i}`,
                    `invalid network ${show(network)} of ${where}: use an address, or one with a prefix length like "192.0.2.0/24"`,
                );
            }
        });
    }
    if (service.allow?.length === 0) {
        issues.error(`${path}.allow`, `nobody may use ${where}: allow someone, or leave allow out`);
    }
    const { rateLimit, basicAuth } = service;
    issues.whole(rateLimit?.count, 1, 1_000_000_000, `${path}.rateLimit.count`, `rate limit of ${where}`);
    issues.whole(rateLimit?.seconds, 1, 86_400, `${path}.rateLimit.seconds`, `seconds of the rate limit of ${where}`);
    if (basicAuth?.users.length === 0) {
        issues.error(`${path}.basicAuth.users`, `nobody may use ${where}: name a user, or leave basicAuth out`);
    }
}

function isNetwork(text: string): boolean {
    const [, address = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    return isAddress(address) && Number(length ?? 0) <= (address.includes(":") ? 128 : 32);
}

function hostIssues(host: string, path: string, where: string, issues: IssueList): void {
    if (!isHostName(host)) {
        issues.error(
            path,
            `invalid host name ${show(host)} of ${where}: use one without scheme, port, path or wildcard`,
        );
    }
}

function routeIssues(route: Route, path: string, where: string, issues: IssueList): void {
    const { paths = [], pathPrefixes = [], pathRegex, headers = {}, methods = [] } = route;
    const sorts = [paths.length > 0, pathPrefixes.length > 0, pathRegex !== undefined].filter(Boolean).length;
    if (sorts > 1) {
        issues.error(path, `paths of several sorts in a route of ${where}: make a route of each`);
    }
    if (sorts === 0 && Object.keys(headers).length === 0 && methods.length === 0) {
        issues.error(path, `route of ${where} without a condition: remove it, or give it one`);
    }
    for (const [key, values] of Object.entries({ paths, pathPrefixes })) {
        values.forEach((value, i) => {
            pathIssues(value, `${path}.${key}.${i}`, where, issues);
        });
    }
    issues.argument(pathRegex, `${path}.pathRegex`, `pathRegex of ${where}`);
    for (const [name, value] of Object.entries(headers)) {
        if (!headerName.test(name)) {
            issues.error(
                `${path}.headers`,
                `invalid header name ${show(name)} of ${where}: use letters, digits and "-"`,
            );
        }
        issues.argument(
            value === true ? undefined : value,
            `${path}.headers.${name}`,
            `value of header ${name} of ${where}`,
        );
    }
    methods.forEach((method, i) => {
        if (!/^[A-Z][A-Z-]*$/.test(method)) {
            issues.error(
                `${path}.methods.${i}`,
                `invalid method ${show(method)} of ${where}: use capitals, like "POST"`,
            );
        }
    });
}

function pathIssues(value: string, path: string, where: string, issues: IssueList): void {
    if (!urlPath.test(value)) {
        issues.error(
            path,
            `invalid path ${show(value)} of ${where}: begin it with "/" and percent-encode what a URL does not hold`,
        );
    }
}

function redirectIssues(
    { hosts = [], pathPrefix, to }: ServiceRedirect,
    path: string,
    where: string,
    issues: IssueList,
): void {
    hosts.forEach((host, i) => {
        hostIssues(host, `${path}.hosts.${i}`, where, issues);
    });
    if (to.host !== undefined) {
        hostIssues(to.host, `${path}.to.host`, where, issues);
    }
    for (const [key, value] of Object.entries({ pathPrefix, "to.pathPrefix": to.pathPrefix })) {
        if (value !== undefined) {
            pathIssues(value, `${path}.${key}`, where, issues);
        }
    }
    if (to.scheme === undefined && to.host === undefined && to.pathPrefix === undefined) {
        issues.error(`${path}.to`, `redirect of ${where} to nowhere: give a scheme, host or pathPrefix`);
    }
}

/** What services of one port make impossible for each other. */
function samePortIssues(settings: Ports, services: readonly Service[], issues: IssueList): void {
    const pathOf = (service: Service) => `services.${services.indexOf(service)}`;
    for (const [port, sharing] of servicesByPort(services, settings)) {
        const [first, ...others] = sharing as [Service, ...Service[]];
        const protocol = first.protocol ?? "http";
        for (const other of others) {
            if (protocol === "tcp" || (other.protocol ?? "http") !== protocol) {
                issues.error(
                    `${pathOf(other)}.listen`,
                    `port ${port} of service ${other.name} is that of service ${first.name}, which has protocol ${protocol}: give it another`,
                );
            }
        }
        proxyIssues(sharing, pathOf, issues);
        const [fallback, ...more] = sharing.filter((service) => service.default);
        for (const other of more) {
            issues.error(
                `${pathOf(other)}.default`,
                `service ${other.name} is never used by default: service ${fallback?.name} is the default of port ${port}`,
            );
        }
        shadowIssues(sharing, pathOf, issues);
    }
}

/** To a proxy that has ended TLS, a redirect to https that does not ask it comes again and again. */
function proxyIssues(sharing: readonly Service[], pathOf: (service: Service) => string, issues: IssueList): void {
    const behind = sharing.find(({ clientAddress }) => clientAddress === "x-forwarded-for");
    for (const service of behind ? sharing : []) {
        const i = service.redirects?.findIndex(({ to }) => to.scheme !== undefined) ?? -1;
        if (i >= 0 && service.clientAddress !== "x-forwarded-for") {
            issues.warning(
                `${pathOf(service)}.redirects.${i}`,
                `redirect of service ${service.name} to https has no end where a proxy has ended TLS, as service ${behind?.name} on its port says: give both clientAddress "x-forwarded-for"`,
            );
        }
    }
}

/** Two ways of the same conditions: the second is never gone. */
function shadowIssues(sharing: readonly Service[], pathOf: (service: Service) => string, issues: IssueList): void {
    const owners = new Map<string, Service>();
    for (const { service, hosts, path, others } of routeRules(sharing)) {
        for (const host of hosts.length === 0 ? [undefined] : hosts) {
            const key = JSON.stringify([host?.toLowerCase(), path, others]);
            const owner = owners.get(key);
            if (owner !== undefined) {
                const what = `${host ?? "any host"}${path === undefined ? "" : `, path ${path.value}`}`;
                const more = others.length === 0 ? "" : `, ${others.join(", ")}`;
                issues.error(
                    owner === service ? pathOf(service) : `${pathOf(service)}.${path || !host ? "routes" : "hosts"}`,
                    owner === service
                        ? `service ${service.name} says twice that ${what}${more} leads to it: say it once`
                        : `service ${service.name} is shadowed by service ${owner.name} for ${what}${more}: give one of them other hosts or routes`,
                );
            }
            owners.set(key, owner ?? service);
        }
    }
}

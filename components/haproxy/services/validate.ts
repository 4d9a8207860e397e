import { type Issue, IssueList, show } from "../validate/issues";
import { redirectIssues } from "./redirects";
import { type Ports, routeRules, servicesByPort } from "./routes";
import type { Service, ServiceServer } from "./types";

/** Arguments that the compiler ignores, by protocol. */
const notAllowed: Readonly<Record<"https" | "tcp", readonly (keyof Service)[]>> = {
    https: ["routes", "serverTls", "forwardFor", "basicAuth", "redirects", "httpRequestRules"],
    tcp: ["hosts", "routes", "default", "serverTls", "forwardFor", "basicAuth", "redirects", "httpRequestRules"],
};

/**
 * Finds issues that only services can have: ignored arguments, services that no request reaches, and conflicts on a port. The schema
 * judges their form, and `validate` the model that they compile to.
 *
 * @param servers The servers of each service; undefined if their search has failed, which is reported separately.
 */
export function serviceIssues(
    settings: Ports,
    services: readonly Service[],
    servers: readonly (readonly ServiceServer[] | undefined)[],
): Issue[] {
    const issues = new IssueList();
    const names = services.map(({ name }) => name);
    services.forEach((service, i) => {
        const path = `services.${i}`;
        const { name } = service;
        if (names.indexOf(name) < i) {
            issues.error("duplicate-name", `${path}.name`, `service ${name}: declared already; use another name`);
        }
        protocolIssues(service, path, issues);
        serverIssues(service, servers[i], path, issues);
    });
    for (const [port, servicesOnPort] of servicesByPort(services, settings)) {
        samePortIssues(port, servicesOnPort, (service) => `services.${services.indexOf(service)}`, issues);
    }
    return issues.issues;
}

function serverIssues(
    { name, weights = {}, redirects, httpRequestRules, raw }: Service,
    servers: readonly ServiceServer[] | undefined,
    path: string,
    issues: IssueList,
): void {
    if (servers?.length === 0 && ![redirects, httpRequestRules, raw].some((answers) => answers?.length)) {
        issues.error(
            "service-without-servers",
            `${path}.servers`,
            `service ${name}: has no servers; list or search them`,
        );
    }
    for (const server of servers ? Object.keys(weights) : []) {
        if (!servers?.some((candidate) => candidate.name === server)) {
            // A search may find a server again, so its weight must not stop the others.
            issues.warning(
                "unknown-server",
                `${path}.weights`,
                `service ${name}: has no server ${show(server)}; correct weights`,
            );
        }
    }
}

function protocolIssues(service: Service, path: string, issues: IssueList): void {
    const { name, protocol = "http", hosts = [], routes = [], timeouts, persistence, clientAddress } = service;
    const ignored = [
        ...(protocol === "http" ? [] : notAllowed[protocol].filter((key) => service[key] !== undefined)),
        ...(protocol !== "http" && persistence?.by === "cookie" ? ["persistence"] : []),
        ...(protocol !== "http" && clientAddress === "x-forwarded-for" ? ["clientAddress"] : []),
    ];
    for (const key of ignored) {
        issues.error(
            "not-for-protocol",
            `${path}.${key}`,
            `service ${name}: protocol ${protocol} has no ${key === "persistence" ? "cookies" : key}; remove it${key === "persistence" ? ', or keep clients by "address"' : ""}`,
        );
    }
    if (protocol !== "tcp" && hosts.length === 0 && routes.length === 0 && !service.default) {
        issues.error(
            "unreachable-service",
            path,
            `service ${name}: unreachable; set hosts, ${protocol === "http" ? "routes " : ""}or default`,
        );
    }
    if (protocol !== "tcp" && timeouts?.client !== undefined) {
        issues.error(
            "shared-client-timeout",
            `${path}.timeouts.client`,
            `service ${name}: the client timeout belongs to its port, which services share; set defaults.timeouts (in a stack, haproxy.defaults.timeouts)`,
        );
    }
}

function samePortIssues(
    port: number,
    servicesOnPort: readonly Service[],
    pathOf: (service: Service) => string,
    issues: IssueList,
): void {
    const [first, ...others] = servicesOnPort as [Service, ...Service[]];
    const protocol = first.protocol ?? "http";
    for (const other of others) {
        if (protocol === "tcp" || (other.protocol ?? "http") !== protocol) {
            issues.error(
                "port-conflict",
                `${pathOf(other)}.listen`,
                `service ${other.name}: service ${first.name} has port ${port} with protocol ${protocol}; use another port`,
            );
        }
    }
    const [fallback, ...more] = servicesOnPort.filter((service) => service.default);
    for (const other of more) {
        issues.error(
            "second-default",
            `${pathOf(other)}.default`,
            `service ${other.name}: service ${fallback?.name} is the default of port ${port}; give one of them hosts or routes`,
        );
    }
    shadowIssues(servicesOnPort, pathOf, issues);
    redirectIssues(servicesOnPort, pathOf, issues);
}

/** Finds identical routes: the second never matches. */
function shadowIssues(
    servicesOnPort: readonly Service[],
    pathOf: (service: Service) => string,
    issues: IssueList,
): void {
    const owners = new Map<string, Service>();
    for (const { service, hosts, path, others } of routeRules(servicesOnPort)) {
        for (const host of hosts.length === 0 ? [undefined] : hosts) {
            const key = JSON.stringify([host?.toLowerCase(), path, others]);
            const owner = owners.get(key);
            if (owner !== undefined) {
                const what = [host ?? "any host", ...(path ? [`path ${path.value}`] : []), ...others].join(", ");
                const field = owner === service ? "" : path || !host ? ".routes" : ".hosts";
                issues.error(
                    "shadowed-route",
                    `${pathOf(service)}${field}`,
                    `service ${service.name}: service ${owner.name} has the same route (${what}); change one of them`,
                );
            }
            owners.set(key, owner ?? service);
        }
    }
}

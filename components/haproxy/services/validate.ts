import { type Issue, IssueList, show } from "../validate/issues";
import { behindProxy } from "./plainPort";
import { kindOn, type PortKind, type PortServices, type Ports, servicesByPort } from "./ports";
import { redirectIssues } from "./redirects";
import { routeRules } from "./routes";
import type { DeclaredTls } from "./tls";
import { tlsIssues } from "./tlsIssues";
import type { Service, ServiceServer } from "./types";

/** What clients speak on a port, for messages. */
const kindNames: Readonly<Record<PortKind, string>> = {
    http: "protocol http",
    tls: "tls",
    https: "protocol https",
    tcp: "protocol tcp",
};

/** Arguments that the compiler ignores, by protocol. */
const notAllowed: Readonly<Record<"https" | "tcp", readonly (keyof Service)[]>> = {
    https: ["tls", "routes", "serverTls", "forwardFor", "basicAuth", "redirects", "httpRequestRules"],
    tcp: ["tls", "hosts", "routes", "default", "serverTls", "forwardFor", "basicAuth", "redirects", "httpRequestRules"],
};

/**
 * Finds issues that only services can have: ignored arguments, services that no request reaches, and conflicts on a port. The schema
 * judges their form, and `validate` the model that they compile to.
 *
 * @param servers The servers of each service; undefined if their search has failed, which is reported separately.
 * @param declared Certificates and authorities that services name.
 */
export function serviceIssues(
    settings: Ports,
    services: readonly Service[],
    servers: readonly (readonly ServiceServer[] | undefined)[],
    declared: DeclaredTls,
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
    const ports = servicesByPort(services, settings);
    for (const onPort of ports) {
        samePortIssues(onPort, settings, (service) => `services.${services.indexOf(service)}`, issues);
    }
    tlsIssues(settings, services, ports, declared, issues);
    // A service that is served on two ports may have an issue on both.
    return [...new Map(issues.issues.map((issue) => [JSON.stringify(issue), issue])).values()];
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
    onPort: PortServices,
    settings: Ports,
    pathOf: (service: Service) => string,
    issues: IssueList,
): void {
    const { port, kind, services: servicesOnPort, redirected } = onPort;
    const [first, ...others] = servicesOnPort;
    for (const other of first ? others : []) {
        const otherKind = kindOn(port, other, settings);
        if (kind === "tcp" || otherKind !== kind) {
            const ends = [kind, otherKind].sort().join() === "https,tls";
            const remedy =
                other.tls && otherKind === "http" ? 'set tls.http to "redirect" or "none"' : "use another port";
            issues.error(
                "port-conflict",
                `${pathOf(other)}.listen`,
                ends
                    ? `service ${other.name}: ${kindNames[otherKind]} beside ${kindNames[kind]} of service ${first?.name}, a terminated and a passed-through service on one address and port (${port}); use another port`
                    : `service ${other.name}: service ${first?.name} has port ${port} with ${kindNames[kind]}; ${remedy}`,
            );
        }
    }
    for (const service of kind === "http" ? [] : redirected) {
        issues.error(
            "port-conflict",
            `${pathOf(service)}.tls`,
            `service ${service.name}: cannot redirect from port ${port}, which service ${first?.name} has with ${kindNames[kind]}; set tls.http to "none"`,
        );
    }
    const behind = [...servicesOnPort, ...redirected].find(behindProxy);
    for (const service of behind ? redirected.filter((one) => !behindProxy(one)) : []) {
        issues.warning(
            "redirect-behind-proxy",
            `${pathOf(service)}.tls`,
            `service ${service.name}: its redirect repeats without end if a proxy has ended TLS, as clientAddress of service ${behind?.name} says; set clientAddress "x-forwarded-for" here too, or tls.http to "none"`,
        );
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

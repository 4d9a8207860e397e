import type { IssueList } from "../validate/issues";
import { withoutSlash } from "./routes";
import type { Service, ServiceRedirect } from "./types";

interface ServiceRedirectAt {
    readonly service: Service;
    readonly redirect: ServiceRedirect;
    readonly path: string;
}

/** Finds redirects that never end: to the same address, in pairs, or to https behind a proxy that ends TLS. */
export function redirectIssues(
    servicesOnPort: readonly Service[],
    pathOf: (service: Service) => string,
    issues: IssueList,
): void {
    const behind = servicesOnPort.find(({ clientAddress }) => clientAddress === "x-forwarded-for");
    const all = servicesOnPort.flatMap((service) =>
        (service.redirects ?? []).map((redirect, i) => ({
            service,
            redirect,
            path: `${pathOf(service)}.redirects.${i}`,
        })),
    );
    all.forEach((one, i) => {
        const { service, redirect, path } = one;
        const subject = `redirect of service ${service.name}`;
        if (Object.values(redirect.to).every((value) => value === undefined)) {
            issues.error(
                "empty-redirect",
                `${path}.to`,
                `${subject}: leads to the same address; set scheme, host or pathPrefix`,
            );
        } else if (redirect.to.scheme && behind && service.clientAddress !== "x-forwarded-for") {
            issues.warning(
                "redirect-behind-proxy",
                path,
                `${subject}: repeats without end if a proxy has ended TLS, as clientAddress of service ${behind.name} says; set clientAddress "x-forwarded-for" here too`,
            );
        }
        const back = all.slice(i).find((other) => leadsTo(one, other) && leadsTo(other, one));
        if (back) {
            issues.warning(
                "redirect-circle",
                path,
                back === one
                    ? `${subject}: leads to itself; change pathPrefix or to`
                    : `${subject}: leads to redirect of service ${back.service.name} and back; change one of them`,
            );
        }
    });
}

/** Whether a request that follows one redirect can get the other one next, regardless of headers and methods. */
function leadsTo({ service, redirect: { to, ...from } }: ServiceRedirectAt, other: ServiceRedirectAt): boolean {
    const { hosts, pathPrefix = "", to: next } = other.redirect;
    const path = `${withoutSlash(to.pathPrefix ?? from.pathPrefix ?? "")}/`;
    const under = (prefix: string) => path.startsWith(`${withoutSlash(prefix)}/`);
    const routes = (other.service.routes ?? []).map(({ paths = [], pathPrefixes = [] }) => [...paths, ...pathPrefixes]);
    const has = (list: readonly string[] | undefined, host: string) =>
        !list || list.some((name) => name.toLowerCase() === host.toLowerCase());
    const arrivals = to.host === undefined ? (from.hosts ?? service.hosts ?? ["*"]) : [to.host];
    return (
        arrivals.some(
            (host) =>
                has(hosts, host) &&
                has(other.service.hosts, host) &&
                // A redirect to a host skips requests that already have it.
                (next.pathPrefix !== undefined || (next.host !== undefined && !has([next.host], host))),
        ) &&
        under(pathPrefix) &&
        (routes.length === 0 || routes.flat().some(under))
    );
}

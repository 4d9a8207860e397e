import { domainToASCII } from "node:url";
import type { Service, ServiceCheck } from "./types";

/**
 * The form of a host name that clients send: an international one in ASCII (IDNA). What has none is returned as it is, which is no host
 * name. So is what has other ASCII characters than a host name, at which `domainToASCII` would cut it off.
 */
export function asciiHost(host: string): string {
    const international = /[^\x00-\x7f]/.test(host) && /^[A-Za-z0-9._-]*$/.test(host.replace(/[^\x00-\x7f]/g, ""));
    return (international && domainToASCII(host)) || host;
}

/** The service with all its host names in ASCII; the same object if they are. */
export function withAsciiHosts(service: Service): Service {
    const { hosts, redirects, check } = service;
    const ascii = {
        ...(hosts && { hosts: hosts.map(asciiHost) }),
        ...(redirects && {
            redirects: redirects.map((redirect) => ({
                ...redirect,
                ...(redirect.hosts && { hosts: redirect.hosts.map(asciiHost) }),
                to: {
                    ...redirect.to,
                    ...(redirect.to.host !== undefined && { host: asciiHost(redirect.to.host) }),
                },
            })),
        }),
        ...(check && { check: asciiCheck(check) }),
    };
    return JSON.stringify(ascii) === JSON.stringify({ hosts, redirects, check }) ? service : { ...service, ...ascii };
}

function asciiCheck(check: ServiceCheck): ServiceCheck {
    if ("host" in check && check.host !== undefined) {
        return { ...check, host: asciiHost(check.host) };
    }
    return "domain" in check && check.domain !== undefined ? { ...check, domain: asciiHost(check.domain) } : check;
}

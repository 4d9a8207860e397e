import type { Acl, Backend, UseBackend } from "../model";
import { listenPort, type Ports } from "./ports";
import type { Path, RouteRule } from "./routes";
import type { Service } from "./types";

/** Paths at which authorities look for proof that a host is ours (RFC 8555, section 8.3), in plain text: one segment. */
const challenges: Acl = {
    name: "acme",
    criterion: "path -m reg -- ^/\\.well-known/acme-challenge/[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
};
const challengePath = "/.well-known/acme-challenge";

/** A proxy before HAProxy has ended TLS, so that a redirect to https would have no end. */
const forwarded: Acl = { name: "forwarded-tls", criterion: "req.hdr(x-forwarded-proto),lower -m str https" };

/** Acls that rules of a plain port may use, besides those for routes. */
export const plainAcls: readonly Acl[] = [challenges, forwarded];

/** Name of the backend that redirects to a port with TLS. Services have no colon in their names. */
export function redirectName(port: number): string {
    return `redirect:${port}`;
}

/** Where the requests of a service with a redirect go on the plain port. */
export interface Diversion {
    /** In this order, at the place of the route. */
    readonly here: readonly UseBackend[];
    /** After all rules about paths: what another service may have declared for any host. */
    readonly later: readonly UseBackend[];
}

/** What becomes of a route to a service whose requests are redirected. */
export function diverted(
    { service, path, terms }: Pick<RouteRule, "service" | "path" | "terms">,
    settings: Ports,
): Diversion {
    const own = (...more: string[]): UseBackend => ({ backend: service.name, if: [...terms, ...more] });
    const challenged = mayBeChallenge(path);
    const declared = challenged && (path?.kind === "exact" || path?.kind === "prefix");
    const proxied = behindProxy(service);
    return {
        here: [
            ...(proxied ? [own("forwarded-tls")] : []),
            ...(declared ? [own("acme")] : []),
            {
                backend: redirectName(listenPort(service, settings)),
                if: [...terms, ...(challenged ? ["!acme"] : [])],
            },
        ],
        later: challenged && !declared ? [own("acme")] : [],
    };
}

/** Whether another proxy may have ended TLS. */
export function behindProxy({ clientAddress }: Service): boolean {
    return clientAddress === "x-forwarded-for";
}

/** Whether a path of a challenge can match. */
function mayBeChallenge(path: Path | undefined): boolean {
    switch (path?.kind) {
        case "exact":
            return path.value.startsWith(`${challengePath}/`);
        case "prefix":
            return `${challengePath}/`.startsWith(`${path.value}/`) || path.value.startsWith(`${challengePath}/`);
        default:
            return true;
    }
}

/** A name or an address, perhaps with a port: old releases let pass `shop.example.com:@evil.example`. */
const wellFormed = "^([A-Za-z0-9_.-]+|[[][0-9A-Fa-f:.]+[]])(:[0-9]*)?$";

/** A backend that redirects every request to the same URL with https on that port. */
export function redirectBackend(port: number): Backend {
    const host = "req.fhdr(host)";
    return {
        name: redirectName(port),
        servers: [],
        httpRequestRules: [
            { action: "return", status: 400, unless: [`{ ${host} -m reg ${wellFormed} }`] },
            { action: "set-var", variable: "txn.host", expression: `${host},regsub(:[0-9]*$,)` },
            {
                action: "redirect",
                code: 308,
                location: `https://%[var(txn.host)]${port === 443 ? "" : `:${port}`}%[pathq]`,
            },
        ],
    };
}

import type { Acl, HttpRequestRule } from "../model";
import { atLeast, releaseOf } from "../model/versions";
import { linesOf } from "./routes";
import { clientsOf, handshakeKey, type SharedTls, type TlsContext } from "./tls";
import type { ClientField, Service } from "./types";

/** What servers get if nothing else is declared. */
const usualHeaders: Readonly<Record<string, ClientField>> = { "X-SSL-Client-Subject": "subject" };

/** Log-formats of parts of a certificate. In RFC 2253 and hexadecimal, all but printable ASCII is escaped. */
const formats: Readonly<Record<ClientField, string>> = {
    subject: "%[ssl_c_s_dn(,0,rfc2253)]",
    commonName: "%[ssl_c_s_dn(CN)]",
    issuer: "%[ssl_c_i_dn(,0,rfc2253)]",
    serial: "%[ssl_c_serial,hex]",
    fingerprint: "%[ssl_c_sha1,hex]",
};

/** Holds if the client has shown a certificate that its authority signed. */
const certified = ["{ ssl_c_used }", "{ ssl_c_verify 0 }"] as const;

/** The headers with parts of the client's certificate that a service gets. */
function headersOf(service: Service, settings: TlsContext): [string, ClientField][] {
    const clients = clientsOf(service, settings);
    return clients ? Object.entries(clients.headers ?? usualHeaders) : [];
}

/**
 * Rules that remove from every request what only HAProxy may say of a client's certificate. Many servers read `X_Name`, and some
 * `X.Name`, as `X-Name` (RFC 3875, section 4.1.18), so these are removed too.
 */
export function headerRemovals(services: readonly Service[], settings: TlsContext): HttpRequestRule[] {
    const names = services.flatMap((service) => headersOf(service, settings).map(([name]) => name.toLowerCase()));
    return [...new Set(names)].sort().flatMap((name): HttpRequestRule[] => {
        const pattern = name.replace(/[^a-z0-9]/g, "[^a-z0-9]");
        return [
            { action: "del-header", name },
            ...(pattern === name
                ? []
                : atLeast(releaseOf(settings), "2.4")
                  ? [`del-header ^${pattern}$ -m reg`]
                  : spellings(name).map((other) => ({ action: "del-header", name: other }) as const)),
        ];
    });
}

/** The name with underscores instead of its hyphens: in every combination, or, if these are many, only with all of them. */
function spellings(name: string): string[] {
    const [first = "", ...parts] = name.split(/[^a-z0-9]/);
    if (parts.length > 4) {
        return [[first, ...parts].join("_")];
    }
    const all = parts.reduce(
        (list, part) => list.flatMap((begin) => [`${begin}-${part}`, `${begin}_${part}`]),
        [first],
    );
    return all.filter((other) => other !== name);
}

/** What a backend does about certificates of clients. */
export interface ClientRules {
    readonly acls: readonly Acl[];
    readonly rules: readonly HttpRequestRule[];
}

/**
 * Lets only clients in whose connection was made as the service demands it: with a certificate, and under a name for which HAProxy has
 * asked for it. One connection may carry requests for any host of its port, and sessions may be resumed under another name.
 */
export function clientRules(service: Service, { apart }: SharedTls, settings: TlsContext): ClientRules {
    const clients = clientsOf(service, settings);
    const { acls, rules } = clients ? nameCheck(service, apart, settings) : { acls: [], rules: [] };
    return {
        acls,
        rules: [
            ...rules,
            ...(clients && (clients.verify ?? "required") === "required"
                ? [{ action: "deny", unless: certified } as const]
                : []),
            ...headersOf(service, settings).map(
                ([name, field]) => ({ action: "set-header", name, format: formats[field], if: certified }) as const,
            ),
        ],
    };
}

/** Refuses with a 421, after which clients connect anew (RFC 9110, section 15.5.20), what another handshake has let in. */
function nameCheck(service: Service, apart: SharedTls["apart"], settings: TlsContext): ClientRules {
    const sni = (name: string, hosts: readonly string[]) =>
        linesOf(hosts).map((line): Acl => ({ name, criterion: `ssl_fc_sni -i ${line.join(" ")}` }));
    if (apart.size === 0) {
        return { acls: [], rules: [] };
    }
    if (apart.has(service)) {
        return {
            acls: sni("own-name", service.hosts ?? []),
            rules: [{ action: "return", status: 421, if: ["{ ssl_fc }", "!own-name"] }],
        };
    }
    const key = handshakeKey(service, settings);
    const differing = [...apart].flatMap(([other, otherKey]) => (otherKey === key ? [] : [other]));
    return {
        acls: sni("other-name", [
            ...new Set(differing.flatMap(({ hosts = [] }) => hosts.map((host) => host.toLowerCase()))),
        ]),
        rules: [{ action: "return", status: 421, if: ["other-name"] }],
    };
}

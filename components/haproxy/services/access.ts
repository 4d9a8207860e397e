import { slot } from "../../convergence/slots";
import type { Acl, Backend, HttpRequestRule, TcpRequestRule, Userlist } from "../model";
import { linesOf, pathAcls, withoutSlash } from "./routes";
import type { Credential, Service, ServiceRedirect } from "./types";

/** Counter of the rate limit. Users' own rules can have 0 and 1: a counter is taken by the first rule that tracks with it. */
const counter = 2;

/** Sample expression for the client's address. */
export function clientAddress(service: Service): string {
    return service.clientAddress === "x-forwarded-for" ? "req.hdr_ip(x-forwarded-for,-1)" : "src";
}

/** Identifies a client: an IPv4 address, or the /64 network of an IPv6 address, which usually belongs to one subscriber. */
export function clientKey(service: Service): string {
    return `${clientAddress(service)},ipmask(32,64)`;
}

/** Acls for {@link httpAccess} and {@link tcpAccess}. */
export function accessAcls(service: Service): Acl[] {
    const address = clientAddress(service);
    const list = (name: string, networks: readonly string[] = []) =>
        linesOf(networks).map((line) => ({ name, criterion: `${address} ${line.join(" ")}` }));
    return [...list("denied", service.deny), ...list("allowed", service.allow)];
}

/** Access rules of a service's backend, the cheapest first. Redirects come before the request for a password. */
export function httpAccess(service: Service): HttpRequestRule[] {
    const { name, deny, allow, rateLimit, basicAuth, redirects = [] } = service;
    return [
        ...(deny?.length ? [{ action: "deny", if: ["denied"] } as const] : []),
        ...(allow ? [{ action: "deny", if: ["!allowed"] } as const] : []),
        ...(rateLimit
            ? ([
                  { action: "track-sc", counter, key: clientKey(service), table: rateTable(name) },
                  {
                      action: "return",
                      status: 429,
                      headers: { "Retry-After": String(rateLimit.seconds ?? 10) },
                      if: [`{ sc_http_req_rate(${counter}) gt ${rateLimit.count} }`],
                  },
              ] as const)
            : []),
        ...redirects.map((redirect, i) => redirectRule(redirect, i, pendingTls(service))),
        ...(basicAuth
            ? [{ action: "auth", realm: basicAuth.realm ?? name, if: [`!{ http_auth(${name}) }`] } as const]
            : []),
    ];
}

/** Access rules of a frontend, or of a backend if TLS is passed through. */
export function tcpAccess(service: Service, at: "connection" | "content"): TcpRequestRule[] {
    const { name, deny, allow, rateLimit } = service;
    return [
        ...(deny?.length ? [{ at, action: "reject", if: ["denied"] } as const] : []),
        ...(allow ? [{ at, action: "reject", if: ["!allowed"] } as const] : []),
        ...(rateLimit
            ? ([
                  { at, action: "track-sc", counter, key: clientKey(service), table: rateTable(name) },
                  {
                      at,
                      action: "reject",
                      if: [`{ sc_conn_rate(${counter}) gt ${rateLimit.count} }`],
                  },
              ] as const)
            : []),
    ];
}

/** A section for the counters, because a backend has only one table, which persistence may need. */
export function rateTableOf({ name, protocol, rateLimit }: Service): Backend[] {
    if (!rateLimit) {
        return [];
    }
    const { seconds = 10 } = rateLimit;
    const rate = protocol === "https" || protocol === "tcp" ? "conn_rate" : "http_req_rate";
    const store = [`${rate}(${seconds}s)`];
    return [
        {
            name: rateTable(name),
            servers: [],
            stickTable: { type: "ipv6", size: "100k", expire: `${2 * seconds}s`, store },
        },
    ];
}

/** Services have no colon in their names. */
function rateTable(name: string): string {
    return `${name}:rate`;
}

/** The password, or the slot for it. */
export function passwordOf(credential: Credential): string {
    return "password" in credential ? credential.password : slot(credential.passwordSecret);
}

/** The users of a service, for `http_auth`. */
export function userlistOf({ name, basicAuth }: Service): Userlist[] {
    return basicAuth
        ? [
              {
                  name,
                  users: basicAuth.users.map((user) => ({
                      name: user.name,
                      password: passwordOf(user),
                      ...(!user.hashed && { insecure: true }),
                  })),
              },
          ]
        : [];
}

/** Acls for the redirects. */
export function redirectAcls({ redirects = [] }: Service): Acl[] {
    return redirects.flatMap(({ hosts = [], pathPrefix, to }, i) => [
        ...linesOf(hosts).map((host) => ({ name: `redirect-${i + 1}-host`, host })),
        ...(pathPrefix === undefined
            ? []
            : pathAcls({ kind: "prefix", value: withoutSlash(pathPrefix) }, `redirect-${i + 1}-path`)),
        ...(to.host === undefined || to.pathPrefix !== undefined
            ? []
            : [{ name: `redirect-${i + 1}-done`, host: [to.host] }]),
    ]);
}

/** Conditions that hold for clients without TLS, including TLS that ended at a proxy before HAProxy. */
function pendingTls({ clientAddress }: Service): string[] {
    const proxied = clientAddress === "x-forwarded-for";
    return ["!{ ssl_fc }", ...(proxied ? ["!{ req.hdr(x-forwarded-proto),lower -m str https }"] : [])];
}

/** Skips requests that already match the target, to avoid a loop. */
function redirectRule({ hosts, pathPrefix, to, code }: ServiceRedirect, i: number, noTls: string[]): HttpRequestRule {
    const from = [
        ...(hosts ? [`redirect-${i + 1}-host`] : []),
        ...(pathPrefix === undefined ? [] : [`redirect-${i + 1}-path`]),
    ];
    const pending = [
        ...(to.scheme === undefined ? [] : [noTls]),
        ...(to.host === undefined ? [] : [[`!redirect-${i + 1}-done`]]),
    ];
    // A new path always differs.
    const alternatives = to.pathPrefix === undefined ? pending : [[]];
    return {
        action: "redirect",
        ...target(pathPrefix, to),
        ...(code !== undefined && { code }),
        if: alternatives.flatMap((terms, n) => [...(n > 0 ? ["or"] : []), ...from, ...terms]),
    };
}

function target(
    pathPrefix: string | undefined,
    { scheme, host, pathPrefix: path }: ServiceRedirect["to"],
): { readonly location: string } {
    if (path !== undefined) {
        const begin = withoutSlash(path).replace(/%/g, "%%");
        // The rest of a path may be empty or begin with "//", which without an authority is no URL, or a URL of another host.
        const authority = host !== undefined || scheme !== undefined || begin === "" ? origin(scheme, host) : "";
        return { location: `${authority}${begin}%[pathq,bytes(${withoutSlash(pathPrefix ?? "").length})]` };
    }
    return { location: `${origin(scheme, host)}%[pathq]` };
}

/** Without a scheme, the client keeps its own (RFC 3986, section 4.2), and also the port. */
function origin(scheme: string | undefined, host?: string): string {
    const own = scheme === undefined ? "%[req.hdr(host)]" : "%[req.hdr(host),field(1,:)]";
    return `${scheme === undefined ? "" : `${scheme}:`}//${host ?? own}`;
}

import { assertForm, text } from "../../forms";

/** Files that are activated, proven and restored together with haproxy.cfg. */

/**
 * A map for the converters `map…` (section 7.3.1), or, if its entries have no values, a list for `-f` in acls (section 7.1). Rules refer
 * to it by its path `/etc/haproxy/fleet/<name>.map`, as in `%[req.hdr(host),lower,map(/etc/haproxy/fleet/hosts.map,app)]` and
 * `src -f /etc/haproxy/fleet/office.map`.
 */
export interface MapFile {
    /** Name of the file without folder and `.map`. */
    readonly name: string;
    /** Written in this order: `map_reg` and `map_sub` take the first entry that matches. */
    readonly entries: readonly MapEntry[];
}

/** A line of a map. */
export interface MapEntry {
    /** Without blanks, unless the map has no values. */
    readonly key: string;
    /** Result for the key; may contain blanks. Either all entries of a map have one or none. @default - none, for acls */
    readonly value?: string;
}

/** An error file whose content is declared here. */
export interface ErrorFile {
    /** A whole HTTP/1 response that fits into `tune.bufsize`: status line, headers, blank line, body. */
    readonly content: string;
}

/**
 * A certificate for binds, in the file `/etc/haproxy/fleet/<name>.pem`, which only root can read. HAProxy loads it only where a bind
 * names it.
 */
export interface CertificateFile {
    /** Lower-case letters, digits, dots and hyphens. */
    readonly name: string;
    /** Leaf, intermediates and private key, in PEM: the slot of a secret. */
    readonly pem: string;
}

/**
 * Authorities that sign certificates of clients or servers, in the file `/etc/haproxy/fleet/<name>.ca.pem`; their revocation lists are
 * in `<name>.crl.pem`. Binds and servers refer to them by path: see {@link authorityPath} and {@link revocationsPath}.
 */
export interface AuthorityFile {
    /** Lower-case letters, digits, dots and hyphens. */
    readonly name: string;
    /** Certificates, in PEM. */
    readonly pem: string;
    /** Revocation lists, in PEM. @default - no file */
    readonly revocations?: string;
}

/** Directory that contains only declared files; other files of the host stay outside of it. */
export const fleetDirectory = "/etc/haproxy/fleet";

/** File from which a new worker reads the states of its servers. A start finds only {@link noServerStates} in it. */
export const serverStatesFile = "/run/haproxy-fleet/server-states";

/** A state file without states. Below 2.8, HAProxy warns if there is no file. */
export const noServerStates = "1\n";

/**
 * Path of a map, by which rules refer to it.
 *
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * export const office: haproxy.MapFile = { name: "office", entries: [{ key: "192.0.2.0/24" }] };
 * export const onlyOffice: haproxy.HttpRequestRule = {
 *     action: "deny",
 *     unless: [`{ src -f ${haproxy.mapPath(office.name)} }`],
 * };
 * ```
 */
export function mapPath(name: string): string {
    assertForm(text, name, "mapPath");
    return `${fleetDirectory}/${name}.map`;
}

/**
 * Path of the bundle of a certificate, for `crt` of servers that want one from HAProxy.
 *
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * export const server: haproxy.Server = {
 *     name: "bank",
 *     address: "192.0.2.30",
 *     port: 443,
 *     ssl: { crt: haproxy.certificatePath("client"), caFile: haproxy.authorityPath("bank"), verifyhost: "bank.example.com" },
 * };
 * ```
 */
export function certificatePath(name: string): string {
    assertForm(text, name, "certificatePath");
    return `${fleetDirectory}/${name}.pem`;
}

/**
 * Path of the certificates of an authority, for `caFile` of binds and servers.
 *
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * export const bind: haproxy.Bind = {
 *     port: 443,
 *     ssl: {
 *         certificates: ["shop"],
 *         caFile: haproxy.authorityPath("partners"),
 *         crlFile: haproxy.revocationsPath("partners"),
 *     },
 * };
 * ```
 */
export function authorityPath(name: string): string {
    assertForm(text, name, "authorityPath");
    return `${fleetDirectory}/${name}.ca.pem`;
}

/**
 * Path of the revocation lists of an authority, for `crlFile` of binds and servers.
 *
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * export const clients: haproxy.BindTlsOptions = {
 *     caFile: haproxy.authorityPath("partners"),
 *     crlFile: haproxy.revocationsPath("partners"),
 *     verify: "optional",
 * };
 * ```
 */
export function revocationsPath(name: string): string {
    assertForm(text, name, "revocationsPath");
    return `${fleetDirectory}/${name}.crl.pem`;
}

/** Path of the list of a bind's certificates. */
export function crtListPath(name: string): string {
    return `${fleetDirectory}/${name}.crt-list`;
}

/** Path of an error file of a section `http-errors`. */
export function errorfilePath(section: string, status: string): string {
    return `${fleetDirectory}/${section}-${status}.http`;
}

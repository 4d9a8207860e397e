/** Files beside haproxy.cfg that are activated, proven and put back together with it. */

/**
 * A map, for the converters `map…` (section 7.3.1), or without values a list for `-f` of acls (section 7.1):
 * `/etc/haproxy/fleet/<name>.map`, which is what rules call it, as in
 * `%[req.hdr(host),lower,map(/etc/haproxy/fleet/hosts.map,app)]` and `src -f /etc/haproxy/fleet/office.map`.
 */
export interface MapFile {
    readonly name: string;
    /** In this order, by which `map_reg` and `map_sub` take the first that matches. */
    readonly entries: readonly MapEntry[];
}

/** A line of a map. */
export interface MapEntry {
    /** Without blanks. */
    readonly key: string;
    /** What the key is turned into; may hold blanks. @default - none, for acls: all entries of a map have one or none has */
    readonly value?: string;
}

/** An error file with its content here, and not on the host already. */
export interface ErrorFile {
    /** A whole HTTP/1 answer of at most 16000 bytes: status line, headers, blank line, body. */
    readonly content: string;
}

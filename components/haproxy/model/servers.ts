/**
 * Parameters of a server, or of `default-server` for all servers of a section. Section 5.2. An explicit `false` undoes the value of
 * `default-server`.
 */
export interface ServerOptions {
    /** @default true */
    readonly check?: boolean;
    /** Port of the health check. @default - that of the server */
    readonly checkPort?: number;
    /** Time between two checks. @default "2s" */
    readonly inter?: string;
    /** Failed checks until the server is down. @default 3 */
    readonly fall?: number;
    /** Successful checks until the server is up. @default 2 */
    readonly rise?: number;
    /** 0 to 256. @default - 1 */
    readonly weight?: number;
    /** Used only while all other servers are down. @default false */
    readonly backup?: boolean;
    /** Concurrent connections; further requests queue. @default - no limit */
    readonly maxconn?: number;
    /** How long its share of the load grows after it comes up. @default - full load at once */
    readonly slowstart?: string;
    /** What happens to its sessions when it goes down. @default - they continue */
    readonly onMarkedDown?: "shutdown-sessions";
    /** What happens to sessions of backup servers when it comes up. @default - they continue */
    readonly onMarkedUp?: "shutdown-backup-sessions";
    /** Counts errors of traffic as failed checks. @default - checks only */
    readonly observe?: "layer4" | "layer7";
    /** Sends the client's address by the proxy protocol. @default false */
    readonly sendProxy?: boolean | "v2";
    /** TLS to the server. @default - none */
    readonly ssl?: ServerTls | false;
    /** Section `resolvers` that resolves its name while HAProxy runs. @default - resolved once, at start */
    readonly resolvers?: string;
    /** Methods to find the first address, as in `last,libc,none`. @default "last,libc" */
    readonly initAddr?: string;
    /** Further parameters, as written. @default - none */
    readonly raw?: string;
}

/** Keywords `ssl`, `verify`, `ca-file`, `sni`, `alpn` and `crt` of section 5.2. */
export interface ServerTls {
    /** `none` accepts any certificate. @default - that of `defaultServer.ssl`, else "required" */
    readonly verify?: "required" | "none";
    /** Absolute path, or from 2.6 `@system-ca`. Needed to verify. @default - none */
    readonly caFile?: string;
    /** Name that the certificate must have. @default - the name from `sni` */
    readonly verifyhost?: string;
    /** Sample expression, such as `req.hdr(host)` or `str(app.example.com)`; only a constant name is also sent by checks. @default - none is sent */
    readonly sni?: string;
    /** @default - none, so HTTP/1.1 */
    readonly alpn?: readonly string[];
    /** Absolute path of the client certificate with its key. @default - none */
    readonly crt?: string;
}

/** Section 5.2. */
export interface Server extends ServerOptions {
    /** Name, unique in its section. */
    readonly name: string;
    /** IP address, or a name that the host can resolve, also with `ipv4@` or `ipv6@` before it; without scheme, port and path. */
    readonly address: string;
    /** TCP port. */
    readonly port: number;
    /** Its value in the section's {@link Cookie}. @default - none: clients do not stay on it */
    readonly cookie?: string;
}

/** Limits on how a section's servers may shrink. The host judges them when it is converged, against the servers that it runs. */
export interface ServerGuards {
    /** The host refuses a configuration with fewer servers, not counting backups. @default - no guard */
    readonly minServers?: number;
    /**
     * The host refuses a configuration that removes more than this percentage, 0 to 100, of the section's running servers or of its
     * backup servers. Not counted are replaced servers, backups that become servers, new sections, and the removal of a whole one.
     * @default - no guard
     */
    readonly maxShrinkPercent?: number;
    /** `false`: the section has no backup servers on purpose, so that losing all of them is no shrink. @default true */
    readonly backups?: boolean;
    /**
     * How long a reload waits for the sessions of servers that it removes, which get no new ones meanwhile; `"10m"` at most. A server that
     * is down, or the last that works, is removed without waiting. @default - servers are not drained
     */
    readonly drain?: string;
    /**
     * Servers that must be up after a change, not counting backups: a number, or a share such as `"50%"`, which is rounded up. If
     * fewer were up before it, as many as then. Otherwise the host goes back to the configuration that it had.
     * @default 1
     */
    readonly minUp?: number | string;
}

/** Section 4.2, keyword `server-template`: servers named by prefix and number, with addresses from DNS. */
export interface ServerTemplate extends ServerOptions {
    /** Beginning of the names; a number follows. */
    readonly prefix: string;
    /** Number of servers. */
    readonly count: number;
    /** DNS name whose addresses they get. */
    readonly fqdn: string;
    /** TCP port of all of them. */
    readonly port: number;
}

/** What a server may be told of, and `default-server` for all servers of a section. Section 5.2. */
export interface ServerOptions {
    /** @default true */
    readonly check?: boolean;
    /** Port that is checked. @default - that of the server */
    readonly checkPort?: number;
    /** Between two checks. @default "2s" */
    readonly inter?: string;
    /** Failed checks until it is down. @default 3 */
    readonly fall?: number;
    /** Good checks until it is up. @default 2 */
    readonly rise?: number;
    /** 0 to 256. @default - 1 */
    readonly weight?: number;
    /** Used only when all others are down. @default false */
    readonly backup?: boolean;
    /** Connections at a time; further ones queue. @default - no limit */
    readonly maxconn?: number;
    /** How long its share grows after it has come up. @default - at once */
    readonly slowstart?: string;
    /** What becomes of its sessions when it goes down. @default - they go on */
    readonly onMarkedDown?: "shutdown-sessions";
    /** What becomes of the sessions of backup servers when it comes up. @default - they go on */
    readonly onMarkedUp?: "shutdown-backup-sessions";
    /** Counts errors of real traffic as failed checks. @default - checks only */
    readonly observe?: "layer4" | "layer7";
    /** Tells the server the client's address by the proxy protocol. @default false */
    readonly sendProxy?: boolean | "v2";
    /** TLS to the server. @default - none */
    readonly ssl?: ServerTls;
    /** Section that resolves its name while HAProxy runs. @default - resolved once, at start */
    readonly resolvers?: string;
    /** Where the first address comes from, as in `last,libc,none`. @default "last,libc" */
    readonly initAddr?: string;
    /** Further parameters, as written. @default - none */
    readonly raw?: string;
}

/** Keywords `ssl`, `verify`, `ca-file`, `sni`, `alpn` and `crt` of section 5.2. */
export interface ServerTls {
    /** `none` accepts anybody's certificate. @default "required" */
    readonly verify?: "required" | "none";
    /** Absolute path, or from 2.6 `@system-ca`. Needed to verify. @default - none */
    readonly caFile?: string;
    /** Name that the certificate must have. @default - that of `sni`, if any */
    readonly verifyhost?: string;
    /** Sample expression, such as `req.hdr(host)` or `str(app.example.com)`; checks send only the latter. @default - none is sent */
    readonly sni?: string;
    /** @default - none, so HTTP/1.1 */
    readonly alpn?: readonly string[];
    /** Absolute path of our own certificate and key. @default - none */
    readonly crt?: string;
}

/** Section 5.2. */
export interface Server extends ServerOptions {
    readonly name: string;
    /** IP address or a name that the host can resolve; neither scheme nor port nor path. */
    readonly address: string;
    readonly port: number;
    /** Its value in the section's {@link Cookie}. @default - none, so no client is kept on it */
    readonly cookie?: string;
}

/** How a section's servers may become fewer. Not HAProxy's own words: a host judges by what it runs when it is converged. */
export interface ServerGuards {
    /** With fewer servers, backup servers not counted, the host refuses the configuration. @default - no guard */
    readonly minServers?: number;
    /**
     * Where more of the servers that the host runs now would be gone, or of its backup servers, the host refuses the configuration.
     * Servers that replace others are no shrink, and neither is a section that is new or removed as a whole. 0 to 100, in percent.
     * @default - no guard
     */
    readonly maxShrinkPercent?: number;
    /**
     * How long a reload waits at most for the sessions of servers that it removes, which get no new ones meanwhile, as in `"30s"`;
     * `"10m"` at most. One that is down, or whose removal leaves none that works, is removed without. @default - they are not drained
     */
    readonly drain?: string;
}

/** Section 4.2, keyword `server-template`: servers named by a prefix and a number, filled from DNS. */
export interface ServerTemplate extends ServerOptions {
    readonly prefix: string;
    /** How many there may be. */
    readonly count: number;
    /** Name whose addresses they get. */
    readonly fqdn: string;
    readonly port: number;
}

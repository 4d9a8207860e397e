import type {
    Defaults,
    Global,
    HttpRequestRule,
    ProtocolCheck,
    Server,
    ServerGuards,
    ServerTls,
    Stats,
    Timeouts,
} from "../model";

/** Settings that all services of a stack share. */
export interface HaproxySettings {
    /** Lowest HAProxy release among the hosts. */
    readonly version: string;
    /** @default 50000 */
    readonly maxconn?: number;
    /** Port of services with protocol http that set no `listen`. @default 80 */
    readonly port?: number;
    /**
     * Looks hosts of services without routes up in a map, a file beside haproxy.cfg, instead of one acl after the other. With hundreds
     * of services this makes requests to the last one as fast as to the first. @default false
     */
    readonly hostMap?: boolean;
    /**
     * Local port over which the old worker sends the tables of services (persistence by address, rate limits) to the new one during a
     * reload. `false`: a reload empties the tables. Every process of the host can connect to it. @default 8406
     */
    readonly peersPort?: number | false;
    /**
     * Serves the ports of services, and the statistics page unless its bind has an address, on all IPv6 addresses, too. Off by default
     * because it may bypass lists and firewalls made for IPv4, and because a host whose kernel has no IPv6 (`ipv6.disable=1`) refuses it.
     * Services still see IPv4 clients by their IPv4 addresses. @default false
     */
    readonly ipv6?: boolean;
    readonly global?: Omit<Global, "maxconn">;
    readonly defaults?: Defaults;
}

/** The statistics page of a stack, with the password by name. */
export type StatsSettings = Omit<Stats, "auth"> & {
    /** `passwordSecret`: slot of the password, and its key in the stack's Pulumi config. @default - no password */
    readonly auth?: { readonly user: string; readonly passwordSecret: string };
};

/** A service that clients are balanced to: one backend, and the way that leads to it. */
export interface Service extends ServerGuards {
    /** Name of the backend. */
    readonly name: string;
    /**
     * `http`: HAProxy reads the requests. `https`: TLS is passed through to the servers, which have the certificate; services share a
     * port by the name that the client asks for (SNI). `tcp`: anything else, on a port of its own.
     * @default "http"
     */
    readonly protocol?: "http" | "https" | "tcp";
    /** Port that clients connect to. @default - http: that of the settings; https: 443; tcp: `port` */
    readonly listen?: number;
    /** Host names that lead to it. @default - any, if it has `routes` */
    readonly hosts?: readonly string[];
    /** Of the requests to `hosts`, or to any host, those that fit one of these. @default - all; only with http */
    readonly routes?: readonly Route[];
    /** Takes what leads to no other service on its port. @default false: that gets a 503, with https its connection is closed */
    readonly default?: boolean;
    /** Port of the servers. */
    readonly port: number;
    /** The servers. @default - those found by search */
    readonly servers?: readonly ServiceServer[];
    /** Run list entry that its servers are found by. @default - `<name>::app` */
    readonly tag?: string;
    /**
     * Servers that search finds in this facility are backups: used, all of them, only while none of the others is up.
     * @default - none is
     */
    readonly backupFacility?: string;
    /** See {@link ServerGuards}. @default 50 where servers are found by search, which may find too few; else no guard */
    readonly maxShrinkPercent?: number;
    /** Keyword `balance`. @default - that of `defaults` */
    readonly balance?: string;
    /** Shares by name of the server, 0 to 256. @default - 1 each */
    readonly weights?: Readonly<Record<string, number>>;
    /** How long the share of a server grows after it has come up. @default - at once */
    readonly slowStart?: string;
    /** Connections that a server gets at a time; further ones queue. @default - no limit */
    readonly serverMaxconn?: number;
    /** TLS from HAProxy to the servers of a service with http. @default - plain text */
    readonly serverTls?: ServerTls;
    /** Health check. @default - a TCP connect; with https a TLS handshake */
    readonly check?: ServiceCheck;
    /** Keeps a client on its server. @default - each request or connection is balanced */
    readonly persistence?: Persistence;
    /**
     * Who the client is, for `allow`, `deny`, `rateLimit` and `persistence`: the address that connects, or where another proxy stands
     * before HAProxy, the last one in X-Forwarded-For, which that proxy has added. Requests without that header are nobody's.
     * @default "connection"
     */
    readonly clientAddress?: "connection" | "x-forwarded-for";
    /** Tells the servers the client's address in X-Forwarded-For; only with http. @default false */
    readonly forwardFor?: boolean;
    /** Addresses and networks that may use it; others get a 403, or are disconnected. @default - all */
    readonly allow?: readonly string[];
    /** Addresses and networks that may not, even if `allow` holds them. @default - none */
    readonly deny?: readonly string[];
    /** What a client may do. @default - no limit */
    readonly rateLimit?: RateLimit;
    /** Users who may use it; only with http. Without TLS, passwords travel in plain text. @default - everybody */
    readonly basicAuth?: BasicAuth;
    /** First match wins; only with http. @default - none */
    readonly redirects?: readonly ServiceRedirect[];
    /** `client` only with tcp: a port's services share it. @default - those of `defaults`; with tcp `client` and `server` are "1h" */
    readonly timeouts?: Pick<Timeouts, "connect" | "client" | "server" | "queue" | "check" | "tunnel">;
    /** Keyword `http-request` of the backend, after all of the above; only with http. @default - none */
    readonly httpRequestRules?: readonly HttpRequestRule[];
    /** Further lines of the backend, as written. @default - none */
    readonly raw?: readonly string[];
}

/** A server that is told, not found. */
export interface ServiceServer extends Omit<Server, "port"> {
    /** @default - that of the service */
    readonly port?: number;
}

/** All that is given must fit; several values of one are alternatives. At most one of the three sorts of paths. */
export interface Route {
    /** Whole paths, with case. */
    readonly paths?: readonly string[];
    /** Beginnings of paths by whole segments, with case: `/api` stands for `/api` and `/api/…`, but not `/apis`. */
    readonly pathPrefixes?: readonly string[];
    /** Regular expression that the path must match. */
    readonly pathRegex?: string;
    /** Values by name of the header; `true`: it is there. */
    readonly headers?: Readonly<Record<string, string | true>>;
    /** Methods, such as `POST`. */
    readonly methods?: readonly string[];
}

/** How servers are asked whether they are up. */
export type ServiceCheck = (HttpServiceCheck | ProtocolCheck | { readonly protocol: "tcp" }) & {
    /** @default - that of the server */
    readonly port?: number;
    /** Between two checks. @default "2s" */
    readonly inter?: string;
    /** Failed checks until a server is down. @default 3 */
    readonly fall?: number;
    /** Good checks until it is up. @default 2 */
    readonly rise?: number;
};

/** Check by HTTP; with https and with `serverTls` over TLS. */
export interface HttpServiceCheck {
    readonly uri: string;
    /** @default "GET" */
    readonly method?: string;
    /** Host header. @default - the first of the service's `hosts`, if any */
    readonly host?: string;
    /** Arguments of `http-check expect`. @default "status 200-399" */
    readonly expect?: string;
}

/** How clients stay on their servers. */
export type Persistence =
    | {
          /** A cookie of HAProxy's own with the server's name; only with http. */
          readonly by: "cookie";
          /** @default "SRV" */
          readonly name?: string;
          /** Sent over TLS only. @default false */
          readonly secure?: boolean;
      }
    | {
          /** A table of client addresses, of IPv6 by their /64, which outlives reloads; see `peersPort`. */
          readonly by: "address";
          /** How long an unused entry lives. @default "30m" */
          readonly expire?: string;
      };

/** Limit per client of a service. */
export interface RateLimit {
    /** Requests in so many seconds; with https and tcp, connections. Above, requests get a 429, connections are closed. */
    readonly count: number;
    /** Length of the sliding window, and what Retry-After says. @default 10 */
    readonly seconds?: number;
}

/** Keyword `http-request auth`. */
export interface BasicAuth {
    /** What the browser shows. @default - the name of the service */
    readonly realm?: string;
    readonly users: readonly {
        readonly name: string;
        /** Slot of the password, and its key in the stack's Pulumi config. */
        readonly passwordSecret: string;
        /** The secret is a hash of crypt(3). It is computed anew for each request: take few rounds. @default false */
        readonly hashed?: boolean;
    }[];
}

/** From `hosts` and `pathPrefix`, where given, to the same URL with another scheme, host or beginning of the path. */
export interface ServiceRedirect {
    /** @default - any of the service */
    readonly hosts?: readonly string[];
    /** By whole segments. @default - any */
    readonly pathPrefix?: string;
    readonly to: {
        /** @default - as it is */
        readonly scheme?: "https";
        /** @default - as it is */
        readonly host?: string;
        /** Stands in the place of `pathPrefix`. @default - as it is */
        readonly pathPrefix?: string;
    };
    /** @default 302 */
    readonly code?: 301 | 302 | 303 | 307 | 308;
}

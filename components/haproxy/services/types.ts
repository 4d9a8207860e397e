import type {
    Defaults,
    Global,
    HttpRequestRule,
    Metrics,
    ProtocolCheck,
    Server,
    ServerGuards,
    ServerTls,
    Stats,
    Timeouts,
} from "../model";

/** Settings that all services of a stack share. */
export interface HaproxySettings {
    /** Lowest HAProxy release among the hosts, as `major.minor`; a host with an older one is refused. @default "2.6" */
    readonly version?: string;
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
     * Serves the ports of services, and the statistics page and the metrics unless their bind has an address, on all IPv6 addresses, too. Off by default
     * because it may bypass lists and firewalls made for IPv4, and because a host whose kernel has no IPv6 (`ipv6.disable=1`) refuses it.
     * Services still see IPv4 clients by their IPv4 addresses. @default false
     */
    readonly ipv6?: boolean;
    /** TLS of services that have `tls`. @default every default of {@link TlsSettings} */
    readonly tls?: TlsSettings;
    /** HAProxy's section `global`. @default every default of {@link Global} */
    readonly global?: Omit<Global, "maxconn" | "tls">;
    /** HAProxy's section `defaults`. @default every default of {@link Defaults} */
    readonly defaults?: Defaults;
}

/** TLS on the ports of services that have `tls`. */
export interface TlsSettings extends PortTls {
    /** Port of services with `tls` that set no `listen`. @default 443 */
    readonly port?: number;
    /**
     * Protocols, ciphers and curves as Mozilla's guideline 6.0 recommends them. `intermediate`: from TLS 1.2 on. `modern`: TLS 1.3 only.
     * `none`: those of HAProxy and OpenSSL.
     * @default "intermediate"
     */
    readonly profile?: "intermediate" | "modern" | "none";
    /** What clients get on the plain port of the settings: see {@link ServiceTls}. @default "redirect" */
    readonly http?: ServiceTls["http"];
    /** @default - off, because browsers keep to it until it ends, even if the service has no TLS any more */
    readonly hsts?: Hsts;
    /** What differs on single ports, by their numbers. @default - nothing */
    readonly ports?: Readonly<Record<string, PortTls>>;
}

/** What all services with `tls` on a port share. */
export interface PortTls {
    /** Lowest version of TLS. @default - that of the profile */
    readonly minVersion?: "TLSv1.2" | "TLSv1.3";
    /** Protocols that clients may choose from. @default - `h2` and `http/1.1` */
    readonly alpn?: readonly string[];
    /**
     * The certificate that clients get who send no name, or one that no certificate covers. Excludes `strictSni`.
     * @default - the first in `certificates`
     */
    readonly defaultCertificate?: string;
    /** Refuses clients who send no name, or one that no certificate covers. @default false */
    readonly strictSni?: boolean;
    /** Certificates of clients of all services on the port. @default - none are asked for */
    readonly clients?: ClientCertificates;
}

/** Header Strict-Transport-Security (RFC 6797): browsers then use only TLS for the host. */
export interface Hsts {
    /** Seconds. @default 63072000, two years */
    readonly maxAge?: number;
    /** @default false */
    readonly includeSubDomains?: boolean;
    /** @default false */
    readonly preload?: boolean;
}

/** TLS of one service. */
export interface ServiceTls {
    /**
     * Names of certificates for its hosts. A port has those of all its services. Needed only if the service has `minVersion` or
     * `clients` of its own on a port with several certificates.
     * @default - all that are declared
     */
    readonly certificates?: readonly string[];
    /**
     * What clients get on the plain port of the settings. `redirect`: a 308 to the same URL with https, unless another service has that
     * route there. Challenges of ACME (RFC 8555), one segment below `/.well-known/acme-challenge/`, are not redirected: they lead to a
     * service that has the path there in `routes`, even without `hosts`, else to this one. `serve`: the service itself. `none`: nothing.
     * @default - that of the settings: "redirect"
     */
    readonly http?: "redirect" | "serve" | "none";
    /** Sent in every answer over TLS, also in those of HAProxy itself. `false`: off. @default - that of the settings */
    readonly hsts?: Hsts | false;
    /** Lowest version of TLS for its hosts. @default - that of its port */
    readonly minVersion?: "TLSv1.2" | "TLSv1.3";
    /**
     * Certificates of its clients. Requests get a 421 if their connection was made for a host with other `clients`, and a 403 on the plain
     * port. @default - those of its port
     */
    readonly clients?: ClientCertificates;
}

/** Certificates that clients show: mutual TLS. */
export interface ClientCertificates {
    /** Name of the authority that signs them, in `authorities`. */
    readonly authority: string;
    /** `optional`: clients without a certificate get in, too; those with one that is not valid never do. @default "required" */
    readonly verify?: "required" | "optional";
    /**
     * Headers in which servers get what the certificate says. They are removed from all requests on all ports with http first, also if
     * spelt with other characters than `-`, as in `X_SSL_Client_Subject`, so that clients cannot forge them. @default `{ "X-SSL-Client-Subject": "subject" }`
     */
    readonly headers?: Readonly<Record<string, ClientField>>;
}

/**
 * A part of a client's certificate. `subject` and `issuer` are as in RFC 2253, `serial` and `fingerprint` (SHA-1) in hexadecimal: all of
 * these in printable ASCII. `commonName` is in UTF-8, with control characters as `%0A`.
 */
export type ClientField = "subject" | "commonName" | "issuer" | "serial" | "fingerprint";

/** A password: either itself, as a program has it, or by name, as the data of a stack has it. */
export type Credential =
    | {
          /** In a program, a secret such as `config.requireSecret("ops")`; plain text is refused. */
          readonly password: string;
      }
    | {
          /** Key of the password in the stack's Pulumi config; in a program, its name in `slots`. */
          readonly passwordSecret: string;
      };

/** The statistics page of a stack. */
export type StatsSettings = Omit<Stats, "auth"> & {
    /** Who may see it. @default - anyone who can reach it */
    readonly auth?: {
        /** Name that the user logs in with. */
        readonly user: string;
    } & Credential;
};

/** The metrics of a stack. */
export type MetricsSettings = Metrics;

/** A service that clients are balanced to: a backend, and the hosts, routes or port that lead to it. */
export interface Service extends ServerGuards {
    /** Name of the backend. */
    readonly name: string;
    /**
     * `http`: HAProxy reads requests. `https`: TLS is passed through to the servers, which have the certificate; services share a port by
     * the name that the client asks for (SNI). `tcp`: anything else, on a port of its own.
     * @default "http"
     */
    readonly protocol?: "http" | "https" | "tcp";
    /**
     * TLS between clients and HAProxy, with certificates of `certificates`; only with http. `true`: as the settings say. Servers get the
     * header X-Forwarded-Proto: `https` or `http`.
     * @default - plain text
     */
    readonly tls?: true | ServiceTls;
    /** Port that clients connect to. @default - http: that of the settings; with `tls` or https: 443; tcp: `port` */
    readonly listen?: number;
    /** Host names that lead to it, also international ones such as `bücher.example`. @default - any, if it has `routes` */
    readonly hosts?: readonly string[];
    /** Takes only requests that match one of these, out of those to `hosts`, or to any host; only with http. @default - all */
    readonly routes?: readonly Route[];
    /** Takes requests that match no other service on its port. @default false: they get a 503; with https, the connection is closed */
    readonly default?: boolean;
    /** Port of the servers. */
    readonly port: number;
    /** @default - found by search */
    readonly servers?: readonly ServiceServer[];
    /** Run list entry by which its servers are found. @default - `<name>::app` */
    readonly tag?: string;
    /**
     * Servers that search finds in this facility are backups: all of them are used, and only while no other server is up.
     * @default - none is
     */
    readonly backupFacility?: string;
    /** See {@link ServerGuards}. @default - 50 for servers that are found by search, which may find too few; else no guard */
    readonly maxShrinkPercent?: number;
    /** See {@link ServerGuards}. @default - false for servers that are found by search without `backupFacility`; else true */
    readonly backups?: boolean;
    /** Keyword `balance`. @default - that of `defaults` */
    readonly balance?: string;
    /** Weights by server name, 0 to 256. @default - 1 each */
    readonly weights?: Readonly<Record<string, number>>;
    /** How long a server takes to reach its full weight after it comes up. @default - full weight at once */
    readonly slowStart?: string;
    /** Concurrent connections of each server; further requests queue. @default - no limit */
    readonly serverMaxconn?: number;
    /** TLS from HAProxy to the servers of a service with http. @default - plain text */
    readonly serverTls?: ServerTls;
    /** Health check. @default - a TCP connect; with https a TLS handshake */
    readonly check?: ServiceCheck;
    /** Keeps clients on their servers. @default - each request or connection is balanced */
    readonly persistence?: Persistence;
    /**
     * The client's address for `allow`, `deny`, `rateLimit` and `persistence`: the one that connects, or, behind another proxy, the last
     * one in X-Forwarded-For, which that proxy adds. Requests without that header have no address.
     * @default "connection"
     */
    readonly clientAddress?: "connection" | "x-forwarded-for";
    /** Sends the client's address to the servers in X-Forwarded-For; only with http. @default false */
    readonly forwardFor?: boolean;
    /** Addresses and networks that may use it; others get a 403, or with https and tcp are disconnected. @default - all */
    readonly allow?: readonly string[];
    /** Addresses and networks that may not use it, even if `allow` contains them. @default - none */
    readonly deny?: readonly string[];
    /** Limit for each client. @default - no limit */
    readonly rateLimit?: RateLimit;
    /** Users who may use it; only with http. Without TLS, passwords travel in plain text. @default - no password */
    readonly basicAuth?: BasicAuth;
    /** The first that matches wins; only with http. @default - none */
    readonly redirects?: readonly ServiceRedirect[];
    /**
     * `client` only with tcp, since other services share their port.
     * @default - those of `defaults`; unless these declare them, with tcp `client` and `server` are "1h", and with https `tunnel` is
     */
    readonly timeouts?: Pick<Timeouts, "connect" | "client" | "server" | "queue" | "check" | "tunnel">;
    /** Keyword `http-request` of the backend, evaluated after all of the above; only with http. @default - none */
    readonly httpRequestRules?: readonly HttpRequestRule[];
    /** Further lines of the backend, as written. @default - none */
    readonly raw?: readonly string[];
}

/** A static server. */
export interface ServiceServer extends Omit<Server, "port"> {
    /** @default - that of the service */
    readonly port?: number;
}

/** A request must meet all conditions; several values of one are alternatives. At most one of the three kinds of paths. */
export interface Route {
    /** Whole paths, case-sensitive. */
    readonly paths?: readonly string[];
    /** Beginnings of paths by whole segments, case-sensitive: `/api` matches `/api` and `/api/…`, but not `/apis`. */
    readonly pathPrefixes?: readonly string[];
    /** Regular expression that the path must match. */
    readonly pathRegex?: string;
    /** Values by header name; `true`: any value. */
    readonly headers?: Readonly<Record<string, string | true>>;
    /** Methods, such as `POST`. */
    readonly methods?: readonly string[];
}

/** How the health of servers is checked. */
export type ServiceCheck = (
    | HttpServiceCheck
    | ProtocolCheck
    | {
          readonly protocol: "tcp";
      }
) & {
    /** @default - that of the server */
    readonly port?: number;
    /** Time between two checks. @default "2s" */
    readonly inter?: string;
    /** Failed checks until a server is down. @default 3 */
    readonly fall?: number;
    /** Successful checks until it is up. @default 2 */
    readonly rise?: number;
};

/** Check by an HTTP request; with https and `serverTls` over TLS. */
export interface HttpServiceCheck {
    /** Path to ask for, with its query. */
    readonly uri: string;
    /** @default "GET" */
    readonly method?: string;
    /** Host header. @default - the first of the service's `hosts` */
    readonly host?: string;
    /** Arguments of `http-check expect`. @default "status 200-399" */
    readonly expect?: string;
}

/** How clients stay on their servers. */
export type Persistence =
    | {
          /** A cookie that HAProxy adds, with the server's name; only with http. */
          readonly by: "cookie";
          /** @default "SRV" */
          readonly name?: string;
          /** Clients send it over TLS only. @default false */
          readonly secure?: boolean;
      }
    | {
          /** A table of client addresses (IPv6: per /64), which outlives reloads; see `peersPort`. */
          readonly by: "address";
          /** How long an unused entry is kept. @default "30m" */
          readonly expire?: string;
      };

/** Limit for each client of a service. */
export interface RateLimit {
    /** Requests, or with https and tcp connections, in so many seconds. Further requests get a 429, connections are closed. */
    readonly count: number;
    /** Length of the sliding window, and value of Retry-After. @default 10 */
    readonly seconds?: number;
}

/** Keyword `http-request auth`. */
export interface BasicAuth {
    /** Realm that the browser shows. @default - the name of the service */
    readonly realm?: string;
    /** At least one. */
    readonly users: readonly BasicAuthUser[];
}

/** A user who may use a service. */
export type BasicAuthUser = Credential & {
    /** Name that the user logs in with. */
    readonly name: string;
    /**
     * The password is a hash of crypt(3), and any other value is refused. HAProxy computes it for each request: use few rounds.
     * @default false
     */
    readonly hashed?: boolean;
};

/** Redirects requests to `hosts` and below `pathPrefix` to the same URL with another scheme, host or beginning of the path. */
export interface ServiceRedirect {
    /** @default - any host of the service */
    readonly hosts?: readonly string[];
    /** By whole segments. @default - any */
    readonly pathPrefix?: string;
    /** What changes; all else of the URL stays. */
    readonly to: {
        /** @default - unchanged */
        readonly scheme?: "https";
        /** @default - unchanged */
        readonly host?: string;
        /** Replaces `pathPrefix`. @default - unchanged */
        readonly pathPrefix?: string;
    };
    /** @default 302 */
    readonly code?: 301 | 302 | 303 | 307 | 308;
}

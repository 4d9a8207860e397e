import type { PortBind } from "./binds";
import type { AuthorityFile, CertificateFile, MapFile } from "./files";
import type { Options } from "./options";
import type { Backend, Frontend, Listen, Mode, Timeouts } from "./proxies";
import type { Cache, HttpErrors, Mailers, Peers, Resolvers, Userlist } from "./sections";

/**
 * HAProxy's configuration as typed data, with HAProxy's own names: `use_backend` of the manual is `useBackends` here. Section numbers
 * in comments refer to the configuration manual of HAProxy 2.6.
 *
 * A string may contain a slot marker in place of a secret (see convergence/slots.ts). The value is filled in later, quoted and
 * escaped as its position needs.
 */
export interface HaproxyConfig {
    /**
     * Lowest HAProxy release among the hosts, as `major.minor`, from `2.2` on. Nothing newer is rendered, and a host with an older one is
     * refused. @default "2.6"
     */
    readonly version?: string;
    /** Section 3. @default every default of {@link Global} */
    readonly global?: Global;
    /** Section 4, `defaults` of all proxies except the statistics page and the metrics. @default every default of {@link Defaults} */
    readonly defaults?: Defaults;
    /** What clients connect to. */
    readonly frontends: readonly Frontend[];
    /** Groups of servers that requests go to. */
    readonly backends: readonly Backend[];
    /** @default - none */
    readonly listens?: readonly Listen[];
    /** `defaults` by name, used by sections that name them in `from`; needs 2.4. @default - none */
    readonly namedDefaults?: readonly NamedDefaults[];
    /** @default - none */
    readonly userlists?: readonly Userlist[];
    /** @default - none */
    readonly peers?: readonly Peers[];
    /** @default - none */
    readonly resolvers?: readonly Resolvers[];
    /** @default - none */
    readonly mailers?: readonly Mailers[];
    /** @default - none */
    readonly caches?: readonly Cache[];
    /** @default - none */
    readonly httpErrors?: readonly HttpErrors[];
    /** Maps and lists for rules, in files that are activated together with haproxy.cfg. @default - none */
    readonly maps?: readonly MapFile[];
    /** Certificates for binds, in files that are activated together with haproxy.cfg. @default - none */
    readonly certificates?: readonly CertificateFile[];
    /** Authorities for binds and servers, in files that are activated together with haproxy.cfg. @default - none */
    readonly authorities?: readonly AuthorityFile[];
    /** The statistics page, in a frontend with its own `defaults`. @default - no page */
    readonly stats?: Stats;
    /** Metrics in the format of Prometheus, in a frontend with its own `defaults`. @default - none */
    readonly metrics?: Metrics;
    /** A page by which others find out whether HAProxy serves. @default - no page */
    readonly health?: HealthPage;
}

/** Sections 3.1 and 3.2. */
export interface Global {
    /** Concurrent connections of the process; each needs two file descriptors. @default 50000 */
    readonly maxconn?: number;
    /** How long an old worker may keep its connections after a reload. @default "10m" */
    readonly hardStopAfter?: string;
    /**
     * Reloads that an old worker survives; the next one ends it with its connections. High, because `hardStopAfter` already limits its
     * time and converges wait if too many old workers are left. @default 1000
     */
    readonly mworkerMaxReloads?: number;
    /** Directory, absolute. @default "/var/lib/haproxy" */
    readonly chroot?: string;
    /** @default "haproxy" */
    readonly user?: string;
    /** @default "haproxy" */
    readonly group?: string;
    /** @default - `/dev/log local0 info` and `/dev/log local1 notice` */
    readonly log?: readonly LogTarget[];
    /** Runtime API; converges use the first one. @default - `/run/haproxy/admin.sock mode 600 level admin` */
    readonly statsSockets?: readonly StatsSocket[];
    /** Idle time of the runtime API, keyword `stats timeout`. @default "30s" */
    readonly statsTimeout?: string;
    /**
     * Whether servers stay down, in maintenance or drain, and at a weight that was set by hand, over a reload. `false`: each reload takes
     * every server for up until its first check, and forgets what was set by hand.
     * @default true
     */
    readonly serverStates?: boolean;
    /** TLS of all binds and servers, if there are any with TLS. @default every default of {@link TlsDefaults} */
    readonly tls?: TlsDefaults;
    /** Lines at the end of the section, as written. @default - none */
    readonly raw?: readonly string[];
}

/** Keywords `ssl-default-bind-…` and `ssl-default-server-…` of section 3.1. */
export interface TlsDefaults {
    /**
     * Protocols, ciphers and curves as Mozilla's guideline 6.0 recommends them, as far as the release and the host's OpenSSL have them.
     * `intermediate`: from TLS 1.2 on. `modern`: TLS 1.3 only for clients, `intermediate` to servers. `none`: those of HAProxy and
     * OpenSSL. A line `ssl-default-…` in `raw` replaces that of the profile.
     * @default "intermediate"
     */
    readonly profile?: "intermediate" | "modern" | "none";
}

/** Section 3.1, keyword `log`. */
export interface LogTarget {
    /** Socket path, or IP address with an optional port. */
    readonly address: string;
    /** Bytes after which a line is cut, 80 to 65535, keyword `len`. @default - 1024 */
    readonly length?: number;
    /**
     * Format of the line that is sent: `rfc3164`, `rfc5424`, `short` or `raw`; from 2.3 on also `local`, `priority`, `timed` or `iso`.
     * @default - `rfc3164`
     */
    readonly format?: (typeof logFormats)[number];
    /** Syslog facility. @default "local0" */
    readonly facility?: (typeof logFacilities)[number];
    /** Least severe level that is sent. @default - all levels */
    readonly level?: (typeof logLevels)[number];
}

/** Formats of log lines, section 4.2, keyword `log`. */
export const logFormats = ["rfc3164", "rfc5424", "local", "priority", "short", "timed", "iso", "raw"] as const;

/** Syslog facilities, section 4.2, keyword `log`. */
export const logFacilities = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "auth2",
    "ftp",
    "ntp",
    "audit",
    "alert",
    "cron2",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
] as const;

/** Syslog levels, most severe first, section 4.2, keyword `log`. */
export const logLevels = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const;

/** Section 3.1, keyword `stats socket`. */
export interface StatsSocket {
    /** Absolute path. */
    readonly path: string;
    /** Octal permissions. @default "600" */
    readonly mode?: string;
    /** @default "admin" */
    readonly level?: "user" | "operator" | "admin";
    /** Owner. @default - the user HAProxy is started with */
    readonly user?: string;
    /** @default - the group HAProxy is started with */
    readonly group?: string;
}

/** Section 4, `defaults`. */
export interface Defaults {
    /** @default "http" */
    readonly mode?: Mode;
    /** @default "roundrobin" */
    readonly balance?: string;
    /**
     * After a start every checked server counts as up until its first check, and after a reload every new one. Without retries on
     * another server, requests to one that is down would get a 503. @default 3
     */
    readonly retries?: number;
    /** Merged with the default; `false` removes an option from it. @default - `dontlognull` and `redispatch` */
    readonly options?: Options;
    /** Each one that is set replaces its default. @default every default of {@link Timeouts} */
    readonly timeouts?: Timeouts;
    /** Lines at the end of the section, as written. @default - none */
    readonly raw?: readonly string[];
}

/** Section 4, `defaults` with a name. It inherits nothing from other `defaults`. */
export interface NamedDefaults extends Defaults {
    /** Name, for `from` of sections. */
    readonly name: string;
}

/** Keywords `stats …` of section 4.2. */
export interface Stats {
    /** Where the page is served. */
    readonly bind: PortBind;
    /** @default "/stats" */
    readonly uri?: string;
    /** Interval at which the page reloads itself. @default "10s" */
    readonly refresh?: string;
    /** Basic authentication; the passwords are slots of secrets. @default - none */
    readonly auth?: readonly {
        /** Name that the user logs in with. */
        readonly user: string;
        /** Slot of the password. */
        readonly password: string;
    }[];
}

/**
 * Counters of HAProxy and of its sections, for OpenMetrics and Prometheus (`http-request use-service prometheus-exporter`). Other URIs
 * get a 404, and no request is logged. HAProxy must be built with the exporter, as all packages of Debian are; another is refused by
 * its own checker.
 */
export interface Metrics {
    /** Where they are served. */
    readonly bind: PortBind;
    /** Path as clients send it, percent-encoded and without a query. @default "/metrics" */
    readonly uri?: string;
}

/**
 * A page by which others find out whether HAProxy serves (`monitor-uri` and `monitor fail`): HAProxy itself answers `GET /` with 200, or with
 * 503 if a backend of `needs` has no server left. No request is logged. So that the page answers under load as well, each section with
 * binds that declares no `maxconn` leaves some of the connections of `global.maxconn` to it.
 */
export interface HealthPage {
    /** TCP port, on all IPv4 addresses. */
    readonly port: number;
    /** IPv4 addresses and networks whose connections are accepted, beside those of the host itself over loopback. */
    readonly from: readonly string[];
    /** Backends and sections `listen` that must have a server left. @default [] */
    readonly needs?: readonly string[];
}

import type { PortBind } from "./binds";
import type { MapFile } from "./files";
import type { Backend, Frontend, Listen, Mode, Options, Timeouts } from "./proxies";
import type { Cache, HttpErrors, Mailers, Peers, Resolvers, Userlist } from "./sections";

/**
 * HAProxy's configuration as typed data, in HAProxy's own words: what is called `use_backend` in the manual is
 * `useBackends` here. Section numbers are those of the configuration manual of HAProxy 2.6.
 *
 * A string may hold a slot marker in place of a secret (see convergence/slots.ts): the value is filled in later, and
 * everything here treats the marker as an opaque, non-empty word.
 */
export interface HaproxyConfig {
    /** Lowest HAProxy version among the hosts, as `major.minor`, for example `2.6`. Nothing newer is rendered. */
    readonly version: string;
    /** Section 3. @default every default of {@link Global} */
    readonly global?: Global;
    /** Section 4, `defaults` of every frontend and backend but the stats page. @default every default of {@link Defaults} */
    readonly defaults?: Defaults;
    readonly frontends: readonly Frontend[];
    readonly backends: readonly Backend[];
    /** @default - none */
    readonly listens?: readonly Listen[];
    /** `defaults` by name, for sections that say so in `from`; needs 2.4. @default - none */
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
    /** Files of the same transaction, for rules. @default - none */
    readonly maps?: readonly MapFile[];
    /** The statistics page, in a frontend with defaults of its own. @default - no page */
    readonly stats?: Stats;
}

/** Sections 3.1 and 3.2. */
export interface Global {
    /** Connections of the process. Costs two file descriptors each. @default 50000 */
    readonly maxconn?: number;
    /** How long an old worker may finish its connections after a reload. @default "10m" */
    readonly hardStopAfter?: string;
    /**
     * Reloads an old worker survives: at the next one HAProxy ends it, connections and all, however young it is. Its time is bounded by
     * `hardStopAfter`, and converges wait where too many are left. @default 1000
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
    /** Runtime API. The converge's proof reads the first one. @default - `/run/haproxy/admin.sock mode 600 level admin` */
    readonly statsSockets?: readonly StatsSocket[];
    /** Idle time of the runtime API, keyword `stats timeout`. @default "30s" */
    readonly statsTimeout?: string;
    /** Lines at the end of the section, as written. @default - none */
    readonly raw?: readonly string[];
}

/** Section 3.1, keyword `log`. */
export interface LogTarget {
    /** Socket path, or IP address with an optional port. */
    readonly address: string;
    /** Syslog facility. @default "local0" */
    readonly facility?: (typeof logFacilities)[number];
    /** Lowest level that is sent. @default - all levels */
    readonly level?: (typeof logLevels)[number];
}

/** Syslog facilities that HAProxy takes, section 4.2, keyword `log`. */
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
     * After a reload every checked server counts as up until its first check: without retries on another server,
     * requests to a dead one get a 503. @default 3
     */
    readonly retries?: number;
    /** Added to the default, or taking from it with `false`. @default - `dontlognull` and `redispatch` */
    readonly options?: Options;
    readonly timeouts?: Timeouts;
    /** Lines at the end of the section, as written. @default - none */
    readonly raw?: readonly string[];
}

/** Section 4, `defaults` with a name. Takes nothing from the other ones. */
export interface NamedDefaults extends Defaults {
    readonly name: string;
}

/** Keywords `stats …` of section 4.2. */
export interface Stats {
    readonly bind: PortBind;
    /** @default "/stats" */
    readonly uri?: string;
    /** How often the page reloads itself. @default "10s" */
    readonly refresh?: string;
    /** Basic authentication; the passwords are slots of secrets. @default - none */
    readonly auth?: readonly { readonly user: string; readonly password: string }[];
}

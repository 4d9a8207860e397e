/** Section 5.1: a port of an address, or a socket in the file system. */
export type Bind = PortBind | SocketBind;

/** A bind to TCP ports. */
export interface PortBind extends BindOptions {
    /** IPv4 or IPv6 addresses, or host names; `*` means all of IPv4, `::` all of IPv6. @default "*" */
    readonly address?: string | readonly string[];
    /** TCP port. */
    readonly port: number;
    /** Last port of a range that starts at `port`. @default - one port */
    readonly portEnd?: number;
    /**
     * Makes IPv6 addresses refuse IPv4 connections. Otherwise `::` accepts them (unless `net.ipv6.bindv6only` is set) and shows their
     * clients as `::ffff:192.0.2.1`. No effect on IPv4 addresses. @default false
     */
    readonly v6only?: boolean;
    /** Accepts only connections that arrive on this network interface. @default - any */
    readonly interface?: string;
    /** Accepts connections to addresses that the host does not have. @default false */
    readonly transparent?: boolean;
}

/** A bind to a UNIX socket. */
export interface SocketBind extends BindOptions {
    /** Absolute path of a unix socket on the host. */
    readonly path: string;
    /** Octal permissions. @default - from the umask */
    readonly mode?: string;
    /** @default - the user HAProxy is started with */
    readonly user?: string;
    /** @default - the group HAProxy is started with */
    readonly group?: string;
}

/** Parameters of both kinds of binds, section 5.1. */
export interface BindOptions {
    /** Name in statistics and logs. @default - its number */
    readonly name?: string;
    /** Concurrent connections. @default - that of the section */
    readonly maxconn?: number;
    /** Requires every connection to begin with the proxy protocol. @default false */
    readonly acceptProxy?: boolean;
    /** @default - plain text */
    readonly ssl?: BindTls;
    /** Further parameters, as written. @default - none */
    readonly raw?: string;
}

/** Keywords `ssl`, `crt`, `crt-list`, `alpn`, `ca-file`, `verify` and the like of section 5.1. At least one of `crt` and `certificates`. */
export interface BindTls extends BindTlsOptions {
    /** Absolute paths of bundles (certificate and key) or of directories of bundles on the host. @default - `certificates` */
    readonly crt?: readonly string[];
    /** Declared certificates, by name, in a file that `crt-list` names: HAProxy loads no other. @default - `crt` */
    readonly certificates?: readonly (string | BindCertificate)[];
    /**
     * The one of `certificates` that clients get who send no name, or one that no certificate covers. Excludes `strictSni`.
     * @default - the first
     */
    readonly defaultCertificate?: string;
    /** Refuses clients whose SNI matches no certificate. @default false */
    readonly strictSni?: boolean;
}

/** A declared certificate for some names, with what differs for them from the bind: a line of a `crt-list` (section 5.1, `crt-list`). */
export interface BindCertificate extends BindTlsOptions {
    /** Its name. */
    readonly certificate: string;
    /** Names that clients ask for, also with a wildcard such as `*.example.com`. @default - those in the certificate */
    readonly hosts?: readonly string[];
}

/** What binds, and lines of a `crt-list`, may set. */
export interface BindTlsOptions {
    /** @default - `h2,http/1.1` in mode http, none in mode tcp */
    readonly alpn?: readonly string[];
    /** Absolute path of the authorities that sign client certificates. @default - clients need none */
    readonly caFile?: string;
    /** Absolute path of the revocation lists of these authorities. @default - revoked certificates are accepted */
    readonly crlFile?: string;
    /** @default - `required` with `caFile`, else `none` */
    readonly verify?: "none" | "optional" | "required";
    /** @default - that of `global.tls` */
    readonly sslMinVer?: "TLSv1.2" | "TLSv1.3";
}

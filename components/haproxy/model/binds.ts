/** Section 5.1: a port of an address, or a socket in the file system. */
export type Bind = PortBind | SocketBind;

/** A bind to TCP ports. */
export interface PortBind extends BindOptions {
    /** IPv4 or IPv6 addresses; `*` are all of IPv4, `::` all of IPv6. @default "*" */
    readonly address?: string | readonly string[];
    readonly port: number;
    /** Last port of a range that begins with `port`. @default - one port */
    readonly portEnd?: number;
    /**
     * What listens on IPv6 addresses takes no IPv4 connections: without it, `::` does, unless the kernel is told otherwise
     * (`net.ipv6.bindv6only`), and sees their clients as `::ffff:192.0.2.1`. Nothing to IPv4 addresses. @default false
     */
    readonly v6only?: boolean;
    /** Network interface that connections must come in by. @default - any */
    readonly interface?: string;
    /** Takes connections to addresses that are not the host's. @default false */
    readonly transparent?: boolean;
}

/** A bind to a UNIX socket. */
export interface SocketBind extends BindOptions {
    /** Absolute path of a unix socket, as the host sees it. */
    readonly path: string;
    /** Octal permissions. @default - as the umask says */
    readonly mode?: string;
    /** @default - the user HAProxy is started with */
    readonly user?: string;
    /** @default - the group HAProxy is started with */
    readonly group?: string;
}

/** What binds of either sort may say, section 5.1. */
export interface BindOptions {
    /** For statistics and logs. @default - its number */
    readonly name?: string;
    /** Connections at a time. @default - that of the section */
    readonly maxconn?: number;
    /** Every connection must begin with the proxy protocol. @default false */
    readonly acceptProxy?: boolean;
    /** @default - plain text */
    readonly ssl?: BindTls;
    /** Further parameters, as written. @default - none */
    readonly raw?: string;
}

/** Keywords `ssl`, `crt`, `alpn`, `ca-file`, `verify` and the like of section 5.1. */
export interface BindTls {
    /** Absolute paths of bundles of certificate and key, or of directories of such; the first is the default one. */
    readonly crt: readonly string[];
    /** @default - `h2,http/1.1` in mode http, none in mode tcp */
    readonly alpn?: readonly string[];
    /** Absolute path of the authorities of client certificates. @default - clients need none */
    readonly caFile?: string;
    /** @default - `required` with `caFile`, else `none` */
    readonly verify?: "none" | "optional" | "required";
    /** @default - HAProxy's: TLSv1.2 */
    readonly sslMinVer?: "TLSv1.2" | "TLSv1.3";
    /** Refuses clients whose SNI fits no certificate. @default false */
    readonly strictSni?: boolean;
}

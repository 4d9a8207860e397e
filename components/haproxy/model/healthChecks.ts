/** Keywords `option httpchk`, `http-check send` and `http-check expect` of section 4.2. */
export interface Httpchk {
    /** @default "GET" */
    readonly method?: string;
    readonly uri: string;
    /** @default - `HTTP/1.1` with a `host`, else `HTTP/1.0` */
    readonly version?: "HTTP/1.0" | "HTTP/1.1";
    /** Host header, which HTTP/1.1 requires. @default - none */
    readonly host?: string;
    /** Arguments of `http-check expect`. @default "status 200-399" */
    readonly expect?: string;
}

/** A step of an HTTP check: keyword `http-check`; as a string, the rest of the line after it, as written. */
export type HttpCheck = string | CheckConnect | HttpCheckSend | { readonly step: "expect"; readonly match: string };

/** `http-check send`. */
export interface HttpCheckSend extends Pick<Httpchk, "method" | "uri" | "version" | "host"> {
    readonly step: "send";
    /** By name, in addition to `Host`. @default - none */
    readonly headers?: Readonly<Record<string, string>>;
    /** @default - none */
    readonly body?: string;
}

/** A step of a TCP check: keyword `tcp-check`; as a string, the rest of the line after it, as written. */
export type TcpCheck =
    | string
    | CheckConnect
    /** Text to send, including its line breaks. */
    | { readonly step: "send"; readonly data: string }
    /** Text that the answer must contain, or a regular expression that it must match. */
    | { readonly step: "expect"; readonly string: string }
    | { readonly step: "expect"; readonly rstring: string };

/** `http-check connect` and `tcp-check connect`. */
export interface CheckConnect {
    readonly step: "connect";
    /** @default - that of the server's check */
    readonly port?: number;
    /** @default - as in the server's line */
    readonly ssl?: boolean;
    /** Name (SNI) sent with `ssl`. @default - none */
    readonly sni?: string;
    readonly sendProxy?: boolean;
}

/** Checks by a protocol that HAProxy knows: `option mysql-check`, `pgsql-check`, `redis-check`, `smtpchk`, `ldap-check`. */
export type ProtocolCheck =
    | {
          readonly protocol: "mysql";
          /** Required, because without one the server may block the host (max_connect_errors). */
          readonly user: string;
      }
    | { readonly protocol: "pgsql"; readonly user: string }
    | { readonly protocol: "redis" | "ldap" | "ssl-hello" }
    | {
          readonly protocol: "smtp";
          /** @default "HELO" */
          readonly hello?: "HELO" | "EHLO";
          /** Domain that HAProxy greets with. @default "localhost" */
          readonly domain?: string;
      };

/** Keywords `option httpchk`, `http-check send` and `http-check expect` of section 4.2. */
export interface Httpchk {
    /** @default "GET" */
    readonly method?: string;
    /** Path to ask for, with its query. */
    readonly uri: string;
    /** @default - `HTTP/1.1` with a `host`, else `HTTP/1.0` */
    readonly version?: "HTTP/1.0" | "HTTP/1.1";
    /** Host header, which HTTP/1.1 requires. @default - none */
    readonly host?: string;
    /** Arguments of `http-check expect`. @default "status 200-399" */
    readonly expect?: string;
}

/** A step of an HTTP check: keyword `http-check`; as a string, the rest of the line after it, as written. */
export type HttpCheck =
    | string
    | CheckConnect
    | HttpCheckSend
    | {
          readonly step: "expect";
          /** What the response must be, as in `status 200-399`. */
          readonly match: string;
      };

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
    | {
          readonly step: "send";
          /** Text to send, including its line breaks. */
          readonly data: string;
      }
    | {
          readonly step: "expect";
          /** Text that the answer must contain. */
          readonly string: string;
      }
    | {
          readonly step: "expect";
          /** Regular expression that the answer must match. */
          readonly rstring: string;
      };

/** `http-check connect` and `tcp-check connect`. */
export interface CheckConnect {
    readonly step: "connect";
    /** @default - that of the server's check */
    readonly port?: number;
    /** @default - as in the server's line */
    readonly ssl?: boolean;
    /** Name (SNI) sent with `ssl`. @default - none */
    readonly sni?: string;
    /** Begins with the proxy protocol. @default false */
    readonly sendProxy?: boolean;
}

/** Checks by a protocol that HAProxy knows: `option mysql-check`, `pgsql-check`, `redis-check`, `smtpchk`, `ldap-check`. */
export type ProtocolCheck =
    | {
          readonly protocol: "mysql";
          /** Login name. Required, because without one the server may block the host (max_connect_errors). */
          readonly user: string;
      }
    | {
          readonly protocol: "pgsql";
          /** Login name. */
          readonly user: string;
      }
    | { readonly protocol: "redis" | "ldap" | "ssl-hello" }
    | {
          readonly protocol: "smtp";
          /** @default "HELO" */
          readonly hello?: "HELO" | "EHLO";
          /** Domain that HAProxy greets with. @default "localhost" */
          readonly domain?: string;
      };

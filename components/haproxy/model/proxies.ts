import type { Bind } from "./binds";
import type { HttpCheck, Httpchk, ProtocolCheck, TcpCheck } from "./healthChecks";
import type { Options } from "./options";
import type { Cookie, StickRule, StickTable } from "./persistence";
import type {
    Conditional,
    HttpAfterResponseRule,
    HttpRequestRule,
    HttpResponseRule,
    TcpRequestRule,
    TcpResponseRule,
} from "./rules";
import type { Server, ServerGuards, ServerOptions, ServerTemplate } from "./servers";

/** Section 4, keyword `mode`. */
export type Mode = "http" | "tcp";

/** Keywords `timeout …` of section 4.2. Durations as in section 2.5: a number with us, ms (the default), s, m, h or d. */
export interface Timeouts {
    /** @default "5s" */
    readonly connect?: string;
    /** @default "50s" */
    readonly client?: string;
    /** @default "50s" */
    readonly server?: string;
    /** Time to receive the whole request header. @default "10s" */
    readonly httpRequest?: string;
    /** How long a client may stay connected without a request. @default - "10s", or `client` if that is shorter */
    readonly httpKeepAlive?: string;
    /** @default "30s" */
    readonly queue?: string;
    /** @default "5s" */
    readonly check?: string;
    /**
     * Replaces `client` and `server` when a session becomes a tunnel: WebSocket and CONNECT in mode http, every session in mode tcp.
     * "0" unsets the value of `defaults`.
     * @default - in mode http "1h", or a longer `client` or `server` declared beside it; in mode tcp none
     */
    readonly tunnel?: string;
    /** For a client that has closed its side. @default - `client` */
    readonly clientFin?: string;
    /** For a server that has closed its side. @default - `server` */
    readonly serverFin?: string;
    /** How long `tarpit` delays a client. @default - `connect` */
    readonly tarpit?: string;
}

/** What every proxy section of section 4 may hold. */
export interface ProxySection {
    /** Name, unique among the sections of its kind: letters, digits, `-`, `_`, `.` and `:`. */
    readonly name: string;
    /** One of the `namedDefaults`. @default - `defaults` */
    readonly from?: string;
    /** Used by stick rules and counters, of this section or others. @default - none */
    readonly stickTable?: StickTable;
    /** @default - that of `defaults` */
    readonly mode?: Mode;
    /**
     * Frontends have `client`, `clientFin`, `httpRequest`, `httpKeepAlive` and `tarpit`. Backends have `tarpit` and the others, and
     * `httpRequest` with the option `http-buffer-request`. @default - those of `defaults`
     */
    readonly timeouts?: Timeouts;
    /** Keyword `compression`. @default - none */
    readonly compression?: Compression;
    /** Keyword `errorfiles`: one of the `httpErrors`. @default - HAProxy's own messages */
    readonly errorfiles?: string;
    /** @default - none */
    readonly acls?: readonly Acl[];
    /**
     * Lines as written, after the acls and before the rules, in this order. Lines of a rule keyword (`http-request`,
     * `tcp-response`, `use_backend`, `use-server`, …) and `server` lines are rendered just before the declared ones of that keyword.
     * @default - none
     */
    readonly raw?: readonly string[];
    /**
     * Keyword `tcp-request`. Those at `connection` are evaluated first, then `session`, then `content`, each in this order.
     * @default - none
     */
    readonly tcpRequestRules?: readonly TcpRequestRule[];
    /** Keyword `http-request`, evaluated in this order. @default - none */
    readonly httpRequestRules?: readonly HttpRequestRule[];
    /** Keyword `http-response`, evaluated in this order. @default - none */
    readonly httpResponseRules?: readonly HttpResponseRule[];
    /**
     * Keyword `http-after-response`, evaluated in this order, on every response, also on those of HAProxy itself.
     * @default - none
     */
    readonly httpAfterResponseRules?: readonly HttpAfterResponseRule[];
}

/** Section 4, `frontend`. */
export interface Frontend extends ProxySection {
    /** Addresses and ports that clients connect to, and sockets. */
    readonly binds: readonly Bind[];
    /** @default - that of `global` */
    readonly maxconn?: number;
    /**
     * Merged with the default; `false` removes an option from it.
     * @default - in mode http `httplog` and, from HAProxy 2.6, `idle-close-on-response`, without which 91 to 209 of 100 idle
     * connections got an error during 10 reloads; in mode tcp `tcplog`. None that the section's `defaults` declare; no log format
     * if nothing is logged or a format is declared
     */
    readonly options?: Options;
    /** The first that applies wins. @default - none */
    readonly useBackends?: readonly UseBackend[];
    /** @default - requests for which no `useBackends` applies get a 503 */
    readonly defaultBackend?: string;
}

/** Section 4.2, keyword `compression`. */
export interface Compression {
    /** In order of preference: `gzip`, `deflate`, `raw-deflate`, `identity`. @default - `gzip` */
    readonly algo?: readonly string[];
    /** Content types; an empty list compresses all. */
    readonly type: readonly string[];
    /** Does not ask servers to compress. @default false */
    readonly offload?: boolean;
}

/** Section 7.1. Exactly one criterion; its values are alternatives, and so are several acls of one name. */
export type Acl = {
    /** Name, for conditions. */
    readonly name: string;
} & (
    | {
          /** Host names, without case and port. */
          readonly host: readonly string[];
      }
    | {
          /** Whole paths, case-sensitive. */
          readonly path: readonly string[];
      }
    | {
          /** Beginnings of paths, case-sensitive: `/api` also matches `/apifoo`. */
          readonly pathBeg: readonly string[];
      }
    | {
          /** Any other criterion, as written after the name: `src 10.0.0.0/8`. */
          readonly criterion: string;
      }
);

/** Section 4.2, keyword `use_backend`. */
export type UseBackend = Conditional & {
    /** A backend, or a log-format that gives its name. */
    readonly backend: string;
};

/** Section 4.2, keyword `use-server`. */
export type UseServer = Conditional & {
    /** A server of the section, or a log-format that gives its name. */
    readonly server: string;
};

/** Section 4, `backend`. */
export interface Backend extends ProxySection, ServerGuards {
    /** Keyword `balance` with its arguments. @default - that of `defaults` */
    readonly balance?: string;
    /** @default - those of `defaults` */
    readonly options?: Options;
    /** Health check by one HTTP request. @default - a TCP connection */
    readonly httpchk?: Httpchk;
    /** Health check by several HTTP steps. @default - none */
    readonly httpChecks?: readonly HttpCheck[];
    /** Health check by several TCP steps. @default - none */
    readonly tcpChecks?: readonly TcpCheck[];
    /** Health check by another protocol. @default - none */
    readonly protocolCheck?: ProtocolCheck;
    /** Keeps clients on their servers by a cookie. @default - none */
    readonly cookie?: Cookie;
    /** Keeps clients on their servers by a stick table, evaluated in this order. @default - none */
    readonly stickRules?: readonly StickRule[];
    /** Sends requests to one server; the first that applies wins. @default - none */
    readonly useServers?: readonly UseServer[];
    /** Keyword `default-server`. @default - none */
    readonly defaultServer?: ServerOptions;
    /** Rendered in this order, which `balance first` and backups depend on. */
    readonly servers: readonly Server[];
    /** Rendered after the servers. @default - none */
    readonly serverTemplates?: readonly ServerTemplate[];
    /** Keyword `tcp-response`, evaluated in this order. @default - none */
    readonly tcpResponseRules?: readonly TcpResponseRule[];
}

/** Section 4, `listen`: a frontend and its backend in one section. */
export interface Listen extends Frontend, Backend {
    /** As of a frontend and of a backend. @default - as of a frontend */
    readonly options?: Options;
}

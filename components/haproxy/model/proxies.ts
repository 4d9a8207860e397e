import type { Bind } from "./binds";
import type { HttpCheck, Httpchk, ProtocolCheck, TcpCheck } from "./healthChecks";
import type { Cookie, StickRule, StickTable } from "./persistence";
import type {
    Condition,
    HttpAfterResponseRule,
    HttpRequestRule,
    HttpResponseRule,
    TcpRequestRule,
    TcpResponseRule,
} from "./rules";
import type { Server, ServerGuards, ServerOptions, ServerTemplate } from "./servers";

/** Section 4, keyword `mode`. */
export type Mode = "http" | "tcp";

/**
 * `option` keywords of section 4.2 without the word `option`: `true` sets it, a string sets it with these arguments,
 * `false` says `no option`.
 */
export type Options = Readonly<Record<string, boolean | string>>;

/** Keywords `timeout …` of section 4.2. Durations as in section 2.5: a number and us, ms (when omitted), s, m, h or d. */
export interface Timeouts {
    /** @default "5s" */
    readonly connect?: string;
    /** @default "50s" */
    readonly client?: string;
    /** @default "50s" */
    readonly server?: string;
    /** Whole request header. @default "10s" */
    readonly httpRequest?: string;
    /** @default "10s" */
    readonly httpKeepAlive?: string;
    /** @default "30s" */
    readonly queue?: string;
    /** @default "5s" */
    readonly check?: string;
    /** WebSocket and CONNECT. @default "1h" */
    readonly tunnel?: string;
    /** Of a client that has closed its side. @default - `client` */
    readonly clientFin?: string;
    /** Of a server that has closed its side. @default - `server` */
    readonly serverFin?: string;
    /** How long `tarpit` keeps a client waiting. @default - `connect` */
    readonly tarpit?: string;
}

/** What every proxy section of section 4 may hold. */
export interface ProxySection {
    readonly name: string;
    /** One of the `namedDefaults`. @default - `defaults` */
    readonly from?: string;
    /** Counters for rules, here or elsewhere, and for stick rules. @default - none */
    readonly stickTable?: StickTable;
    /** @default - that of `defaults` */
    readonly mode?: Mode;
    /**
     * `client`, `clientFin`, `httpRequest` and `httpKeepAlive` are those of a frontend, `tarpit` is of both, the others are of a backend;
     * `httpRequest` of a backend too that has the option `http-buffer-request`. @default - those of `defaults`
     */
    readonly timeouts?: Timeouts;
    /** Keyword `compression`. @default - none */
    readonly compression?: Compression;
    /** Keyword `errorfiles`: one of the `httpErrors`. @default - HAProxy's own messages */
    readonly errorfiles?: string;
    /** @default - none */
    readonly acls?: readonly Acl[];
    /** Lines after the acls and before the rules, as written and in their order. @default - none */
    readonly raw?: readonly string[];
    /**
     * Keyword `tcp-request`, evaluated in this order within `connection`, `session` and `content`, which HAProxy runs one
     * after the other. @default - none
     */
    readonly tcpRequestRules?: readonly TcpRequestRule[];
    /** Keyword `http-request`, evaluated in this order. @default - none */
    readonly httpRequestRules?: readonly HttpRequestRule[];
    /** Keyword `http-response`, evaluated in this order. @default - none */
    readonly httpResponseRules?: readonly HttpResponseRule[];
    /**
     * Keyword `http-after-response`, evaluated in this order, on every answer: those of HAProxy itself too.
     * @default - none
     */
    readonly httpAfterResponseRules?: readonly HttpAfterResponseRule[];
}

/** Section 4, `frontend`. */
export interface Frontend extends ProxySection {
    readonly binds: readonly Bind[];
    /** @default - that of `global` */
    readonly maxconn?: number;
    /**
     * Added to the default, or taking from it with `false`.
     * @default - `httplog` where there are logs and, from HAProxy 2.6, `idle-close-on-response` (no error on idle connections during a
     * reload: 0 instead of 91 to 209 of them, measured with 100 connections and 10 reloads); `tcplog` in mode tcp
     */
    readonly options?: Options;
    /** First match wins. @default - none */
    readonly useBackends?: readonly UseBackend[];
    /** @default - requests that no `useBackends` takes get a 503 */
    readonly defaultBackend?: string;
}

/** Section 4.2, keyword `compression`. */
export interface Compression {
    /** First of these that the client takes: `gzip`, `deflate`, `raw-deflate`, `identity`. @default - `gzip` */
    readonly algo?: readonly string[];
    /** Content types; without any everything is compressed. */
    readonly type: readonly string[];
    /** Servers are not asked to compress. @default false */
    readonly offload?: boolean;
}

/** Section 7.1. Exactly one criterion: several values of one are alternatives, several acls of one name too. */
export type Acl = { readonly name: string } & (
    | {
          /** Host names, compared without case and without the port that the client may send. */
          readonly host: readonly string[];
      }
    | {
          /** Whole paths, with case. */
          readonly path: readonly string[];
      }
    | {
          /** Beginnings of paths, with case: `/api` matches `/apifoo` too. */
          readonly pathBeg: readonly string[];
      }
    | {
          /** Anything else, as written after the name: `src 10.0.0.0/8`. */
          readonly criterion: string;
      }
);

/** Section 4.2, keyword `use_backend`. */
export interface UseBackend {
    readonly backend: string;
    /** @default - always */
    readonly if?: Condition;
}

/** Section 4, `backend`. */
export interface Backend extends ProxySection, ServerGuards {
    /** Keyword `balance` with its arguments. @default - that of `defaults` */
    readonly balance?: string;
    /** @default - those of `defaults` */
    readonly options?: Options;
    /** Health check by HTTP. @default - a mere TCP connect */
    readonly httpchk?: Httpchk;
    /** Health check by several steps of HTTP. @default - none */
    readonly httpChecks?: readonly HttpCheck[];
    /** Health check by several steps of TCP. @default - none */
    readonly tcpChecks?: readonly TcpCheck[];
    /** Health check by another protocol. @default - none */
    readonly protocolCheck?: ProtocolCheck;
    /** Keeps clients on their servers by a cookie. @default - none */
    readonly cookie?: Cookie;
    /** Keeps clients on their servers by a table, evaluated in this order. @default - none */
    readonly stickRules?: readonly StickRule[];
    /** Keyword `default-server`. @default - none */
    readonly defaultServer?: ServerOptions;
    /** In this order, because `balance first` and `backup` go by it. */
    readonly servers: readonly Server[];
    /** After the servers. @default - none */
    readonly serverTemplates?: readonly ServerTemplate[];
    /** Keyword `tcp-response content`, evaluated in this order. @default - none */
    readonly tcpResponseRules?: readonly TcpResponseRule[];
}

/** Section 4, `listen`: a frontend and its backend in one. */
export interface Listen extends Frontend, Backend {
    readonly options?: Options;
}

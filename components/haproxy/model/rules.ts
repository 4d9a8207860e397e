/**
 * Rules of section 4.2. A rule is an action, named as in the manual, or a string: the rest of the line after the keyword, as written,
 * with its condition.
 */

/**
 * Terms of a condition (section 7.2): names of acls, `!name`, or anonymous acls such as `{ path_beg /api }`. All must hold, except that
 * `or` between two terms separates alternatives: `["METH_POST", "or", "METH_PUT"]`.
 */
export type Condition = readonly string[];

/** When a rule applies: `if` the whole condition holds, or `unless` it does. @default - always */
export type Conditional =
    | {
          /** The rule applies if this holds. @default - always */
          readonly if?: Condition;
          /** Either `if` or `unless`. */
          readonly unless?: undefined;
      }
    | {
          /** Either `if` or `unless`. */
          readonly if?: undefined;
          /** The rule applies if this does not hold. */
          readonly unless: readonly [string, ...string[]];
      };

/** Keyword `http-request`. */
export type HttpRequestRule = string | (Conditional & (AnyHttpAction | ReplyAction | TrackAction | RequestAction));

/** Keyword `http-response`. */
export type HttpResponseRule = string | (Conditional & (AnyHttpAction | ReplyAction | StatusAction | CacheStore));

/** Keyword `http-after-response`. */
export type HttpAfterResponseRule = string | (Conditional & (AnyHttpAction | StatusAction));

/** Keyword `tcp-request`; as a string it begins with `connection`, `session`, `content` or `inspect-delay`. */
export type TcpRequestRule =
    | string
    | (Conditional & {
          /** `connection`: when it is accepted; `session`: after TLS and the proxy protocol; `content`: when data has arrived. */
          readonly at: "connection" | "session" | "content";
      } & ({ readonly action: "accept" | "reject" } | ExpectProxy | TrackAction | SetVar));

/** Keyword `tcp-response`; as a string it begins with `content` or `inspect-delay`. */
export type TcpResponseRule = string | (Conditional & ({ readonly action: "accept" | "reject" | "close" } | SetVar));

/** Actions that all three HTTP families have. */
export type AnyHttpAction =
    | { readonly action: "allow" }
    | {
          readonly action: "set-header" | "add-header";
          /** Name of the header. */
          readonly name: string;
          /** Log-format (section 8.2.4): `%` begins a variable, `%%` is a percent sign. */
          readonly format: string;
      }
    | {
          readonly action: "del-header";
          /** Name of the header. */
          readonly name: string;
      }
    | {
          /** `replace-value` replaces each comma-separated value, `replace-header` the whole header. */
          readonly action: "replace-header" | "replace-value";
          /** Name of the header. */
          readonly name: string;
          /** Regular expression. */
          readonly match: string;
          /** Log-format, with `\1` for groups. */
          readonly format: string;
      }
    | SetVar
    | {
          readonly action: "unset-var";
          /** Name of the variable with its scope, such as `txn.host`. */
          readonly variable: string;
      };

/** Actions of requests and responses with which HAProxy answers itself; no later rule is evaluated. */
export type ReplyAction =
    | {
          readonly action: "deny";
          /** @default - 403 for requests, 502 for responses */
          readonly status?: number;
      }
    | Return
    | Redirect;

/** Answers with this status, body and headers. */
export interface Return {
    readonly action: "return";
    /** @default 200 */
    readonly status?: number;
    /** Content type of the body. @default "text/plain" */
    readonly contentType?: string;
    /** Log-format. @default - an empty body */
    readonly body?: string;
    /** Log-format values by name. @default - none */
    readonly headers?: Readonly<Record<string, string>>;
}

/** Section 4.2, keyword `redirect`: to a `location`, or to the same path with another `prefix` or `scheme`. All are log-formats. */
export type Redirect = {
    readonly action: "redirect";
    /** @default - 302 */
    readonly code?: 301 | 302 | 303 | 307 | 308;
} & (
    | {
          /** The whole URL. */
          readonly location: string;
      }
    | {
          /** What replaces scheme and host, and comes before the path. */
          readonly prefix: string;
      }
    | {
          /** The scheme, `https` as a rule. */
          readonly scheme: string;
      }
);

/** Counts the activity of a key in a stick table. */
export interface TrackAction {
    readonly action: "track-sc";
    /** 0 for `track-sc0`, and so on. */
    readonly counter: 0 | 1 | 2;
    /** Sample expression (section 7.3). @default "src" */
    readonly key?: string;
    /** Section whose stick table counts. @default - the section of the rule */
    readonly table?: string;
}

/** Actions of requests only. */
export type RequestAction =
    | { readonly action: "reject" }
    | {
          readonly action: "tarpit";
          /** @default - 500 */
          readonly status?: number;
      }
    | {
          readonly action: "auth";
          /** Realm that the browser shows. @default - the name of the section */
          readonly realm?: string;
      }
    | {
          readonly action: "set-path" | "set-query" | "set-uri" | "set-method";
          /** Log-format. */
          readonly format: string;
      }
    | {
          readonly action: "replace-path" | "replace-uri";
          /** Regular expression. */
          readonly match: string;
          /** Log-format, with `\1` for groups. */
          readonly format: string;
      }
    | {
          readonly action: "cache-use";
          /** Name of one of the `caches`. */
          readonly cache: string;
      };

/** Stores cacheable responses in a `cache`. */
export interface CacheStore {
    readonly action: "cache-store";
    /** Name of one of the `caches`. */
    readonly cache: string;
}

/** Changes the status of a response. */
export interface StatusAction {
    readonly action: "set-status";
    /** The new status. */
    readonly status: number;
    /** @default - that of the status */
    readonly reason?: string;
}

/** Stores a value in a variable (section 2.8), such as `txn.host`. */
export interface SetVar {
    readonly action: "set-var";
    /** Name of the variable with its scope, such as `txn.host`. */
    readonly variable: string;
    /** Sample expression (section 7.3), as written. */
    readonly expression: string;
}

/** The client must begin with the proxy protocol; only `at: "connection"`. Restrict it to addresses by a condition. */
export interface ExpectProxy {
    readonly action: "expect-proxy";
}

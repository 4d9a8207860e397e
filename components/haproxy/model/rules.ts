/**
 * Rules of section 4.2. A rule is an action by its name in the manual, or a string: whatever follows the keyword, as
 * written, with its condition.
 */

/**
 * Terms of a condition (section 7.2), all of which must hold unless `or` stands between them: names of acls, `!name`,
 * or anonymous acls such as `{ path_beg /api }`.
 */
export type Condition = readonly string[];

interface Conditional {
    /** @default - always */
    readonly if?: Condition;
}

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
          /** `connection`: as soon as it is accepted; `session`: after TLS and the proxy protocol; `content`: with data. */
          readonly at: "connection" | "session" | "content";
      } & ({ readonly action: "accept" | "reject" } | ExpectProxy | TrackAction | SetVar));

/** Keyword `tcp-response content`. */
export type TcpResponseRule = string | (Conditional & ({ readonly action: "accept" | "reject" | "close" } | SetVar));

/** Actions of all three HTTP families. */
export type AnyHttpAction =
    | { readonly action: "allow" }
    | {
          readonly action: "set-header" | "add-header";
          readonly name: string;
          /** Log-format (section 8.2.4): `%` begins a variable, `%%` is a percent sign. */
          readonly format: string;
      }
    | { readonly action: "del-header"; readonly name: string }
    | {
          /** `replace-value` replaces each of the values between commas, `replace-header` the whole. */
          readonly action: "replace-header" | "replace-value";
          readonly name: string;
          /** Regular expression. */
          readonly match: string;
          /** Log-format, with `\1` for groups. */
          readonly format: string;
      }
    | SetVar
    | { readonly action: "unset-var"; readonly variable: string };

/** Actions of requests and responses that end the evaluation with an answer of HAProxy's own. */
export type ReplyAction =
    | {
          readonly action: "deny";
          /** @default - 403 for requests, 502 for responses */
          readonly status?: number;
      }
    | Return
    | Redirect;

/** An answer made up here. */
export interface Return {
    readonly action: "return";
    /** @default 200 */
    readonly status?: number;
    /** Of the body. @default "text/plain" */
    readonly contentType?: string;
    /** Log-format. @default - an empty body */
    readonly body?: string;
    /** Log-format values by name. @default - none */
    readonly headers?: Readonly<Record<string, string>>;
}

/** Section 4.2, keyword `redirect`: to a `location`, or with another `prefix` or `scheme` before the same path; log-formats. */
export type Redirect = {
    readonly action: "redirect";
    /** @default - 302 */
    readonly code?: 301 | 302 | 303 | 307 | 308;
} & ({ readonly location: string } | { readonly prefix: string } | { readonly scheme: string });

/** Counts what a key does in a stick table. */
export interface TrackAction {
    readonly action: "track-sc";
    /** 0, 1 or 2, as in `sc0`. */
    readonly counter: 0 | 1 | 2;
    /** Sample expression (section 7.3). @default "src" */
    readonly key?: string;
    /** Section that has the stick table. @default - the section of the rule */
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
          /** What the browser shows. @default - the name of the section */
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
    | { readonly action: "cache-use"; readonly cache: string };

/** Keeps cacheable responses. */
export interface CacheStore {
    readonly action: "cache-store";
    readonly cache: string;
}

/** Changes the status of a response. */
export interface StatusAction {
    readonly action: "set-status";
    readonly status: number;
    /** @default - that of the status */
    readonly reason?: string;
}

/** Keeps a value under a name such as `txn.host` (section 2.8). */
export interface SetVar {
    readonly action: "set-var";
    readonly variable: string;
    /** Sample expression (section 7.3), as written. */
    readonly expression: string;
}

/** Only `at: "connection"`: the client must begin with the proxy protocol; for the addresses of a condition. */
export interface ExpectProxy {
    readonly action: "expect-proxy";
}

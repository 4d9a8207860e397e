import type { Condition } from "./rules";

/** Section 4.2, keyword `stick-table`. */
export interface StickTable {
    /** `ipv6` holds IPv4 addresses too. */
    readonly type: "ip" | "ipv6" | "integer" | "string" | "binary";
    /** Bytes kept of a string or binary key. @default 32 */
    readonly length?: number;
    /** Entries, with `k` and `m` for 1024 and 1024^2. */
    readonly size: string;
    /** How long an entry lives unused. @default - until the table is full */
    readonly expire?: string;
    /** What is counted, such as `http_req_rate(10s)`. @default - the server only */
    readonly store?: readonly string[];
    /** Section of peers that have the table too, and keep it over a reload. @default - none */
    readonly peers?: string;
}

/** Section 4.2, keywords `stick on`, `stick match`, `stick store-request` and `stick store-response`. */
export interface StickRule {
    readonly rule: "on" | "match" | "store-request" | "store-response";
    /** Sample expression (section 7.3), such as `src`. */
    readonly pattern: string;
    /** Section that has the table. @default - this one */
    readonly table?: string;
    /** @default - always */
    readonly if?: Condition;
}

/** Section 4.2, keyword `cookie`. Servers need a `cookie` each, or `dynamicKey` makes one up for all. */
export interface Cookie {
    readonly name: string;
    /** `insert`: HAProxy's own; `rewrite` and `prefix`: changes the application's. @default "insert" */
    readonly mode?: "insert" | "rewrite" | "prefix";
    /** Servers do not see it. @default - true with `insert` */
    readonly indirect?: boolean;
    /** Responses that set it may not be cached. @default - true with `insert` */
    readonly nocache?: boolean;
    /** @default true */
    readonly httponly?: boolean;
    /** Sent over TLS only. @default false */
    readonly secure?: boolean;
    /** Domains it is sent to. @default - that of the request */
    readonly domains?: readonly string[];
    /** Ignored when unused for so long. @default - no limit */
    readonly maxidle?: string;
    /** Ignored when older. @default - no limit */
    readonly maxlife?: string;
    /** Attributes as written, such as `SameSite=Lax`. @default - none */
    readonly attr?: readonly string[];
    /** Keyword `dynamic-cookie-key`: values are made from addresses and this secret, a slot. @default - none */
    readonly dynamicKey?: string;
}

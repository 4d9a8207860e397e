import type { Conditional } from "./rules";

/** Section 4.2, keyword `stick-table`. */
export interface StickTable {
    /** `ipv6` also holds IPv4 addresses. */
    readonly type: "ip" | "ipv6" | "integer" | "string" | "binary";
    /** Bytes that are stored of a string or binary key. @default 32 */
    readonly length?: number;
    /** Number of entries; `k` is 1024, `m` is 1024^2. */
    readonly size: string;
    /** How long an unused entry is kept. @default - until the table is full */
    readonly expire?: string;
    /** Counters, such as `http_req_rate(10s)`. @default - only the server is stored */
    readonly store?: readonly string[];
    /** Section `peers` that shares the table and keeps it over a reload. @default - none */
    readonly peers?: string;
}

/** Section 4.2, keywords `stick on`, `stick match`, `stick store-request` and `stick store-response`. */
export type StickRule = Conditional & {
    /** Whether it looks the key up, stores it, or both (`on`). */
    readonly rule: "on" | "match" | "store-request" | "store-response";
    /** Sample expression (section 7.3), such as `src`. */
    readonly pattern: string;
    /** Section whose table is used. @default - this one */
    readonly table?: string;
};

/** Section 4.2, keyword `cookie`. Each server needs a `cookie`, or `dynamicKey` derives one for all. */
export interface Cookie {
    /** Name of the cookie. */
    readonly name: string;
    /** `insert` adds a cookie; `rewrite` and `prefix` change the application's. @default "insert" */
    readonly mode?: "insert" | "rewrite" | "prefix";
    /** Hides the cookie from servers. @default - true with `insert` */
    readonly indirect?: boolean;
    /** Marks responses that set it as not cacheable. @default - true with `insert` */
    readonly nocache?: boolean;
    /** @default - true with `insert` */
    readonly httponly?: boolean;
    /** Clients send it over TLS only. @default false */
    readonly secure?: boolean;
    /** Domains that clients send it to. @default - that of the request */
    readonly domains?: readonly string[];
    /** Ignores a cookie that was unused for so long. @default - no limit */
    readonly maxidle?: string;
    /** Ignores a cookie that is older. @default - no limit */
    readonly maxlife?: string;
    /** Attributes as written, such as `SameSite=Lax`. @default - none */
    readonly attr?: readonly string[];
    /** Keyword `dynamic-cookie-key`: values are computed from server addresses and this secret, a slot. @default - none */
    readonly dynamicKey?: string;
}

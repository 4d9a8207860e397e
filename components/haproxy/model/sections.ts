import type { ErrorFile } from "./files";

/** Sections beside the proxies. */

/** Section 3.4, `userlist`: for `http_auth(name)` in conditions. */
export interface Userlist {
    readonly name: string;
    /** @default - none */
    readonly groups?: readonly { readonly name: string; readonly users?: readonly string[] }[];
    readonly users: readonly UserlistUser[];
}

/** A user of a userlist, section 3.4. */
export interface UserlistUser {
    readonly name: string;
    /**
     * Slot of a secret. Hashed ones (crypt(3), such as `$5$…`) are computed anew for each request: take few rounds.
     */
    readonly password: string;
    /** The slot holds the password itself. @default false */
    readonly insecure?: boolean;
}

/** Section 3.5, `peers`: share stick tables, between hosts and over reloads. */
export interface Peers {
    readonly name: string;
    readonly peers: readonly Peer[];
    /** Further lines, as written. @default - none */
    readonly raw?: readonly string[];
}

/** One of a section must be the local one, which listens on its address. */
export interface Peer {
    /** @default - that of the local peer: the host's name, unless `localpeer` or `-L` says another */
    readonly name?: string;
    readonly address: string;
    readonly port: number;
}

/** Section 5.3.2, `resolvers`: for servers' `resolvers` and `do-resolve`. */
export interface Resolvers {
    readonly name: string;
    /** IP addresses. */
    readonly nameservers: readonly { readonly name: string; readonly address: string; readonly port?: number }[];
    /** Uses those of the host, too. @default false */
    readonly parseResolvConf?: boolean;
    /** Queries until a failure. @default 3 */
    readonly resolveRetries?: number;
    /** Keywords `timeout resolve` and `timeout retry`. @default - "1s" each */
    readonly timeouts?: { readonly resolve?: string; readonly retry?: string };
    /** Keywords `hold …`: how long an answer of that kind is kept. @default - HAProxy's */
    readonly hold?: Readonly<Partial<Record<"valid" | "obsolete" | "nx" | "other" | "refused" | "timeout", string>>>;
    /** Needed for many addresses, 512 to 65535. @default 512 */
    readonly acceptedPayloadSize?: number;
    /** Further lines, as written. @default - none */
    readonly raw?: readonly string[];
}

/** Section 3.6, `mailers`: for `email-alert mailers`. */
export interface Mailers {
    readonly name: string;
    readonly mailers: readonly { readonly name: string; readonly address: string; readonly port?: number }[];
    /** Time to send one. @default "10s" */
    readonly timeout?: string;
}

/** Section 6.2, `cache`: small, in memory, for actions `cache-use` and `cache-store`. */
export interface Cache {
    readonly name: string;
    /** Megabytes, 1 to 4095. */
    readonly totalMaxSize: number;
    /** Bytes, at most half of all. @default - a 256th of all */
    readonly maxObjectSize?: number;
    /** Seconds. @default 60 */
    readonly maxAge?: number;
    /** Keeps variants by header `Vary`; needs 2.4. @default false */
    readonly processVary?: boolean;
}

/** Section 3.8, `http-errors`: for the keyword `errorfiles`. */
export interface HttpErrors {
    readonly name: string;
    /** By status: the absolute path of a file that the host has, with a whole HTTP message, or the content of one. */
    readonly errorfiles: Readonly<Record<string, string | ErrorFile>>;
}

import type { ErrorFile } from "./files";

/** Sections that proxies refer to. */

/** Section 3.4, `userlist`: for `http_auth(name)` in conditions. */
export interface Userlist {
    /** Name, for `http_auth`. */
    readonly name: string;
    /** Groups of its users, for `http_auth_group`. @default - none */
    readonly groups?: readonly {
        /** Name of the group. */
        readonly name: string;
        /** Names of its users. @default - none */
        readonly users?: readonly string[];
    }[];
    /** The users, each with a password. */
    readonly users: readonly UserlistUser[];
}

/** A user of a userlist, section 3.4. */
export interface UserlistUser {
    /** Name that the user logs in with. */
    readonly name: string;
    /**
     * Slot of a secret: a hash of crypt(3), such as `$5$…`; any other value is refused. It is computed again for each request: use few
     * rounds.
     */
    readonly password: string;
    /** The slot holds the password itself instead of a hash. @default false */
    readonly insecure?: boolean;
}

/** Section 3.5, `peers`: shares stick tables between hosts and over reloads. */
export interface Peers {
    /** Name, for `peers` of stick tables. */
    readonly name: string;
    /** The hosts, one of which is the local one. */
    readonly peers: readonly Peer[];
    /** Further lines, as written. @default - none */
    readonly raw?: readonly string[];
}

/** One peer of a section must be the local one, which listens on its address. */
export interface Peer {
    /** @default - that of the local peer: the host's name, or the value of `localpeer` or `-L` */
    readonly name?: string;
    /** IP address, or a name that the host can resolve. */
    readonly address: string;
    /** TCP port. */
    readonly port: number;
}

/** Section 5.3.2, `resolvers`: used by servers' `resolvers` and by `do-resolve`. */
export interface Resolvers {
    /** Name, for `resolvers` of servers. */
    readonly name: string;
    /** Name servers to ask. */
    readonly nameservers: readonly {
        /** Name, for messages. */
        readonly name: string;
        /** Address, or a name that the host can resolve. */
        readonly address: string;
        /** UDP port. @default 53 */
        readonly port?: number;
    }[];
    /** Also uses the host's name servers. @default false */
    readonly parseResolvConf?: boolean;
    /** Queries before a name counts as failed. @default 3 */
    readonly resolveRetries?: number;
    /** Keywords `timeout resolve` and `timeout retry`. @default - "1s" each */
    readonly timeouts?: {
        /** Time between two resolutions of a name. @default "1s" */
        readonly resolve?: string;
        /** Time until a query without an answer is sent again. @default "1s" */
        readonly retry?: string;
    };
    /** Keywords `hold …`: how long the last result stays valid after an answer of that kind. @default - HAProxy's */
    readonly hold?: Readonly<Partial<Record<"valid" | "obsolete" | "nx" | "other" | "refused" | "timeout", string>>>;
    /** Bytes of an answer, 512 to 65535; raise it for names with many addresses. @default 512 */
    readonly acceptedPayloadSize?: number;
    /** Further lines, as written. @default - none */
    readonly raw?: readonly string[];
}

/** Section 3.6, `mailers`: for `email-alert mailers`. */
export interface Mailers {
    /** Name, for `email-alert mailers`. */
    readonly name: string;
    /** Mail servers; all of them get each mail. */
    readonly mailers: readonly {
        /** Name, for messages. */
        readonly name: string;
        /** Address, or a name that the host can resolve. */
        readonly address: string;
        /** TCP port. @default 25 */
        readonly port?: number;
    }[];
    /** Time to send a mail. @default "10s" */
    readonly timeout?: string;
}

/** Section 6.2, `cache`: in memory, used by the actions `cache-use` and `cache-store`. */
export interface Cache {
    /** Name, for the actions. */
    readonly name: string;
    /** Megabytes, 1 to 4095. */
    readonly totalMaxSize: number;
    /** Bytes, at most half of `totalMaxSize`. @default - a 256th of `totalMaxSize` */
    readonly maxObjectSize?: number;
    /** Seconds. @default 60 */
    readonly maxAge?: number;
    /** Stores variants by the header `Vary`; needs 2.4. @default false */
    readonly processVary?: boolean;
}

/** Section 3.8, `http-errors`: used by the keyword `errorfiles`. */
export interface HttpErrors {
    /** Name, for `errorfiles`. */
    readonly name: string;
    /** By status: absolute path of a file on the host that holds a whole HTTP response, or the content of such a file. */
    readonly errorfiles: Readonly<Record<string, string | ErrorFile>>;
}

/** What a fleet looks like now. */
import type { PairRole } from "../../components/keepalived/judge";

/** A host of a stack. */
export interface HostStatus {
    /** Name of its component, as in `edge-lb1`. */
    readonly host: string;
    /** Host name or address, with the port of sshd if that is not 22; empty if it is not known. */
    readonly address: string;
    /** The token that the state of the stack has, and so the last up that the state knows; empty if it knows none. */
    readonly expectedToken: string;
    /** What it answered, or why it could not be asked. @default - it was never converged, so the state has no connection to it */
    readonly answer?: Answer | { readonly unanswered: string };
}

/** What a host says of itself. Times are in seconds since 1970, by the host's clock. */
export interface Answer {
    readonly now: number;
    /** `project/stack/name` of the component that converges it; empty if none does. */
    readonly owner: string;
    /** The token of its last successful converge; empty if there was none. */
    readonly token: string;
    /** @default - none is recorded */
    readonly lastConverge?: LastConverge;
    /** Who holds the host at the moment, as `alice@laptop`. @default - no converge runs */
    readonly converging?: string;
    /**
     * What is not as the last converge left it. Undefined if that converge has left no check, as those of older releases; if the check has
     * failed, which `warnings` say; and while a converge runs, because what that has not done yet is no drift.
     */
    readonly drift?: readonly Drift[];
    /** Warnings of the check, and what could not be found out: a problem and its remedy each. */
    readonly warnings: readonly string[];
    /** Whether HAProxy is managed on the host. */
    readonly managesHaproxy: boolean;
    /** Undefined if HAProxy does not run, or could not be asked. */
    readonly haproxy?: Haproxy;
    /** Why HAProxy runs but could not be asked, and what to do. @default - it was asked, or does not run */
    readonly haproxyProblem?: string;
    /** @default - it is in no pair, or that could not be found out */
    readonly pair?: PairAnswer;
    /** Why it is not known what it does in its pair, and what to do. @default - it is known, or it is in none */
    readonly pairProblem?: string;
}

/** What a host says of the pair that it belongs to. */
export interface PairAnswer extends Pick<PairRole, "role" | "holds" | "outside" | "reason" | "waits" | "leads"> {
    /** Name of the pair's component. */
    readonly name: string;
    /** Its own name in the pair, and its peer's. */
    readonly host: string;
    readonly peer: string;
    /** Service addresses with their prefix lengths; with an elastic IP address, the one that only marks the MASTER. */
    readonly addresses: readonly string[];
    /** `vip` or `elastic`. */
    readonly mode: string;
    /** Its own address on the pair's network, and its peer's. */
    readonly address: string;
    readonly peerAddress: string;
    readonly routerId: string;
    /** Seconds since its role began. @default - not known */
    readonly since?: number;
    /** What keepalived has complained of in the last minutes. */
    readonly warnings: readonly PairWarning[];
}

export interface PairWarning {
    /** A problem, and its remedy if there is one. */
    readonly text: string;
    /** Seconds since it was said last. @default - not known */
    readonly ago?: number;
}

export interface LastConverge {
    readonly ended: number;
    /** Seconds that it took. */
    readonly took: number;
    /** Who ran it: `alice@laptop`, or the login and address if that is not known. */
    readonly by: string;
    /** How it ended: `done`, or the cause of its failure. */
    readonly result: string;
}

/** One difference. */
export interface Drift {
    /** As `transaction[haproxy]`. */
    readonly resource: string;
    /** What differs, as `haproxy.cfg: content`, `stopped`, `outdated`. */
    readonly what: string;
}

export interface Haproxy {
    readonly version: string;
    /** Seconds since the worker started. */
    readonly uptime: number;
    readonly connections: number;
    readonly maxconn: number;
    /** Old workers that still have connections. */
    readonly oldWorkers: number;
    readonly backends: readonly Backend[];
    /** What somebody has set by hand, as in `shop/shop1 in maintenance`; empty if nothing. */
    readonly byHand: readonly string[];
    /** The command of HAProxy's runtime API that undoes the first of these, as `set server shop/shop1 state ready`; empty if nothing. */
    readonly undo: string;
    readonly certificates: readonly { readonly name: string; readonly ends: number }[];
}

/** A backend with servers: a service. */
export interface Backend {
    readonly name: string;
    /** Servers that take requests, and all that are declared to. */
    readonly up: number;
    readonly servers: number;
    /** Servers that do not, as `shop2 L4CON`. */
    readonly lacking: readonly string[];
}

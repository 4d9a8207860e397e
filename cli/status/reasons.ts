import type { PairProblemKind } from "../../components/keepalived/judge";

/** Something that people should know about a host. */
export interface Reason {
    /** What it makes of the host: with remarks only, the host is healthy. */
    readonly level: "failing" | "attention" | "remark";
    /** What it is about, a constant for programs. */
    readonly kind: ReasonKind;
    readonly text: string;
    /** What to do about it; empty if there is nothing to do. */
    readonly remedy: string;
}

export type ReasonKind =
    | "unanswered"
    | "never-converged"
    | "stopped"
    | "unknown-haproxy"
    | "other-configuration"
    | "no-server"
    | "certificate-ended"
    | "owner"
    | "token"
    | "last-converge"
    | "drift"
    | "server"
    | "by-hand"
    | "certificate-ends"
    | "connections"
    | "old-workers"
    | "warning"
    | "converging"
    | "no-check"
    | "pair-unknown"
    | "pair-mismatch"
    | "pair-warning"
    | PairProblemKind;

/** What hosts are judged by. */
export interface Fleet {
    readonly project: string;
    readonly stack: string;
    /** Command with which people run the Pulumi CLI. */
    readonly pulumiCommand: string;
}

/** The commands that remedies name. */
export interface Commands {
    readonly preview: string;
    readonly up: string;
}

export function commandsOf({ stack, pulumiCommand }: Fleet): Commands {
    const command = (name: string) => `${pulumiCommand} ${name} --stack ${stack}`;
    return { preview: command("preview"), up: command("up") };
}

/** A problem, and its remedy. */
export function parts(message: string): [problem: string, remedy: string] {
    const [problem = "", ...remedy] = message.split("; ");
    return [problem, remedy.join("; ")];
}

export function failing(kind: ReasonKind, text: string, remedy: string): Reason {
    return { level: "failing", kind, text, remedy };
}

export function attention(kind: ReasonKind, text: string, remedy: string): Reason {
    return { level: "attention", kind, text, remedy };
}

export function remark(kind: ReasonKind, text: string, remedy: string): Reason {
    return { level: "remark", kind, text, remedy };
}

import type { JudgedHost, Verdict } from "./judge";
import type { Reason } from "./reasons";
import type { Answer } from "./types";

/** What `--json` prints. Times are in seconds since 1970, by the clock of the host. Later releases may add fields. */
export interface StatusReport {
    readonly stack: string;
    /** Whether every host is healthy. */
    readonly healthy: boolean;
    readonly hosts: readonly HostReport[];
}

/** A host: what is to say about it, and what it has answered. Fields of its answer are null if it gave none. */
export interface HostReport {
    readonly host: string;
    /** Null if it was never converged. */
    readonly address: string | null;
    readonly verdict: Verdict;
    readonly reasons: readonly Reason[];
    /** Why it could not be asked; null if it has answered. */
    readonly unanswered: string | null;
    readonly now: Answer["now"] | null;
    readonly owner: Answer["owner"] | null;
    readonly lastConverge: Answer["lastConverge"] | null;
    readonly converging: Answer["converging"] | null;
    readonly drift: Answer["drift"] | null;
    readonly warnings: Answer["warnings"] | null;
    readonly managesHaproxy: boolean | null;
    readonly haproxyProblem: Answer["haproxyProblem"] | null;
    readonly haproxy: Answer["haproxy"] | null;
    readonly pairProblem: Answer["pairProblem"] | null;
    readonly pair: Answer["pair"] | null;
}

/** The fleet for programs, without the tokens, which only our own commands use. */
export function report(stack: string, hosts: readonly JudgedHost[]): StatusReport {
    return { stack, healthy: hosts.every(({ verdict }) => verdict === "healthy"), hosts: hosts.map(hostReport) };
}

function hostReport({ host, address, verdict, reasons, answer }: JudgedHost): HostReport {
    const given: Partial<Answer> = answer === undefined || "unanswered" in answer ? {} : answer;
    return {
        host,
        address: address || null,
        verdict,
        reasons,
        unanswered: answer !== undefined && "unanswered" in answer ? answer.unanswered : null,
        now: given.now ?? null,
        owner: given.owner ?? null,
        lastConverge: given.lastConverge ?? null,
        converging: given.converging ?? null,
        drift: given.drift ?? null,
        warnings: given.warnings ?? null,
        managesHaproxy: given.managesHaproxy ?? null,
        haproxyProblem: given.haproxyProblem ?? null,
        haproxy: given.haproxy ?? null,
        pairProblem: given.pairProblem ?? null,
        pair: given.pair ?? null,
    };
}

import { useProbe } from "../../components/convergence/hostConversation";
import { probeOverSsh } from "../../components/convergence/preview/probe";
import { parseWhyRun, type WhyRun } from "../../components/convergence/preview/whyRun";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { restoreLog } from "./mocks";

/** Types of what a program registers. */
export const HOST = "haproxy-fleet:index:ConvergedHost";
export const BALANCER = "haproxy-fleet:index:LoadBalancer";
export const FLEET = "haproxy-fleet:index:LoadBalancerFleet";
export const PAIR = "haproxy-fleet:index:LoadBalancerPair";
export const COMMAND = "command:remote:Command";

/** Two keys that a host may have. */
export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
export const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOcm/2ftU/rz2yrRzhRnNWa9/pVLE7YImJoGk3BM1kXb";

/** The connection of a host that no test contacts. */
export const connection = { address: "192.0.2.1", hostKey };

/** A host's answer to a probe, with changes; without any, the host is as declared. */
export function probeReply(change: Partial<WhyRun> = {}): WhyRun {
    return { ...parseWhyRun("host\tb\tt0\nend\tdone\n"), ...change };
}

/** What hosts were asked in a test, and how they answer. */
export interface ProbeReplies {
    readonly asked: Question[];
    /** Tokens for which payloads were left, and payloads by them. */
    readonly left: Map<string, string>;
    /** How many connections are open. */
    open(): number;
    /** The hosts stop answering. */
    lose(): void;
    /** From here on, every host answers this. */
    give(reply: WhyRun | Error): void;
    /** From here on, each host answers for itself. */
    giveEach(reply: (question: Question) => Promise<WhyRun | Error>): void;
}

interface Question {
    target: SshTarget;
    payload: string;
    become?: "sudo";
}

/** Simulated hosts for the surrounding suite. Before each test they are as declared again, and not asked yet. */
export function withProbeReplies(): ProbeReplies {
    const asked: ProbeReplies["asked"] = [];
    const left: ProbeReplies["left"] = new Map();
    let replies: (question: Question) => Promise<WhyRun | Error>;
    let open = 0;
    let lost: (() => void)[] = [];
    beforeEach(() => {
        asked.length = 0;
        left.clear();
        open = 0;
        lost = [];
        replies = async () => probeReply();
        useProbe(async (target, payload, become) => {
            const question = { target, payload, become };
            asked.push(question);
            const reply = await replies(question);
            if (reply instanceof Error) throw reply;
            open++;
            return {
                answer: reply,
                leave: async (token) => void left.set(token, payload),
                confirmLogin: async () => {},
                cause: async () => "file[/etc/x] failed: the disk is full",
                lost: new Promise((resolve) => lost.push(resolve)),
                close: () => void open--,
            };
        });
    });
    after(() => {
        useProbe(probeOverSsh);
        restoreLog();
    });
    return {
        asked,
        left,
        open: () => open,
        lose: () => {
            for (const resolve of lost) resolve();
        },
        give: (reply) => {
            replies = async () => reply;
        },
        giveEach: (reply) => {
            replies = reply;
        },
    };
}

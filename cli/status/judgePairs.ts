import { unique } from "../../components/convergence/text";
import { type PairRole, pairProblems } from "../../components/keepalived/judge";
import { commandsOf, type Fleet, parts, type Reason } from "./reasons";
import type { Answer, HostStatus, PairAnswer } from "./types";

/** A host of a pair that has answered. */
interface Member {
    readonly host: string;
    readonly answer: Answer;
    readonly pair: PairAnswer;
}

/** What is to say about hosts because of their pairs. */
export interface PairReason extends Reason {
    readonly host: string;
    /** Whether a hand-over looks like this for a moment. */
    readonly passing: boolean;
}

/** Judges the hosts of each pair together. Nothing is said of a peer that was not asked. */
export function pairReasons(statuses: readonly HostStatus[], fleet: Fleet): PairReason[] {
    const members = statuses.flatMap(({ host, answer }): Member[] => {
        const { pair } = answer === undefined || "unanswered" in answer ? {} : answer;
        return pair === undefined ? [] : [{ host, answer: answer as Answer, pair }];
    });
    const { up } = commandsOf(fleet);
    return unique(members.map(({ pair }) => pair.name)).flatMap((name) => {
        const ofPair = members.filter(({ pair }) => pair.name === name);
        const rolling = ofPair.some(({ answer }) => answer.converging !== undefined);
        return [
            ...ofRoles(ofPair, statuses, up),
            ...(rolling ? [] : ofDifferences(ofPair, statuses, up)),
            ...ofPair.flatMap((member) => ofWarnings(member, ofPair, rolling)),
        ];
    });
}

/** Hosts that look as if a hand-over were going on: to be asked again, before people are told of a fault. */
export function inDoubt(statuses: readonly HostStatus[], fleet: Fleet): string[] {
    const doubtful = pairReasons(statuses, fleet).filter(({ passing }) => passing);
    const pairs = statuses.flatMap(({ host, answer }) => {
        const name = answer === undefined || "unanswered" in answer ? undefined : answer.pair?.name;
        return name === undefined ? [] : [{ host, name }];
    });
    const names = pairs.filter(({ host }) => doubtful.some((reason) => reason.host === host)).map(({ name }) => name);
    return pairs.filter(({ name }) => names.includes(name)).map(({ host }) => host);
}

function ofRoles(members: readonly Member[], statuses: readonly HostStatus[], up: string): PairReason[] {
    const absent = statuses.filter(
        ({ host, answer }) =>
            (answer === undefined || "unanswered" in answer) &&
            members.some(({ pair }) => host === `${pair.name}-${pair.peer}`),
    );
    const problems = pairProblems(members.map(roleOf), {
        addresses: serviceAddresses(members),
        up,
        absent: absent.map(({ host }) => host),
    });
    return problems.flatMap(({ hosts, kind, level, text, remedy }) =>
        hosts.map((host) => ({ host, level, kind, text, remedy, passing: kind !== "standby" && kind !== "alone" })),
    );
}

function roleOf({ host, answer, pair }: Member): PairRole {
    const { role, holds, outside, reason, waits, leads } = pair;
    return {
        host,
        role,
        holds,
        ...(outside && { outside }),
        ...(reason !== undefined && { reason }),
        ...(waits !== undefined && { waits }),
        ...(leads && { leads }),
        converging: answer.converging !== undefined,
    };
}

function serviceAddresses(members: readonly Member[]): string[] {
    return unique(members.flatMap(({ pair }) => (pair.mode === "elastic" ? [] : pair.addresses.map(bare))));
}

/** An address without its prefix length. */
export function bare(address: string): string {
    return address.split("/", 1)[0] ?? address;
}

/** What must be the same on both hosts, or must name the other one. */
const SAME: readonly [what: string, of: (pair: PairAnswer) => string][] = [
    ["addresses", ({ addresses }) => [...addresses].sort().join(" ")],
    ["router id", ({ routerId }) => routerId],
    ["mode", ({ mode }) => mode],
];

function ofDifferences(members: readonly Member[], statuses: readonly HostStatus[], up: string): PairReason[] {
    const remedy = `${up} gives both the same`;
    const mismatch = (host: string, text: string): PairReason => ({
        host,
        level: "attention",
        kind: "pair-mismatch",
        text,
        remedy,
        passing: false,
    });
    return members.flatMap(({ host, pair }) => {
        const peer = `${pair.name}-${pair.peer}`;
        const other = members.find((member) => member.host === peer);
        if (other === undefined) {
            const asked = statuses.find((status) => status.host === peer)?.answer;
            const inNone = asked !== undefined && !("unanswered" in asked) && asked.pairProblem === undefined;
            return inNone ? [mismatch(host, `its peer is ${peer}, which is in no pair of that name`)] : [];
        }
        if (other.pair.peer !== pair.host) {
            return [mismatch(host, `its peer is ${peer}, whose peer is ${other.pair.name}-${other.pair.peer}`)];
        }
        const found = SAME.flatMap(([what, of]) => {
            const [own, theirs] = [of(pair), of(other.pair)];
            return own === theirs || own === "" || theirs === "" ? [] : [`${what} ${own} instead of ${theirs}`];
        });
        const { peerAddress } = pair;
        if (peerAddress !== "" && other.pair.address !== "" && peerAddress !== other.pair.address) {
            found.push(`address of the peer ${peerAddress} instead of ${other.pair.address}`);
        }
        return found.length === 0 ? [] : [mismatch(host, `differs from ${peer}: ${found.join(", ")}`)];
    });
}

/** What keepalived itself has complained of, but for what it said before the last converge of both hosts. */
function ofWarnings({ host, pair, answer }: Member, members: readonly Member[], rolling: boolean): PairReason[] {
    const ages = members.flatMap(({ answer: { now, lastConverge } }) =>
        lastConverge ? [now - lastConverge.ended] : [],
    );
    const converged = Math.min(...ages, answer.now);
    return pair.warnings
        .filter(({ ago }) => ago === undefined || ago < converged)
        .map(({ text: said }) => {
            const [text, remedy] = parts(said);
            return {
                host,
                level: rolling ? "remark" : "attention",
                kind: "pair-warning",
                text: `keepalived warns: ${text}`,
                remedy: remedy || "journalctl -u keepalived",
                passing: false,
            };
        });
}

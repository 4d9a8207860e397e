import type { Answer, Backend, Haproxy, HostStatus, PairAnswer } from "../../cli/status/types";

/** The time at which hosts answer. */
export const now = 1_800_000_000;

/** A host of the stack prod of the project edge, which is healthy but for the changes. */
export function statusOf(host: string, changes: Partial<Answer> = {}): HostStatus {
    return { host, address: "192.0.2.1", expectedToken: "t1", answer: answerOf(host, changes) };
}

/** What a healthy load balancer answers. */
export function answerOf(host: string, changes: Partial<Answer> = {}): Answer {
    return {
        now,
        owner: `edge/prod/${host}`,
        token: "t1",
        lastConverge: { ended: now - 7_300, took: 4, by: "alice@laptop", result: "done" },
        drift: [],
        warnings: [],
        managesHaproxy: true,
        haproxy: haproxyOf(),
        ...changes,
    };
}

/** What HAProxy says of itself. */
export function haproxyOf(changes: Partial<Haproxy> = {}): Haproxy {
    return {
        version: "3.0.11-1+deb13u1",
        uptime: 86_400,
        connections: 1_204,
        maxconn: 50_000,
        oldWorkers: 0,
        backends: [backendOf("shop", 3), backendOf("api", 2)],
        byHand: [],
        undo: "",
        certificates: [{ name: "shop.pem", ends: now + 61 * 86_400 }],
        ...changes,
    };
}

/** A backend of which some servers take no requests. */
export function backendOf(name: string, servers: number, ...lacking: string[]): Backend {
    return { name, servers, up: servers - lacking.length, lacking };
}

/** What a host says of a healthy pair, edge: lb1 is MASTER. */
export function pairAnswer(host: "lb1" | "lb2", changes: Partial<PairAnswer> = {}): PairAnswer {
    const [own, other] = host === "lb1" ? (["1", "2"] as const) : (["2", "1"] as const);
    return {
        name: "edge",
        host,
        peer: `lb${other}`,
        addresses: ["192.0.2.100/24"],
        mode: "vip",
        address: `192.0.2.${own}`,
        peerAddress: `192.0.2.${other}`,
        routerId: "51",
        role: host === "lb1" ? "MASTER" : "BACKUP",
        holds: host === "lb1" ? "all" : "none",
        since: 90_000,
        warnings: [],
        ...changes,
    };
}

/** What the hosts of a pair do, judged together: by a preview, and by status. */

/**
 * What keepalived does on a host. FAULT: it stays out, because HAProxy does not serve, the interface is down, or it is told to. WAITING: it
 * has not started, because there would be two masters. STOPPED: it does not run.
 */
export type PairState = "MASTER" | "BACKUP" | "FAULT" | "WAITING" | "STOPPED" | "UNKNOWN";

/** What one host of a pair has said. */
export interface PairRole {
    readonly host: string;
    readonly role: PairState;
    /** How many of the service addresses are on its interface. */
    readonly holds: "all" | "some" | "none";
    /** Why it is kept out: declared so, or because it has handed over for a while. @default - it is not */
    readonly outside?: "standby" | "yield";
    /** Why it has handed over. @default - not known */
    readonly reason?: string;
    /** What keepalived waits for, if it is WAITING. @default - not known */
    readonly waits?: string;
    /** Whether a converge runs there. @default false */
    readonly converging?: boolean;
    /** Where the elastic IP address leads, as this host has heard from EC2. @default - the pair has none, or it was not asked */
    readonly leads?: ElasticLead;
}

/** To the host that has asked, to its peer, to something else, or to nothing. `text` says what else, or why that is not known. */
export interface ElasticLead {
    readonly to: "own" | "peer" | "nobody" | "other" | "unknown";
    readonly text: string;
}

/** Something that is wrong in a pair, or that people should know. */
export interface PairProblem {
    /** `failing`: clients do not reach the pair, or reach both hosts. `attention`: they do, but no host could take over. */
    readonly level: "failing" | "attention" | "remark";
    readonly kind: PairProblemKind;
    /** Hosts that it is about. */
    readonly hosts: readonly string[];
    readonly text: string;
    /** What to do; empty if there is nothing to do. */
    readonly remedy: string;
}

export type PairProblemKind =
    | "both-master"
    | "address-on-no-host"
    | "address-elsewhere"
    | "address-missing"
    | "elastic-ip"
    | "no-backup"
    | "alone"
    | "standby";

/** What the judgement knows besides the roles. */
export interface PairKnown {
    /** The service addresses, as people know them. */
    readonly addresses: readonly string[];
    /** The command of an up, as people run it. */
    readonly up: string;
    /** Hosts of the pair that were asked and have not answered. @default [] */
    readonly absent?: readonly string[];
}

const PROGRAM = "/usr/local/libexec/haproxy-fleet/pair";
const JOURNAL = "journalctl -u keepalived";

/**
 * Judges what hosts of a pair have said at about the same time. Where a hand-over may be going on, ask twice: each of its moments looks like
 * a fault.
 *
 * @param roles of the hosts that have answered; of others but these and `absent` nothing is said
 */
export function pairProblems(roles: readonly PairRole[], known: PairKnown): PairProblem[] {
    return [...ofAddresses(roles, known), ...ofElasticIp(roles), ...ofBackups(roles, known)];
}

/** Who is MASTER, and who has the service addresses. */
function ofAddresses(roles: readonly PairRole[], { addresses, absent = [] }: PairKnown): PairProblem[] {
    const masters = roles.filter(({ role }) => role === "MASTER");
    const holders = roles.filter(({ holds }) => holds !== "none");
    const { them, are } = wordsOf(addresses);
    const problems: PairProblem[] = [];
    if (masters.length > 1) {
        problems.push({
            level: "failing",
            kind: "both-master",
            hosts: masters.map(({ host }) => host),
            text: `both are MASTER, so clients reach either of them`,
            remedy: "let VRRP (IP protocol 112) through between them, both ways; if it gets through, run an up: their settings differ",
        });
    }
    if (roles.length > 1 && absent.length === 0 && holders.length === 0) {
        const said = roles.map(({ host, role }) => `${host} is ${role}`).join(", ");
        problems.push({
            level: "failing",
            kind: "address-on-no-host",
            hosts: roles.map(({ host }) => host),
            text: `${them} ${are} on no host: ${said}`,
            remedy: remedyOfNobody(roles),
        });
    }
    for (const { host, role, holds } of roles) {
        if (role === "MASTER" && holds !== "all" && (holds === "some" || holders.length > 0 || roles.length === 1)) {
            problems.push({
                level: "failing",
                kind: "address-missing",
                hosts: [host],
                text: `is MASTER, but has ${holds === "some" ? "only some" : "none"} of ${them}`,
                remedy: `systemctl restart keepalived puts them on; ${JOURNAL} says why they were gone`,
            });
        }
        if (role !== "MASTER" && holds !== "none") {
            const other = masters.length > 0;
            problems.push({
                level: other ? "failing" : "attention",
                kind: "address-elsewhere",
                hosts: [host],
                text: `has ${them}, but is ${role}${other ? ", so clients reach either host" : ", so nobody would take over"}`,
                remedy: other ? `run there: ${PROGRAM} release` : "start keepalived there: systemctl start keepalived",
            });
        }
    }
    return problems;
}

function remedyOfNobody(roles: readonly PairRole[]): string {
    const is = (state: PairState) => roles.some(({ role, outside }) => role === state && outside === undefined);
    if (is("MASTER")) {
        return "run on the MASTER: systemctl restart keepalived";
    }
    if (is("FAULT")) {
        return `find out why HAProxy does not serve on the host in FAULT: ${JOURNAL}`;
    }
    if (is("STOPPED")) {
        return "start keepalived: systemctl start keepalived";
    }
    return roles.some(({ role }) => role === "BACKUP")
        ? `a BACKUP hears a MASTER that is no host of the pair: ${JOURNAL}`
        : "run an up of both hosts";
}

/** Where the elastic IP address leads. Only the MASTER's word counts: a BACKUP may have asked before the address moved. */
function ofElasticIp(roles: readonly PairRole[]): PairProblem[] {
    // One of two masters leaves the address with the other one.
    const both = roles.filter(({ role }) => role === "MASTER").length > 1;
    return roles.flatMap(({ host, role, leads }): PairProblem[] => {
        if (leads === undefined || leads.to === "own" || (both && leads.to === "peer")) {
            return [];
        }
        if (leads.to === "unknown") {
            const text = `does not know where the elastic IP address leads${leads.text === "" ? "" : `: ${leads.text}`}`;
            const remedy = "let it reach EC2's API, with a role that may move the address";
            return [{ level: "attention", kind: "elastic-ip", hosts: [host], text, remedy }];
        }
        if (role !== "MASTER") {
            return [];
        }
        const where = { peer: "its peer", nobody: "nobody", other: leads.text || "something else" }[leads.to];
        const text = `is MASTER, but the elastic IP address leads to ${where}`;
        const remedy = "journalctl -t haproxy-fleet-address says why it was not moved";
        return [{ level: "failing", kind: "elastic-ip", hosts: [host], text, remedy }];
    });
}

/** Why a host could not take over. */
function ofBackups(roles: readonly PairRole[], { absent = [], up }: PairKnown): PairProblem[] {
    const rolling = roles.some(({ converging }) => converging);
    const problems: PairProblem[] = [];
    for (const role of roles) {
        const { host } = role;
        if (role.role === "MASTER" && absent.length > 0) {
            const text = `no host could take over from it: ${absent.join(", ")} does not answer`;
            problems.push({ level: "attention", kind: "alone", hosts: [host], text, remedy: "" });
        }
        if (role.outside === "standby" && role.role !== "STOPPED") {
            problems.push({
                level: role.role === "MASTER" ? "attention" : "remark",
                kind: "standby",
                hosts: [host],
                text: role.role === "MASTER" ? "is MASTER, but shall stand by" : "stands by, as declared: it stays out",
                remedy: role.role === "MASTER" ? `${JOURNAL} says why it has not handed over` : "",
            });
            continue;
        }
        // A converge restarts keepalived, lets it wait and hands over; the remark that it runs is enough.
        const why = rolling ? undefined : whyNoBackup(role, up);
        if (why !== undefined) {
            const [text, remedy] = why;
            problems.push({ level: "attention", kind: "no-backup", hosts: [host], text, remedy });
        }
    }
    return problems;
}

function whyNoBackup(
    { role, outside, reason = "", waits = "" }: PairRole,
    up: string,
): [text: string, remedy: string] | undefined {
    switch (role) {
        case "MASTER":
        case "BACKUP":
            return undefined;
        case "FAULT":
            return outside === "yield"
                ? [
                      `has handed over and stays out for a while${reason === "" ? "" : `: ${reason}`}`,
                      `to end it, run there: ${PROGRAM} resume`,
                  ]
                : [
                      "could not take over: it is in FAULT, because HAProxy does not serve or the interface is down",
                      JOURNAL,
                  ];
        case "WAITING":
            return [
                `could not take over: keepalived waits, so that there are not two masters${waits === "" ? "" : `: ${waits}`}`,
                `${up} gives both hosts the same settings`,
            ];
        case "STOPPED":
            return ["could not take over: keepalived does not run", `${up} starts it; ${JOURNAL} says why it ended`];
        case "UNKNOWN":
            return ["it is not known whether it could take over: keepalived has not said its role", JOURNAL];
    }
}

/** `the service addresses 192.0.2.1, 192.0.2.2` */
function wordsOf(addresses: readonly string[]): { them: string; are: string } {
    const several = addresses.length > 1;
    const noun = `service address${several ? "es" : ""}`;
    return {
        them: addresses.length === 0 ? `the ${noun}` : `the ${noun} ${addresses.join(", ")}`,
        are: several ? "are" : "is",
    };
}

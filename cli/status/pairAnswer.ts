import { printable } from "../../components/convergence/text";
import type { ElasticLead, PairState } from "../../components/keepalived/judge";
import type { PairAnswer, PairWarning } from "./types";

/** The lines of an answer: the fields after each word. */
export type Lines = ReadonlyMap<string, string[][]>;

const STATES: readonly PairState[] = ["MASTER", "BACKUP", "FAULT", "WAITING", "STOPPED", "UNKNOWN"];

/** Warnings that are read of a host: keepalived repeats itself each second. */
const MOST_WARNINGS = 20;

/**
 * What the host's program `pair role` has said. Lines that this release does not know are left out.
 *
 * @returns undefined if the host is in no pair, or the program has not said in which
 */
export function pairOf(lines: Lines): PairAnswer | undefined {
    const said = saidBy(lines);
    const pair = said.find(([word]) => word === "pair");
    if (pair === undefined) {
        return undefined;
    }
    const [
        ,
        name = "",
        host = "",
        peer = "",
        addresses = "",
        mode = "",
        address = "",
        peerAddress = "",
        routerId = "",
    ] = pair;
    const [, role = "", holds = "", since = ""] = said.find(([word]) => word === "role") ?? [];
    const [, outside = "", reason] = said.find(([word]) => word === "outside") ?? [];
    const [, waits] = said.find(([word]) => word === "waits") ?? [];
    const seconds = numberOf(since);
    const [lead] = lines.get("elastic-ip")?.[0] ?? [];
    return {
        name,
        host,
        peer,
        addresses: addresses.split(" ").filter((each) => each !== ""),
        mode,
        address,
        peerAddress,
        routerId,
        role: STATES.find((state) => state === role) ?? "UNKNOWN",
        holds: holds === "all" || holds === "some" ? holds : "none",
        ...(seconds !== undefined && { since: seconds }),
        ...((outside === "standby" || outside === "yield") && { outside }),
        ...(reason !== undefined && { reason }),
        ...(waits !== undefined && { waits }),
        warnings: warningsOf(said),
        ...(lead !== undefined && { leads: leadOf(printable(lead)) }),
    };
}

/** Why a host that may be in a pair has not said what it does there. */
export function pairProblemOf(lines: Lines): string | undefined {
    const [status] = lines.get("asked-pair")?.[0] ?? [];
    if (status === undefined || status === "0" || status === "1") {
        return undefined;
    }
    return status === "124" || status === "137"
        ? "its role in the pair is not known: it did not say so within 5 s; see whether the host is overloaded"
        : `its role in the pair is not known: the question failed with status ${printable(status)}; run there: sudo /usr/local/libexec/haproxy-fleet/pair role`;
}

function saidBy(lines: Lines): string[][] {
    return (lines.get("pair-says") ?? []).map((fields) => fields.map(printable));
}

function warningsOf(said: readonly string[][]): PairWarning[] {
    const found = new Map<string, PairWarning>();
    for (const [word, text = "", ago = ""] of said) {
        if (word === "warning" && text !== "" && found.size < MOST_WARNINGS) {
            const seconds = numberOf(ago);
            found.set(text, { text, ...(seconds !== undefined && { ago: seconds }) });
        }
    }
    return [...found.values()];
}

/** What the host's program `move-address owner` has said. */
function leadOf(line: string): ElasticLead {
    const [word = "", ...rest] = line.split(" ");
    const text = rest.join(" ");
    switch (word) {
        case "own":
        case "peer":
        case "nobody":
        case "other":
        case "unknown":
            return { to: word, text };
        case "":
            return { to: "unknown", text: "the question did not end within 8 s" };
        default:
            return { to: "unknown", text: line };
    }
}

function numberOf(text: string): number | undefined {
    return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

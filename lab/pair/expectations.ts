import { type Bounds, boundsOf, type Timing } from "./bounds";
import type { Kind } from "./plan";

/** What may happen after an event. Milliseconds after its end. */
export interface Disturbance {
    /** Within which requests may fail, the address may move, and two hosts may have it. */
    readonly window: number;
    /** The longest time in the window without an owner. */
    readonly gap: number;
}

/** What is expected of a pair that meets a fault. */
export interface Expectation {
    readonly begin: Disturbance;
    readonly repair: Disturbance;
    /** Milliseconds that the fault must last, because its effects come late. */
    readonly lasting: number;
    /** How many owners there may be after the first window, until the repair. */
    readonly owners: "one" | "one or two" | "none";
    /** Whether requests on new connections may fail in the windows; those on kept ones may. */
    readonly newMayFail: boolean;
    /** Hosts that cannot serve, which must not have the address after the first window, until the repair. */
    readonly unfit: readonly string[];
    /** An up may repair it, too. */
    readonly repairedByUp: boolean;
    /** The host that must have the address in the end. @default - the one that had it before the repair */
    readonly final?: string;
    /** Whether either host may have the address in the end. */
    readonly eitherInTheEnd: boolean;
}

/** Who meets a fault. */
export interface Situation {
    readonly kind: Kind;
    /** The host that meets it. */
    readonly target: string;
    /** The host that had the address before. */
    readonly owner: string;
    /** Both, the preferred one first. */
    readonly hosts: readonly [string, string];
}

const nothing: Disturbance = { window: 0, gap: 0 };

/** What follows from a fault, by the settings of the pair. */
export function expectationOf({ kind, target, owner, hosts }: Situation, timing: Timing): Expectation {
    const bounds = boundsOf(timing);
    const immediate = timing.failback === "immediate";
    const [first] = hosts;
    const meetsOwner = target === owner;
    // The address goes back from one host that serves to the other: nobody waits for anything.
    const failback: Disturbance = immediate ? { window: bounds.returned, gap: BLINK } : nothing;
    const expected = (parts: Partial<Expectation>): Expectation => ({
        begin: nothing,
        repair: failback,
        lasting: 0,
        owners: "one",
        newMayFail: true,
        unfit: [],
        repairedByUp: true,
        ...(immediate ? { final: first } : {}),
        eitherInTheEnd: false,
        ...parts,
    });
    const lost = (begin: Disturbance, host = target) => expected({ begin, unfit: [host] });
    /** HAProxy fails on the owner: nobody has the address from when that is noticed until the other one takes it. */
    const unhealthy = { window: bounds.noticed + bounds.resigned, gap: bounds.resigned };
    const silent = { window: bounds.silent, gap: bounds.silent };
    /** systemd starts the program again, so that the address may come back by itself. */
    const andBack = ({ window, gap }: Disturbance) => ({ window: window + (immediate ? bounds.returned : 0), gap });
    if (kind === "disk full") return lost(unhealthy, owner);
    if (kind === "VRRP cut both ways")
        return expected({
            repair: settling(bounds),
            lasting: bounds.silent,
            owners: "one or two",
            repairedByUp: false,
            eitherInTheEnd: !immediate,
        });
    if (kind === "started at once") {
        const start = { window: bounds.returned, gap: bounds.returned };
        return expected({ repair: start, owners: "none", eitherInTheEnd: !immediate });
    }
    if (kind === "VRRP cut one way") {
        // Who does not hear the owner becomes MASTER. The owner hears that, four times, and resigns.
        const window = bounds.silent + bounds.heard + bounds.resigned;
        return expected({
            begin: meetsOwner ? nothing : { window, gap: BLINK },
            repair: settling(bounds),
            lasting: meetsOwner ? bounds.silent : window + BLINK,
            repairedByUp: false,
            eitherInTheEnd: !immediate,
        });
    }
    if (kind === "handed over") {
        const handOver = { window: bounds.resigned, gap: bounds.resigned };
        return expected({ ...(meetsOwner ? { begin: handOver } : {}), newMayFail: false, unfit: [target] });
    }
    if (!meetsOwner)
        return expected({ unfit: kind === "haproxy killed" || kind === "keepalived killed" ? [] : [target] });
    switch (kind) {
        case "haproxy killed":
            return expected({ begin: andBack(unhealthy), repair: nothing, eitherInTheEnd: !immediate });
        case "haproxy stopped":
        case "haproxy wedged":
            return lost(unhealthy);
        case "keepalived killed":
            return expected({ begin: andBack(silent), repair: nothing, eitherInTheEnd: !immediate });
        case "keepalived stopped":
            return lost({ window: bounds.resigned, gap: bounds.resigned });
        case "power cut":
        case "cable pulled":
            return lost(silent);
    }
}

/** Milliseconds without an answer that count as none: a machine with few processors answers a question late at times. */
export const BLINK = 150;

/** Two who hear each other again: the one with the lower priority resigns. */
const settling = (bounds: Bounds): Disturbance => ({ window: bounds.returned, gap: BLINK });

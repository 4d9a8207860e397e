import type { Host } from "../host";
import type { Lab } from "../lab";
import { sleep } from "../machine/exec";
import type { Timing } from "./bounds";
import { Clients } from "./clients";
import { expectationOf } from "./expectations";
import { faultOf } from "./faults";
import { now, type Time } from "./history";
import type { FaultRecord, History } from "./historyFile";
import { Observer } from "./observer";
import { type Outcome, outcomeOf } from "./outcome";
import type { Planned } from "./plan";

/** A pair that runs on hosts of a lab, and that faults can meet. */
export interface Subject {
    readonly lab: Lab;
    /** Both, the preferred one first. */
    readonly hosts: readonly [Host, Host];
    /** The service address. */
    readonly address: string;
    readonly timing: Timing;
    /** Whether one host is MASTER, and the other one can take over. */
    ready(): Promise<boolean>;
    /** Converges both hosts. Returns what came of it, in words, also if it has failed. @default - nothing converges this pair */
    up?(): Promise<string>;
    /** Whether status says that both are MASTER. @default - it is not asked */
    tellsTwo?(): Promise<boolean>;
}

/** Milliseconds that the pair is watched when nothing is expected to change, or when what was expected has happened. */
const WATCHED = 1000;

/** Milliseconds that clients wait. Linux sends a lost SYN again after 1 s and 3 s, so a planned hand-over may cost that, and no failure. */
const CLIENT_PATIENCE = 5000;

/** Milliseconds until a pair has one owner that has just been started. */
const START_PATIENCE = 15_000;

/** Milliseconds that a fault waits for the up in the middle of it. */
const UP_PATIENCE = 15_000;

/** Milliseconds to wait for calm beyond the bound. */
const PATIENCE = 30_000;

/** Does to a pair what a plan says, while clients make requests and an observer asks who has the address. */
export class Nemesis {
    private constructor(
        private readonly subject: Subject,
        private readonly observer: Observer,
    ) {}

    /**
     * Runs a plan. Stops early if the pair does not become calm after a repair: what follows would say nothing.
     *
     * @param seed of the plan, for the history
     * @param told called after each fault
     */
    static async run(
        subject: Subject,
        planned: readonly Planned[],
        seed: number,
        told: (outcome: Outcome, number: number) => void = () => {},
    ): Promise<History> {
        const observer = await Observer.start(subject.lab, subject.address, subject.hosts);
        let clients: Clients | undefined;
        const faults: FaultRecord[] = [];
        try {
            const sound = await observer.owner(undefined, WATCHED, START_PATIENCE).catch(() => undefined);
            observer.samples.length = 0;
            clients = new Clients({ address: subject.address, timeout: CLIENT_PATIENCE });
            const nemesis = new Nemesis(subject, observer);
            await sleep(WATCHED);
            // Otherwise the samples of this second show what is wrong.
            for (const [index, fault] of sound ? planned.entries() : []) {
                const record = await nemesis.meet(fault);
                faults.push(record);
                told(outcomeOf(record, observer.samples, clients.requests), index + 1);
                if (record.calm === undefined) break;
            }
            await sleep(WATCHED);
        } finally {
            await clients?.stop();
            await observer.stop();
        }
        const [first, second] = subject.hosts;
        return {
            seed,
            timing: subject.timing,
            hosts: [first.name, second.name],
            tells: subject.tellsTwo !== undefined,
            samples: observer.samples,
            requests: clients?.requests ?? [],
            faults,
        };
    }

    private async meet({ kind, on, up }: Planned): Promise<FaultRecord> {
        const { hosts, timing } = this.subject;
        const [first, second] = hosts;
        const owner = (await this.observer.owner()) === first.name ? first : second;
        const target = on === "owner" ? owner : owner === first ? second : first;
        const names = [first.name, second.name] as const;
        const expected = expectationOf({ kind, target: target.name, owner: owner.name, hosts: names }, timing);
        const fault = faultOf(kind, { target, owner, both: hosts });
        const converge = up === undefined ? undefined : this.converge(Math.max(0, up));
        if (converge && up !== undefined && up < 0) await sleep(-up);
        const begin = now();
        await fault.begin();
        const began = now();
        const fit = () => {
            const { owners } = this.observer;
            if (expected.owners === "none") return owners.length === 0;
            return owners.length > 0 && !owners.some((name) => expected.unfit.includes(name));
        };
        await sleep(expected.lasting);
        await this.lasts(fit, expected.begin.window + WATCHED);
        const told = kind === "VRRP cut both ways" ? await this.subject.tellsTwo?.() : undefined;
        // An up may wait for what is repaired now.
        if (converge) await Promise.race([converge, sleep(UP_PATIENCE)]);
        const repair = now();
        await fault.repair();
        const repaired = now();
        const converged = await converge;
        const calm = await this.calm(expected.final, expected.repair.window);
        return {
            ...{ kind, target: target.name, owner: owner.name, begin, began, repair, repaired },
            ...(calm === undefined ? {} : { calm }),
            ...(converged ? { up: converged } : {}),
            ...(told === undefined ? {} : { told }),
        };
    }

    private async converge(delay: number): Promise<FaultRecord["up"]> {
        if (!this.subject.up) return undefined;
        await sleep(delay);
        const start = now();
        const result = await this.subject.up();
        return { start, end: now(), result };
    }

    /** Waits until something has been so for a while, at most for some milliseconds. */
    private async lasts(met: () => boolean, longest: number): Promise<void> {
        const end = now() + longest;
        for (let since = now(); now() < end && now() - since < WATCHED; await sleep(20)) if (!met()) since = now();
    }

    /** Waits until the pair is ready for the next fault. Returns since when, or undefined if it is not. */
    private async calm(final: string | undefined, window: number): Promise<Time | undefined> {
        const end = now() + window + PATIENCE;
        const alone = () => this.observer.owners.length === 1 && (!final || this.observer.owners[0] === final);
        for (; now() < end; await sleep(100)) {
            if (!alone() || !(await this.subject.ready())) continue;
            const since = now();
            await this.lasts(alone, WATCHED);
            if (alone() && (await this.subject.ready())) return since;
        }
        return undefined;
    }
}

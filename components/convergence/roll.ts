import * as pulumi from "@pulumi/pulumi";
import type { SeenRole } from "./preview/whyRun";

/**
 * What a host's answer means for its fleet:
 * - `rolls`: it serves, and something that was declared anew is due
 * - `atOnce`: something else is due, such as its first converge, or the repair of drift
 * - `unchanged`: nothing is due
 * - `refuses`: it cannot have what is declared
 * - `later`: a preview cannot ask it yet
 * - `away`: it cannot be asked
 */
export type Role = "rolls" | "atOnce" | "unchanged" | "refuses" | "later" | "away";

/** What else counts of a host's answer. */
export interface Standing {
    /** Whether the host has what is declared, apart from drift. @default false */
    readonly isCurrent?: boolean;
    /** What it is among hosts that share a service address. @default - it shares none */
    readonly seen?: SeenRole;
    /** Why its change needs all hosts of the fleet in one up. @default - it does not */
    readonly together?: string;
}

/** Whether a host's turn has come. */
export interface Turn {
    /** Hosts that refuse what is declared, so that nothing of the fleet is changed. */
    readonly refusedBy: readonly string[];
    /** Whether a host before it has failed, so that it stays as it is. */
    readonly isStopped: boolean;
    /** Hosts without which it must not change. @default - none */
    readonly without?: { readonly hosts: readonly string[]; readonly because: "away" | "untouched" };
}

/** The hosts of a fleet that share a service address, once all were asked. */
export interface RollAnswers {
    /** Those that have said what they are. */
    readonly roles: readonly (SeenRole & { readonly host: string })[];
    /** Those that could not be asked. */
    readonly absent: readonly string[];
}

/** What a roll does besides keeping the order. */
export interface RollOptions {
    /** Returns warnings about the hosts together; they are shown as those of the fleet, in previews and in ups. @default - none */
    readonly judge?: (answers: RollAnswers) => readonly string[];
}

/**
 * The order in which the hosts of a fleet are converged: all are asked before the first is changed, and those that serve change one
 * after the other. A host that has the service address changes last, and alone: as long as it works, the others may fail. The order
 * lives in the program. Dependencies between the commands would do the same, but a saved plan would break when they change, and an up of
 * one target if another host is new.
 */
export class Roll {
    private readonly roles = new Map<string, Role>();
    private readonly standings = new Map<string, Standing>();
    private readonly ends = new Map<string, Event<boolean>>();
    private readonly allAsked = new Event<void>();
    private readonly stopped: string[] = [];
    private readonly untouched = new Set<string>();
    private failed?: string;

    /**
     * @param fleet its component, which shows messages
     * @param name of the fleet, for messages
     * @param hosts in the order in which they change
     */
    constructor(
        private readonly fleet: pulumi.Resource,
        private readonly name: string,
        private readonly hosts: readonly string[],
        private readonly options: RollOptions = {},
    ) {}

    /**
     * Notes what a host has answered; only its first answer counts. Resolves in its turn: once all hosts have been asked, and in an up
     * once the host before it has ended.
     */
    async turn(host: string, role: Role, standing: Standing = {}): Promise<Turn> {
        if (!this.roles.has(host)) {
            this.roles.set(host, role);
            this.standings.set(host, standing);
            if (this.roles.size === this.hosts.length) {
                this.judge();
                this.announce();
                this.allAsked.happen();
            }
        }
        await this.allAsked.past;
        const refusedBy = this.withRole("refuses");
        const away = this.missedBy(host);
        if (away.length > 0) {
            return { refusedBy, isStopped: false, without: { hosts: away, because: "away" } };
        }
        const order = this.order();
        const before = order.slice(0, Math.max(order.indexOf(host), 0));
        const last = before.at(-1);
        if (last === undefined || refusedBy.length > 0 || pulumi.runtime.isDryRun()) {
            return { refusedBy, isStopped: false };
        }
        const isStopped = !(await this.endOf(last).past);
        if (isStopped) {
            this.stopped.push(host);
            this.endOf(host).happen(false);
            if (host === order.at(-1)) {
                this.sayWhatIsLeft();
            }
        }
        const untouched = before.filter((other) => this.untouched.has(other));
        return isStopped || untouched.length === 0 || this.standings.get(host)?.together === undefined
            ? { refusedBy, isStopped }
            : { refusedBy, isStopped, without: { hosts: untouched, because: "untouched" } };
    }

    /** Lets no host wait for one that has failed before it could be asked, nor for those after it, which do not exist then. */
    cancel(failed: string): void {
        for (const host of this.hosts.slice(this.hosts.indexOf(failed))) {
            void this.turn(host, host === failed ? "refuses" : "away");
        }
    }

    /**
     * Notes how the converge of a host has ended.
     *
     * @param wasTarget whether the engine has changed the host at all
     */
    ended(host: string, succeeded: boolean, wasTarget = true): void {
        if (!succeeded && this.order().includes(host)) {
            this.failed ??= host;
        }
        if (!wasTarget) {
            this.untouched.add(host);
        }
        this.endOf(host).happen(succeeded);
    }

    /** The hosts that change one after the other, once all have been asked. */
    private order(): string[] {
        const due = this.hosts.filter(
            (host) => this.missedBy(host).length === 0 && ["rolls", "atOnce"].includes(this.roles.get(host) ?? ""),
        );
        const last = due.filter((host) => this.carries(host) !== undefined);
        return last.length > 0 && due.length > 1
            ? [...due.filter((host) => !last.includes(host)), ...last]
            : due.filter((host) => this.roles.get(host) === "rolls");
    }

    /** The hosts that are away although this one must not change without them. */
    private missedBy(host: string): string[] {
        return this.standings.get(host)?.together === undefined ? [] : this.withRole("away");
    }

    /** Why a host changes last, for messages. */
    private carries(host: string): string | undefined {
        const { role, holds = "none" } = this.standings.get(host)?.seen ?? {};
        return holds !== "none" ? "has the service address" : role === "MASTER" ? "is MASTER" : undefined;
    }

    private endOf(host: string): Event<boolean> {
        const end = this.ends.get(host) ?? new Event<boolean>();
        this.ends.set(host, end);
        return end;
    }

    private judge(): void {
        const roles = this.hosts.flatMap((host) => {
            const seen = this.standings.get(host)?.seen;
            return seen === undefined ? [] : [{ host, ...seen }];
        });
        for (const warning of this.options.judge?.({ roles, absent: this.withRole("away") }) ?? []) {
            void pulumi.log.warn(`${this.name}: ${warning}`, this.fleet);
        }
    }

    /** Says in a preview in which order hosts change, and how far an unfinished roll has come. */
    private announce(): void {
        const order = this.order();
        const isRefused = this.withRole("refuses").length > 0;
        if (order.length === 0 || this.hosts.length === 1 || isRefused || !pulumi.runtime.isDryRun()) {
            return;
        }
        const done = this.hosts.filter((host) => this.standings.get(host)?.isCurrent).length;
        const have = done === 1 ? "has" : "have";
        const ahead = done === 0 ? "" : `${done} of ${this.hosts.length} hosts ${have} the new configuration; `;
        const named = order.map((host) => {
            const carries = this.carries(host);
            return carries === undefined ? host : `${host}, which ${carries}`;
        });
        const changes = order.length === 1 ? named[0] : `${named.join(", then ")}, and stops if one fails`;
        void pulumi.log.info(`${this.name}: ${ahead}an up changes ${changes}`, this.fleet);
    }

    private sayWhatIsLeft(): void {
        const were = this.stopped.length === 1 ? "was" : "were";
        const left = `${this.stopped.join(", ")} ${were} not changed`;
        const remedy = "correct the cause, then run up again";
        void pulumi.log.error(`${this.name}: ${this.failed} failed, so ${left}; ${remedy}`, this.fleet);
    }

    private withRole(role: Role): string[] {
        return this.hosts.filter((host) => this.roles.get(host) === role);
    }
}

/**
 * Why a host must not change alone, and what to do.
 *
 * @param together see {@link Standing}
 */
export function apartText(name: string, together: string, { hosts, because }: NonNullable<Turn["without"]>): string {
    const others = hosts.join(", ");
    const why =
        because === "away"
            ? `${others} cannot be asked; make sure that it answers, then run up again`
            : `this up leaves ${others} alone; run up without --target`;
    return `${name}: nothing changes here, because ${together}, which all hosts must get in one up, and ${why}`;
}

/** Something that happens once. */
class Event<T> {
    /** Resolves when it has happened. */
    readonly past: Promise<T>;
    happen: (value: T) => void = () => {};

    constructor() {
        this.past = new Promise((resolve) => {
            this.happen = resolve;
        });
    }
}

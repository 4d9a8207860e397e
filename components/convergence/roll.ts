import * as pulumi from "@pulumi/pulumi";

/**
 * What a host's answer means for its fleet:
 * - `rolls`: it serves, and something that was declared anew is due
 * - `atOnce`: something else is due, such as its first converge, or the repair of drift
 * - `unchanged`: nothing is due
 * - `refuses`: it cannot have what is declared
 * - `away`: it cannot be asked
 */
export type Role = "rolls" | "atOnce" | "unchanged" | "refuses" | "away";

/** Whether a host's turn has come. */
export interface Turn {
    /** Hosts that refuse what is declared, so that nothing of the fleet is changed. */
    readonly refusedBy: readonly string[];
    /** Whether a host before it has failed, so that it stays as it is. */
    readonly isStopped: boolean;
}

/**
 * The order in which the hosts of a fleet are converged: all are asked before the first is changed, and those that serve change one
 * after the other. The order lives in the program. Dependencies between the commands would do the same, but a saved plan would break
 * when they change, and an up of one target if another host is new.
 */
export class Roll {
    private readonly roles = new Map<string, Role>();
    private readonly current = new Set<string>();
    private readonly ends = new Map<string, Event<boolean>>();
    private readonly allAsked = new Event<void>();
    private readonly stopped: string[] = [];
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
    ) {}

    /**
     * Notes what a host has answered; only its first answer counts. Resolves in its turn: once all hosts have been asked, and in an up
     * once the host before it has ended.
     *
     * @param isCurrent whether the host has what is declared, apart from drift
     */
    async turn(host: string, role: Role, isCurrent = false): Promise<Turn> {
        if (!this.roles.has(host)) {
            this.roles.set(host, role);
            if (isCurrent) {
                this.current.add(host);
            }
            if (this.roles.size === this.hosts.length) {
                this.announce();
                this.allAsked.happen();
            }
        }
        await this.allAsked.past;
        const refusedBy = this.withRole("refuses");
        const order = this.withRole("rolls");
        const before = order[order.indexOf(host) - 1];
        if (before === undefined || refusedBy.length > 0 || pulumi.runtime.isDryRun()) {
            return { refusedBy, isStopped: false };
        }
        const isStopped = !(await this.endOf(before).past);
        if (isStopped) {
            this.stopped.push(host);
            this.endOf(host).happen(false);
            if (host === order.at(-1)) {
                this.sayWhatIsLeft();
            }
        }
        return { refusedBy, isStopped };
    }

    /** Lets no host wait for one that has failed before it could be asked, nor for those after it, which do not exist then. */
    cancel(failed: string): void {
        for (const host of this.hosts.slice(this.hosts.indexOf(failed))) {
            void this.turn(host, host === failed ? "refuses" : "away");
        }
    }

    /** Notes how the converge of a host has ended. */
    ended(host: string, succeeded: boolean): void {
        if (!succeeded && this.roles.get(host) === "rolls") {
            this.failed ??= host;
        }
        this.endOf(host).happen(succeeded);
    }

    private endOf(host: string): Event<boolean> {
        const end = this.ends.get(host) ?? new Event<boolean>();
        this.ends.set(host, end);
        return end;
    }

    /** Says in a preview in which order hosts change, and how far an unfinished roll has come. */
    private announce(): void {
        const order = this.withRole("rolls");
        const isRefused = this.withRole("refuses").length > 0;
        if (order.length === 0 || this.hosts.length === 1 || isRefused || !pulumi.runtime.isDryRun()) {
            return;
        }
        const done = this.current.size;
        const have = done === 1 ? "has" : "have";
        const ahead = done === 0 ? "" : `${done} of ${this.hosts.length} hosts ${have} the new configuration; `;
        const changes = order.length === 1 ? order[0] : `${order.join(", then ")}, and stops if one fails`;
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

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

/** When one host of a fleet is converged. */
export interface Turn {
    /** Commands of other hosts that must have succeeded before. */
    readonly after: readonly pulumi.Resource[];
    /** Hosts that refuse what is declared, so that nothing of the fleet is changed. */
    readonly refusedBy: readonly string[];
}

/** Converges the hosts of a fleet in order: all are asked before the first is changed, and those that serve change one by one. */
export class Roll {
    private readonly roles = new Map<string, Role>();
    private readonly commands = new Map<string, pulumi.Resource>();
    private readonly ends = new Map<string, boolean>();
    private readonly allAsked: Promise<void>;
    private lastAsked = () => {};

    /**
     * @param name of the fleet, for messages
     * @param hosts in the order in which they change
     */
    constructor(
        private readonly fleet: pulumi.Resource,
        private readonly name: string,
        private readonly hosts: readonly string[],
    ) {
        this.allAsked = new Promise((resolve) => {
            this.lastAsked = resolve;
        });
    }

    /** Notes the command that converges a host. */
    join(host: string, command: pulumi.Resource): void {
        this.commands.set(host, command);
    }

    /** Notes what a host has answered; only its first answer counts. Resolves once all hosts of the fleet have been asked. */
    async turn(host: string, role: Role): Promise<Turn> {
        if (!this.roles.has(host)) {
            this.roles.set(host, role);
            if (this.roles.size === this.hosts.length) {
                this.announce();
                this.lastAsked();
            }
        }
        await this.allAsked;
        const order = this.withRole("rolls");
        const before = this.commands.get(order[order.indexOf(host) - 1] ?? "");
        return { after: before === undefined ? [] : [before], refusedBy: this.withRole("refuses") };
    }

    /** Notes how the converge of a host in the order has ended. Says which hosts were not changed because another has failed. */
    ended(host: string, succeeded: boolean): void {
        const order = this.withRole("rolls");
        this.ends.set(host, succeeded);
        const failed = order.findIndex((each) => this.ends.get(each) === false);
        const left = order.slice(failed + 1);
        if (failed < 0 || left.length === 0 || !left.every((each) => this.ends.has(each))) {
            return;
        }
        const were = left.length === 1 ? "was" : "were";
        const remedy = "correct what it says, then run up again";
        const text = `${this.name}: ${order[failed]} failed, so ${left.join(", ")} ${were} not changed; ${remedy}`;
        void pulumi.log.error(text, this.fleet);
    }

    /** Whether a host waits for another one that has failed. */
    isStopped(host: string): boolean {
        const order = this.withRole("rolls");
        return order.slice(0, order.indexOf(host)).some((each) => this.ends.get(each) === false);
    }

    /** Says in a preview in which order hosts change, and how far an unfinished roll has come. */
    private announce(): void {
        const order = this.withRole("rolls");
        if (order.length === 0 || this.hosts.length === 1 || !pulumi.runtime.isDryRun()) {
            return;
        }
        const done = this.withRole("unchanged").length;
        const have = done === 1 ? "has" : "have";
        const ahead = done === 0 ? "" : `${done} of ${this.hosts.length} hosts ${have} the new configuration; `;
        const changes = order.length === 1 ? order[0] : `${order.join(", then ")}, and stops if one fails`;
        void pulumi.log.info(`${this.name}: ${ahead}an up changes ${changes}`, this.fleet);
    }

    private withRole(role: Role): string[] {
        return this.hosts.filter((host) => this.roles.get(host) === role);
    }
}

import { sleep } from "../../lab/machine/exec";
import { ask } from "./traffic";

/** Requests a page again and again, and notes for how long it gets no 200. */
export class Watch {
    private over = false;
    private longest = 0;
    private readonly ended: Promise<void>;
    /** Requests that got a 200. */
    answered = 0;
    /** Requests that got something else, or nothing. */
    failed = 0;

    constructor(address: string) {
        this.ended = this.run(address);
    }

    private async run(address: string): Promise<void> {
        let good = Date.now();
        while (!this.over) {
            const asked = Date.now();
            const status = await ask(address).then(
                (answer) => answer.status,
                () => 0,
            );
            if (status === 200) {
                // A slow machine alone is no outage: only failed requests count.
                good = Date.now();
                this.answered++;
            } else {
                this.failed++;
                this.longest = Math.max(this.longest, Date.now() - good);
            }
            await sleep(Math.max(0, 20 - (Date.now() - asked)));
        }
    }

    /** Ends the requests. Returns the longest outage, in seconds. */
    async stop(): Promise<number> {
        this.over = true;
        await this.ended;
        return this.longest / 1000;
    }
}

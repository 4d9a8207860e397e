/** Waits for hosts that are still booting. */
import { setTimeout as sleep } from "node:timers/promises";
import { SshError } from "./errors";

/** How long a host may refuse connections or not answer, in seconds: about as long as the command plugin dials. */
const usualSeconds = 30;

/** Waits between attempts, as those of the command plugin: 0.1 s, then longer. In milliseconds. */
const waits = { first: 100, factor: 1.5, most: 5_000 };

/**
 * Repeats an attempt to reach a host while the host fails as one that is still booting does.
 *
 * @param waiting is called once, with the reason for which the host cannot be reached yet
 * @param seconds for which attempts are repeated
 * @throws SshError of the last attempt
 */
export async function untilBooted<T>(
    attempt: () => Promise<T>,
    waiting: (reason: SshError) => void,
    seconds: number = usualSeconds,
): Promise<T> {
    const began = performance.now();
    for (let wait = waits.first, tries = 1; ; wait = Math.min(wait * waits.factor, waits.most), tries++) {
        try {
            return await attempt();
        } catch (error) {
            const left = seconds * 1000 - (performance.now() - began);
            if (!(error instanceof SshError && error.transient) || left <= 0) {
                throw error;
            }
            if (tries === 1) {
                waiting(error);
            }
            await sleep(Math.min(wait, left));
        }
    }
}

import type { PairSettings } from "../../components/keepalived/types";

/** What the bounds follow from, in seconds. */
export interface Timing {
    readonly failback: PairSettings["failback"];
    /** Between two adverts. */
    readonly advertise: number;
    /** Between two checks. */
    readonly interval: number;
    readonly fall: number;
    readonly rise: number;
    /** Within which a check ends, even if HAProxy does not answer. */
    readonly timeout: number;
    readonly priorities: readonly [number, number];
    /** Between the death of keepalived and its next start. */
    readonly restart: number;
    /** What is granted beyond the settings to programs that start and to a machine with few processors. */
    readonly slack: number;
}

/** Timing of settings, with the defaults of PairSettings. */
export function timingOf(settings: PairSettings, given: Pick<Timing, "timeout"> & Partial<Timing>): Timing {
    const { failback, advertise = 1, check = {}, priorities = [101, 100] } = settings;
    const { interval = 2, fall = 2, rise = 2 } = check;
    return { failback, advertise, interval, fall, rise, priorities, restart: 1, slack: 1.5, ...given };
}

/** Longest times, in milliseconds. */
export interface Bounds {
    /**
     * Until the BACKUP takes over from a MASTER that resigns, by an advert with priority 0 (RFC 3768, 6.4.2: after its skew time, which is
     * (256 - priority) / 256 s in version 2).
     */
    readonly resigned: number;
    /** Until the BACKUP takes over from a MASTER that is silent: three intervals and the skew time. */
    readonly silent: number;
    /** Until a MASTER that hears another one with a lower priority knows that it is not heard itself: four intervals. */
    readonly heard: number;
    /** Until a failing check has made the MASTER resign: the checks that must fail, and the time of the last one. */
    readonly noticed: number;
    /** Until a host that serves again is BACKUP, or with failback immediate MASTER. */
    readonly returned: number;
}

export function boundsOf({ advertise, interval, fall, rise, timeout, priorities, restart, slack }: Timing): Bounds {
    const skew = (256 - Math.min(...priorities)) / 256;
    const silent = 3 * advertise + skew;
    const ms = (seconds: number) => Math.round((seconds + slack) * 1000);
    return {
        resigned: ms(skew),
        silent: ms(silent),
        heard: ms(4 * advertise),
        noticed: ms(fall * interval + timeout),
        returned: ms(restart + rise * interval + timeout + silent),
    };
}

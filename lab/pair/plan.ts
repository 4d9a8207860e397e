/** What can happen to a pair. Each has its repair in faults.ts, and what is expected of the pair in expectations.ts. */
export const kinds = [
    /** All processes of HAProxy are killed. systemd starts it again. */
    "haproxy killed",
    /** HAProxy's unit is stopped: nobody starts it again. */
    "haproxy stopped",
    /** All processes of HAProxy are stopped by SIGSTOP: its ports accept connections, and no answer comes. */
    "haproxy wedged",
    /** All processes of keepalived are killed. systemd starts it again. */
    "keepalived killed",
    /** keepalived's unit is stopped. */
    "keepalived stopped",
    "power cut",
    "cable pulled",
    /** One host hears no adverts any more, and is heard. */
    "VRRP cut one way",
    /** Neither host hears the other one's adverts. */
    "VRRP cut both ways",
    /** keepalived is stopped on both hosts, then started on both at the same time. */
    "started at once",
    /** /run and /var of a host are full, and HAProxy stops on the owner of the address. */
    "disk full",
] as const;

/** `handed over`: no fault. An administrator has the owner hand over before work on it, and then take part again. */
export type Kind = (typeof kinds)[number] | "handed over";

/** One fault of a run. */
export interface Planned {
    readonly kind: Kind;
    /** Which host it meets: the one that has the address then, or the other one. */
    readonly on: "owner" | "other";
    /**
     * When an up starts, in milliseconds after the fault; negative: before, so that the fault comes in the middle of the converge.
     * @default - there is none
     */
    readonly up?: number;
}

/** Random numbers from 0 to 1 that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

/**
 * The faults of a run, in order. The same arguments give the same faults. Every kind comes before one comes again, two times in three on
 * the owner.
 *
 * @param upShare part of the faults that come with an up, 0 to 1
 */
export function plan(faults: number, seed: number, upShare: number, among: readonly Kind[] = kinds): Planned[] {
    const random = randomFrom(seed);
    const planned: Planned[] = [];
    let bag: Kind[] = [];
    while (planned.length < faults) {
        if (bag.length === 0) bag = [...among];
        const [kind] = bag.splice(Math.floor(random() * bag.length), 1);
        const on = random() < 2 / 3 ? "owner" : "other";
        const [withUp, when] = [random() < upShare, Math.round(random() * 8000 - 6000)];
        if (kind) planned.push({ kind, on, ...(withUp ? { up: when } : {}) });
    }
    return planned;
}

/** Work of a kind that is under way for one place, and who waits to begin with it. */
interface Door {
    inside: number;
    waiting: (() => void)[];
}

/** Lets at most so many pieces of work go on at once for each place, in the order in which they come. */
export class Turns {
    private readonly doors = new Map<string, Door>();

    constructor(private readonly atOnce: number) {}

    async take<T>(place: string, work: () => Promise<T>): Promise<T> {
        const door = this.doors.get(place) ?? { inside: 0, waiting: [] };
        this.doors.set(place, door);
        if (door.inside >= this.atOnce) {
            await new Promise<void>((resolve) => door.waiting.push(resolve));
        } else {
            door.inside += 1;
        }
        try {
            return await work();
        } finally {
            const next = door.waiting.shift();
            if (next) {
                next();
            } else {
                door.inside -= 1;
            }
        }
    }
}

/** Cleans up when this process ends, also by a signal. */

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The latest first: processes that work in a folder end before it is removed. */
const pending: (() => void)[] = [];

function undoAll(): void {
    for (const undo of pending.splice(0)) {
        try {
            undo();
        } catch {
            // The others still have to be done, and the process ends without a message.
        }
    }
}

const ends = Object.entries(SIGNALS).map(([signal, status]) => [signal, () => process.exit(status)] as const);

/**
 * Does something when this process ends, also by a signal. It must be synchronous: nothing is waited for.
 *
 * @returns a function that does it now, unless it is done, and throws what it throws
 */
export function atEnd(undo: () => void): () => void {
    if (pending.length === 0) {
        process.on("exit", undoAll);
        for (const [signal, end] of ends) {
            process.on(signal, end);
        }
    }
    pending.unshift(undo);
    return () => {
        const at = pending.indexOf(undo);
        if (at < 0) {
            return;
        }
        pending.splice(at, 1);
        if (pending.length === 0) {
            process.off("exit", undoAll);
            for (const [signal, end] of ends) {
                process.off(signal, end);
            }
        }
        undo();
    };
}

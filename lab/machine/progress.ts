/** Milliseconds before a step's first line, and between its lines if the output is not a terminal. */
const SLOW = 2_000;
const HEARTBEAT = 15_000;
/** Milliseconds. A step that ends sooner had nothing to do. */
const NOTHING = 100;

const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Shows a step and its elapsed time on stderr. On a terminal one line updates itself; elsewhere there is a line after 2 s, then every
 * 15 s, and at the end. A step that had nothing to do shows nothing.
 */
export async function step<T>(label: string, work: (note: (text: string) => void) => Promise<T>): Promise<T> {
    const start = Date.now();
    const terminal = process.stderr.isTTY === true;
    let detail = "";
    let next = start + SLOW;
    const timer = setInterval(() => {
        const line = `${label} … ${seconds(start)}${detail ? `  ${detail}` : ""}`;
        if (terminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
        else if (Date.now() >= next) {
            next += HEARTBEAT;
            process.stderr.write(`${line}\n`);
        }
    }, 200);
    let outcome = "failed after";
    try {
        const value = await work((text) => {
            detail = text;
        });
        outcome = "done in";
        return value;
    } finally {
        clearInterval(timer);
        if (Date.now() - start >= NOTHING)
            process.stderr.write(`${terminal ? "\r\x1b[K" : ""}${label}: ${outcome} ${seconds(start)}\n`);
    }
}

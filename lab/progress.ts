const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Shows a step and its elapsed time on stderr: one line that updates itself on a terminal, elsewhere one line when the step turns
 * out to take more than two seconds and one at its end.
 */
export async function step<T>(label: string, work: (note: (text: string) => void) => Promise<T>): Promise<T> {
    const start = Date.now();
    const terminal = process.stderr.isTTY === true;
    let detail = "";
    let announced = false;
    const draw = () => {
        const line = `${label} … ${seconds(start)}${detail ? `  ${detail}` : ""}`;
        process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    };
    const timer = setInterval(() => {
        if (terminal) draw();
        else if (!announced && Date.now() - start >= 2000) {
            announced = true;
            process.stderr.write(`${label} …\n`);
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
        process.stderr.write(`${terminal ? "\r\x1b[K" : ""}${label}: ${outcome} ${seconds(start)}\n`);
    }
}

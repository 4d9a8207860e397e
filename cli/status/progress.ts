import { cut, escaped, some } from "./words";

/** Milliseconds after which people want to know what a command does. */
const PATIENCE = 2_000;

/** A line on a terminal that says what a command waits for. */
export interface Progress {
    /** Replaces the line. */
    say(text: string): void;
    /** Removes the line. */
    end(): void;
}

/**
 * Shows progress on a stream if it is a terminal, and if it takes over two seconds.
 *
 * @param patience in milliseconds @default 2000
 */
export function progressOn(
    stream: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown },
    patience = PATIENCE,
): Progress {
    let [text, isShown] = ["", false];
    const show = () => {
        isShown = true;
        // A line that is wrapped could not be removed.
        stream.write(`\r\x1b[K${cut(text, (stream.columns || 80) - 1)}`);
    };
    const timer = stream.isTTY ? setTimeout(show, patience) : undefined;
    timer?.unref();
    return {
        say(words) {
            text = words;
            if (isShown) {
                show();
            }
        },
        end() {
            clearTimeout(timer);
            if (isShown) {
                stream.write("\r\x1b[K");
            }
            isShown = false;
        },
    };
}

/** Which hosts have not answered yet. */
export function waitingFor(waiting: readonly string[], all: number): string {
    return `${all - waiting.length} of ${all} hosts asked, waiting for ${escaped(some(waiting))}`;
}

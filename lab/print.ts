import { Writable } from "node:stream";

const terminal = process.stdout.isTTY === true;
/** https://no-color.org: any value that is not empty. */
export const coloured = terminal && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

const ESCAPES = /\x1b\[[0-9;]*[A-Za-z]/g;
export const plain = (text: string) => text.replace(ESCAPES, "");

export const seconds = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

let blank = false;

/** Prints a line. Merges consecutive blank lines. */
export function say(text = ""): void {
    if (text !== "" || !blank) process.stdout.write(`${text}\n`);
    blank = text === "";
}

/** To be called after others have printed: the next blank line is printed. */
export function othersWrote(): void {
    blank = false;
}

/** Prints text indented, in lines that fit the terminal. */
export function paragraph(text: string): void {
    const width = Math.min(process.stdout.columns || 80, 120) - 3;
    for (const line of text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)`, "g")) ?? []) say(`  ${line}`);
}

/** Prints rows in columns under a head. Cells may be coloured. */
export function table(head: string[], rows: string[][]): void {
    const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => plain(row[column] ?? "").length)));
    const line = (row: string[]) =>
        row
            .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - plain(cell).length))
            .join("  ")
            .trimEnd();
    say();
    say(`  ${dim(line(head))}`);
    for (const row of rows) say(`  ${line(row)}`);
    say();
}

/** Prints lines as they arrive. On a terminal, the last line shows what is running and for how long. */
export class LiveLines extends Writable {
    private rest = "";
    private readonly started = Date.now();
    private readonly timer = setInterval(() => this.footer(), 200);

    constructor(
        private readonly what: string,
        /** Returns the line to print; `undefined` drops it. */
        private readonly edit: (line: string) => string | undefined,
    ) {
        super({ decodeStrings: false });
    }

    override _write(chunk: string, _: BufferEncoding, done: () => void): void {
        const lines = (this.rest + chunk).split("\n");
        this.rest = lines.pop() ?? "";
        for (const line of lines) this.show(line);
        done();
    }

    override _final(done: () => void): void {
        clearInterval(this.timer);
        if (this.rest) this.show(this.rest);
        this.clear();
        say(dim(`  ${this.what}: ${seconds(this.started)}`));
        done();
    }

    private show(line: string): void {
        const text = this.edit(line);
        if (text === undefined) return;
        this.clear();
        say(`  ${dim("│")} ${text}`.trimEnd());
    }

    private footer(): void {
        if (terminal) process.stdout.write(`\r\x1b[2K  ${dim(`${this.what} … ${seconds(this.started)}`)}`);
    }

    private clear(): void {
        if (terminal) process.stdout.write("\r\x1b[2K");
    }
}

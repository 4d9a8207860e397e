import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { bold, green, paragraph, red, say, seconds } from "../print";

/** A step had another result than announced. */
export class Unmet extends Error {}

/** @throws {Unmet} With the text `otherwise`, if the condition is not met. */
export function expect(met: boolean, otherwise: string): void {
    if (!met) throw new Unmet(otherwise);
}

/** The rows of the summary: number, title, time and result of each step. */
export const summary: string[][] = [];

/** Runs a step of the demo. `work` returns a summary of its result. */
export async function chapter(title: string, why: string, work: () => Promise<string>): Promise<void> {
    const start = Date.now();
    const number = String(summary.length + 1);
    say(`\n${bold(`${number}. ${title}`)}\n`);
    paragraph(why);
    say();
    try {
        const result = await work();
        summary.push([number, title, seconds(start), green(result)]);
        say(`  ${green("✓")} ${result}`);
    } catch (error) {
        summary.push([number, title, seconds(start), red("failed")]);
        throw error;
    }
}

/** Files that the demo has changed, with their text before; undefined if they did not exist. */
const changed = new Map<string, string | undefined>();

/** Remembers a file that is about to be changed, for {@link restore}. */
export function remember(path: string): void {
    if (!changed.has(path)) changed.set(path, existsSync(path) ? readFileSync(path, "utf8") : undefined);
}

/** Writes a file until {@link restore}. */
export function edit(path: string, text: string): void {
    remember(path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
}

/** Restores every changed file, also if the demo is interrupted. */
export function restore(): void {
    for (const [path, text] of changed)
        if (text === undefined) rmSync(path, { force: true });
        else writeFileSync(path, text);
    changed.clear();
}

import type { DeclaredFile } from "../kinds/kind";
import { hideValues } from "../secrets";
import { fillSlots, showSlots } from "../slots";
import { escapeRegExp } from "../text";

/**
 * The words of a daemon, with secrets by name. Below a line that names line N of a declared file as `path:N`, adds that line as
 * declared and where it comes from. Each line is shown once.
 *
 * @param unknown names of slots whose values only an up knows
 */
export function refusedLines(
    words: string,
    files: DeclaredFile[],
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): string[] {
    const shown = new Set<string>();
    return hideValues(words, slots)
        .split("\n")
        .flatMap((line) => {
            const added = files
                .flatMap((file) => excerpts(line, file, slots, unknown))
                .filter(([first]) => !shown.has(first) && shown.add(first));
            return [line, ...added.flat()];
        });
}

/** A declared line, and below it where it comes from. */
type Excerpt = [line: string, ...source: string[]];

function excerpts(
    line: string,
    { path, content, lineSources }: DeclaredFile,
    slots: Record<string, string>,
    unknown: readonly string[],
): Excerpt[] {
    if (typeof content !== "string") {
        return [];
    }
    const lines = content.split("\n");
    const mention = new RegExp(`(?<![^\\s"'([<=:,])${escapeRegExp(path)}:(\\d+)`, "g");
    return [...line.matchAll(mention)].flatMap(([, number]): Excerpt[] => {
        const index = declaredLine(lines, Number(number), slots);
        const text = lines[index]?.trim();
        if (!text) {
            return [];
        }
        const source = lineSources?.[index];
        const excerpt = `  line ${number}: ${hideValues(showSlots(text, unknown), slots)}`;
        return [source ? [excerpt, `  from ${source}`] : [excerpt]];
    });
}

/** Index of the declared line that has line `number` of the filled file: the value of a slot may have several lines. */
function declaredLine(lines: string[], number: number, slots: Record<string, string>): number {
    let filled = 0;
    if (number < 1) {
        return -1;
    }
    return lines.findIndex((line) => {
        filled += fillSlots(line, (name) => slots[name] ?? "").split("\n").length;
        return filled >= number;
    });
}

import { filesOf, type Resource } from "./kinds/index";
import { sha256 } from "./sha256";
import { showSlots, slotsIn } from "./slots";
import { summaryOf } from "./summaries";

/** Longest text that a component's inputs show, in characters: the engine stores them with each state. */
const LONGEST = 65_536;

/**
 * The files of a run list as people see them, by path: secrets by name, summaries of those that have them, and only the
 * size of programs and of what is too long.
 */
export function fileTexts(resources: readonly Resource[]): Record<string, string> {
    const texts = resources.flatMap(filesOf).map(({ path, content, program = false, summary }) => {
        if (typeof content !== "string" || program) {
            return [path, `${content.length} bytes`];
        }
        const text =
            summary === undefined || slotsIn(content).length > 0
                ? showSlots(content)
                : summaryOf(content, summary)
                      .map((line) => `${line}\n`)
                      .join("");
        return [path, text.length <= LONGEST ? text : `${text.split("\n").length - 1} lines, sha256 ${sha256(text)}`];
    });
    return Object.fromEntries(texts);
}

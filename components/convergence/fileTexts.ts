import { type DeclaredFile, filesOf, type Resource } from "./kinds/index";
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
    const texts = resources.flatMap(filesOf).map((file) => {
        const text = textOf(file);
        if (text === undefined) {
            return [file.path, `${file.content.length} bytes`];
        }
        return [
            file.path,
            text.length <= LONGEST ? text : `${text.split("\n").length - 1} lines, sha256 ${sha256(text)}`,
        ];
    });
    return Object.fromEntries(texts);
}

/** The same to compare: texts of any length, and digests of programs and of what is no text. */
export function comparedTexts(resources: readonly Resource[]): Record<string, string> {
    const texts = resources.flatMap(filesOf).map((file) => {
        const { path, content } = file;
        const digest = () => sha256(typeof content === "string" ? showSlots(content) : content);
        return [path, textOf(file) ?? `${content.length} bytes, sha256 ${digest()}\n`];
    });
    return Object.fromEntries(texts);
}

/** What people see of a file; undefined for programs and for what is no text. */
function textOf({ content, program = false, summary }: DeclaredFile): string | undefined {
    if (typeof content !== "string" || program) {
        return undefined;
    }
    return summary === undefined || slotsIn(content).length > 0
        ? showSlots(content)
        : summaryOf(content, summary)
              .map((line) => `${line}\n`)
              .join("");
}

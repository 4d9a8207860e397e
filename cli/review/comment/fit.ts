/** Makes the parts of a comment fit: what matters least is cut first, and of that the longest. */
import { codeBlock, counted, fenceOf, type Phrase, phrase, safeStart } from "../markdown";

/** Characters of a diff, or of other lines that are not vital, that are worth a title. With less room, the whole block is left out. */
const LEAST_OF_DIFF = 400;

/** A part of a comment: a title, and lines that may be cut. */
export interface Block {
    /** Whether others are cut before it. */
    readonly isVital: boolean;
    readonly title: Phrase;
    /** Shows the title only, until it is opened. */
    readonly isFolded?: boolean;
    readonly lines: readonly string[];
    /** What the lines are. @default - Markdown, such as a list */
    readonly language?: "diff" | "text";
}

/** Blocks with a heading of their own. */
export interface Section {
    readonly heading: string;
    readonly blocks: readonly Block[];
}

export interface Fitted {
    readonly markdown: string;
    /** Lines that were left out, with those of blocks that were. */
    readonly lines: number;
    /** Blocks that were left out whole. */
    readonly blocks: number;
}

/** A block while room is given to it. */
interface Measured {
    readonly block: Block;
    readonly section: Section;
    /** Characters without lines, with everything that is said if some are left out. */
    readonly least: number;
    /** Characters of the first lines: none, one, two… */
    readonly sizes: readonly number[];
}

/** The sections, in their order, in at most as many characters. */
export function fitInto(sections: readonly Section[], longest: number): Fitted {
    const all = sections.flatMap((section) => section.blocks.map((block) => measured(block, section, longest)));
    const byRank = [true, false].map((isVital) => all.filter(({ block }) => block.isVital === isVital));
    const begun = new Set<Section>();
    const kept = new Set<Measured>();
    const lines = new Map<Measured, number>();
    let room = longest;
    for (const rank of byRank) {
        let reserved = 0;
        for (const one of rank) {
            const some = one.block.isVital ? 0 : Math.min(one.sizes.at(-1) ?? 0, LEAST_OF_DIFF);
            const size = one.least + (begun.has(one.section) ? 0 : one.section.heading.length + 2);
            if (size + some <= room - reserved) {
                begun.add(one.section);
                kept.add(one);
                room -= size;
                reserved += some;
            }
        }
        const share = rank.filter((one) => kept.has(one));
        const most = fairShare(
            share.map(({ sizes }) => sizes.at(-1) ?? 0),
            room,
        );
        for (const one of share) {
            const n = one.sizes.filter((size) => size <= most).length - 1;
            lines.set(one, n);
            room -= one.sizes[n] ?? 0;
        }
    }
    const parts = all
        .filter((one) => kept.has(one))
        .flatMap((one, n, sorted) => [
            ...(sorted[n - 1]?.section === one.section ? [] : [one.section.heading]),
            rendered(one.block, lines.get(one) ?? 0),
        ]);
    const left = all.map((one) => one.block.lines.length - (lines.get(one) ?? 0));
    return {
        markdown: parts.join("\n\n"),
        lines: left.reduce((sum, n) => sum + n, 0),
        blocks: all.length - kept.size,
    };
}

/** The size to which all are cut that are larger, so that together they take no more than the room. */
function fairShare(sizes: readonly number[], room: number): number {
    let left = room;
    const sorted = [...sizes].sort((a, b) => a - b);
    for (const [n, size] of sorted.entries()) {
        const share = Math.floor(left / (sorted.length - n));
        if (size > share) {
            return share;
        }
        left -= size;
    }
    return Number.MAX_SAFE_INTEGER;
}

function measured(block: Block, section: Section, longest: number): Measured {
    const sizes = [0];
    for (const line of block.lines) {
        const shown = block.language === undefined ? line : safeStart(line, block.language);
        const size = (sizes.at(-1) ?? 0) + shown.length + 1;
        if (size > longest) {
            break;
        }
        sizes.push(size);
    }
    // All but the lines, at its longest: with both fences, and with the words about what was left out.
    const fences = 2 * fenceOf(block.lines).length + 10;
    const { title, lines, isFolded } = block;
    const least = (isFolded ? title.html.length + 50 : title.markdown.length) + (lines.length === 0 ? 2 : fences + 70);
    return { block, section, least, sizes };
}

/** A block with its first lines. */
function rendered({ title, isFolded, lines, language }: Block, n: number): string {
    const kept = lines.slice(0, n);
    const left = lines.length - n;
    const body = [
        ...(n === 0 ? [] : [language === undefined ? kept.join("\n") : codeBlock(kept, language)]),
        ...(left === 0 ? [] : [leftOut(left, lines.length)]),
    ];
    return isFolded
        ? [`<details><summary>${title.html}</summary>`, ...body, "</details>"].join("\n\n")
        : [title.markdown, ...body].join("\n\n");
}

function leftOut(left: number, all: number): string {
    const words = left === all ? counted(all, "line") : phrase`${left} of ${counted(all, "line")}`;
    return `*Left out: ${words.markdown}*`;
}

/** ` +1 -2`, of the lines of a diff; nothing if no line differs, as of a process that has not read its files. */
export function sizeOfDiff(lines: readonly string[]): Phrase {
    const n = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
    const [added, removed] = [n("+"), n("-")];
    return added + removed === 0 ? phrase`` : phrase` +${added} −${removed}`;
}

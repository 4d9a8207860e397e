/** Numbers, lists and foreign texts as people read them. */
import { printable } from "../../components/convergence/text";

/** What has no width or turns the direction of the text around it, so that a name could pass for another one. */
const INVISIBLE = /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Seconds. */
export const DAY = 86_400;

/** More of a list are only counted. */
const MOST_LISTED = 4;

/** A time in its largest unit, rounded down: `40 s`, `5 min`, `47 h`, `23 days`. @param seconds negative ones count as none */
export function roughly(seconds: number): string {
    const [minutes, hours, days] = [60, 3600, DAY].map((unit) => Math.floor(seconds / unit)) as [
        number,
        number,
        number,
    ];
    return seconds < 60
        ? `${Math.max(0, Math.floor(seconds))} s`
        : hours < 1
          ? `${minutes} min`
          : days < 2
            ? `${hours} h`
            : `${days} days`;
}

/** `50,000` */
export function thousands(n: number): string {
    return n.toLocaleString("en-US");
}

/** The first of a list, as in `a, b, c, d and 3 more`. */
export function some(texts: readonly string[]): string {
    const more = texts.length - MOST_LISTED;
    return more > 1 ? `${texts.slice(0, MOST_LISTED).join(", ")} and ${more} more` : texts.join(", ");
}

/** A text in which nothing moves the cursor or hides. */
export function escaped(text: string): string {
    const visible = text.replace(
        INVISIBLE,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    return printable(visible.replaceAll("\t", " "));
}

/** How many characters a terminal shows. */
export function lengthOf(text: string): number {
    return [...text].length;
}

/** A text with spaces after it. */
export function pad(text: string, width: number): string {
    return text + " ".repeat(Math.max(0, width - lengthOf(text)));
}

/** The beginning of a text that is too long. */
export function cut(text: string, most: number): string {
    // A host may answer with megabytes.
    const characters = [...text.slice(0, 2 * most + 1)];
    return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}

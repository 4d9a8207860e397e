/** Differences that may turn out to be none, because a declared value is not known before an up. */
import { filesOf, kindOf, type Resource } from "../kinds/index";
import { openSlots, unknownIn } from "../payload/fileContents";
import type { Plan } from "../payload/plan";
import { fillSlots, slotParts } from "../slots";
import { fileOf, filesRead, positionOf } from "./cause";
import type { Difference, WhyRun } from "./whyRun";

/** Stands for a value that is not known; no text has it, because NUL is in no text that is compared. */
const ANY = "\0";

/** This many unknown values are named in one line. */
const MOST_NAMES = 5;

/**
 * Whether an up may find that a difference is none: the live file has all that is known of the declared one, or a process reads such
 * files.
 *
 * @param slots with encodings, see `encodedSlots`
 */
export function mayDiffer(
    difference: Difference,
    { live, differences }: WhyRun,
    { resources }: Plan,
    slots: Record<string, string>,
    unknown: readonly string[],
): boolean {
    const resource = resources[positionOf(difference)];
    if (resource === undefined || unknown.length === 0) {
        return false;
    }
    const isOpen = (one: Difference): boolean => {
        const other = resources[positionOf(one)];
        const file = other && fileOf(other, one.id);
        const bytes = live.get(one.id);
        if (one.aspect !== "content" || file === undefined || typeof file.content !== "string" || bytes === undefined) {
            return false;
        }
        const open = openSlots(file, filesOf(other as Resource), unknown);
        return open.length > 0 && isLike(bytes.toString("utf8"), file.content, slots, open);
    };
    const read = difference.aspect === "outdated" ? filesRead(resource, resources, differences) : [];
    return read.length > 0 ? read.every(isOpen) : isOpen(difference);
}

/** Whether each line of the live text is the declared one, with any value in place of the open slots; all of them if it is one slot. */
function isLike(live: string, declared: string, slots: Record<string, string>, open: readonly string[]): boolean {
    const filled = fillSlots(declared, (name) => (open.includes(slotParts(name).name) ? ANY : (slots[name] ?? ANY)));
    if (filled.trimEnd() === ANY) {
        return true;
    }
    const lines = filled.split("\n");
    const liveLines = live.split("\n");
    return lines.length === liveLines.length && lines.every((line, n) => fits(liveLines[n] ?? "", line.split(ANY)));
}

/** Whether a line begins with the first part, ends with the last, and has the others in order in between. */
function fits(line: string, [first = "", ...rest]: string[]): boolean {
    const last = rest.pop();
    if (last === undefined) {
        return line === first;
    }
    const at = rest.reduce(
        (from, part) => {
            const found = from < 0 ? -1 : line.indexOf(part, from);
            return found < 0 ? -1 : found + part.length;
        },
        line.startsWith(first) ? first.length : -1,
    );
    return at >= 0 && at <= line.length - last.length && line.endsWith(last);
}

/** The line that says why no daemon has checked the files of a transaction; none if one has, or if there is none to ask. */
export function notValidated(resource: Resource | undefined, unknown: readonly string[]): string[] {
    const isTogether = resource !== undefined && kindOf(resource).filesTogether;
    const names = isTogether ? unknownIn(filesOf(resource), unknown) : [];
    const listed =
        names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), `${names.length - MOST_NAMES} more`] : names;
    return names.length === 0
        ? []
        : [`    not validated: ${listed.join(", ")} ${names.length === 1 ? "is" : "are"} known after up`];
}

import { filesOf, kindOf, type Resource } from "../kinds/index";
import type { Content, DeclaredFile, FilledFile } from "../kinds/kind";
import { sha256 } from "../sha256";
import { DIGEST_SLOT, fillSlots, secretSlots, slotParts } from "../slots";
import { unique } from "../text";

/**
 * Fills the slots of every declared file.
 *
 * @throws Error if a slot has no value
 */
export function fillFiles(resources: Resource[], slots: Record<string, string>): FilledFile[] {
    const files = resources.flatMap((resource) => {
        const digest = kindOf(resource).filesTogether ? digestOf(filesOf(resource), slots) : "";
        return filesOf(resource).map(({ path, content }) => ({ path, content, digest }));
    });
    return files.map(({ path, content, digest }, position) => {
        const bytes = fill(content, { ...slots, [DIGEST_SLOT]: digest }, path);
        return { path, bytes, sum: sha256(bytes), content: `content_${position}`, digest };
    });
}

/** The digest of the files of a transaction: over their paths and contents, with the digest's own slot left empty. */
export function digestOf(files: DeclaredFile[], slots: Record<string, string>): string {
    const parts = files.map(({ path, content }) => {
        const sum = sha256(fill(content, { ...slots, [DIGEST_SLOT]: "" }, path));
        return `${sum}  ${path}\n`;
    });
    return sha256(parts.sort().join(""));
}

function fill(content: Content, slots: Record<string, string>, path: string): Buffer {
    if (typeof content !== "string") {
        return Buffer.from(content);
    }
    return Buffer.from(
        fillSlots(content, (name) => {
            const value = slots[name];
            if (value === undefined) {
                throw new Error(missingSlotValue(path, slotParts(name).name));
            }
            return value;
        }),
    );
}

/** Slots of the files that have no value. */
export function missingSlotIssues(resources: Resource[], given: string[]): string[] {
    return resources.flatMap(filesOf).flatMap(({ path, content }) =>
        unique(slotsOf(content).map((slot) => slotParts(slot).name))
            .filter((name) => !given.includes(name))
            .map((name) => missingSlotValue(path, name)),
    );
}

function missingSlotValue(path: string, name: string): string {
    return `${path}: slot ${JSON.stringify(name)} has no value; set it in slots`;
}

/** Values that a recipe does not accept in its files. Never quotes a value. */
export function slotValueIssues(resources: Resource[], slots: Record<string, string>): string[] {
    const issues = resources.flatMap(filesOf).flatMap(({ path, content, slotIssue }) =>
        slotsOf(content).flatMap((slot) => {
            const { name, encoding } = slotParts(slot);
            const issue = slotIssue?.(slots[name] ?? "", encoding);
            return issue === undefined ? [] : [`${path}: the value of slot ${JSON.stringify(name)} ${issue}`];
        }),
    );
    return unique(issues);
}

/** The slots, and `<name>/<encoding>` for each encoding in which a file needs a value. */
export function encodedSlots(resources: Resource[], slots: Record<string, string>): Record<string, string> {
    const encoded = resources.flatMap(filesOf).flatMap(({ content, slotValue = (value) => value }) =>
        slotsOf(content).flatMap((slot): [string, string][] => {
            const { name, encoding } = slotParts(slot);
            const value = slots[name];
            return encoding === undefined || value === undefined ? [] : [[slot, slotValue(value, encoding)]];
        }),
    );
    return { ...slots, ...Object.fromEntries(encoded) };
}

function slotsOf(content: Content): string[] {
    return typeof content === "string" ? secretSlots(content) : [];
}

/** The shell function that prints the file, whatever bytes it has. */
export function contentFunction({ content, bytes }: FilledFile): string {
    const lines = bytes.toString("base64").match(/.{1,76}/g) ?? [];
    return [`${content}() {`, "base64 -d <<'CONTENT'", ...lines, "CONTENT", "}"].join("\n");
}

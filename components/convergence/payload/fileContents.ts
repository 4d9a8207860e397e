import { filesOf, kindOf, type Resource } from "../kinds/index";
import type { Content, DeclaredFile, FilledFile } from "../kinds/kind";
import { sha256 } from "../sha256";
import { DIGEST_SLOT, fillSlots, secretSlots, slotParts, slotsAmong, UNKNOWN_DIGEST } from "../slots";
import { unique } from "../text";

/**
 * Fills the slots of every declared file. A file that needs an unknown value gets a text that stands for it, and no digest that any
 * file has.
 *
 * @param unknown names of slots whose values only an up knows
 * @throws Error if another slot has no value
 */
export function fillFiles(
    resources: Resource[],
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): FilledFile[] {
    const known = { ...standIns(resources, unknown), ...slots };
    return resources
        .flatMap((resource) => {
            const files = filesOf(resource);
            const isOpen = unknownIn(files, unknown).length > 0;
            const digest = !kindOf(resource).filesTogether ? "" : isOpen ? UNKNOWN_DIGEST : digestOf(files, slots);
            const values = { ...known, [DIGEST_SLOT]: digest };
            return files.map((file) => {
                const bytes = fill(file.content, values, file.path);
                const sum = openSlots(file, files, unknown).length > 0 ? UNKNOWN_DIGEST : sha256(bytes);
                return { path: file.path, bytes, sum, digest };
            });
        })
        .map((file, position) => ({ ...file, content: `content_${position}` }));
}

/** The slots of some files whose values only an up knows, each once, without encodings. */
export function unknownIn(files: DeclaredFile[], unknown: readonly string[]): string[] {
    // Most payloads have none, and their files may be large.
    if (unknown.length === 0) {
        return [];
    }
    return unique(files.flatMap(({ content }) => (typeof content === "string" ? slotsAmong(content, unknown) : [])));
}

/** The same of one file, among all files of its resource; with the digest, if that is unknown because of another file. */
export function openSlots({ content }: DeclaredFile, files: DeclaredFile[], unknown: readonly string[]): string[] {
    if (typeof content !== "string" || unknown.length === 0) {
        return [];
    }
    // Few files have the digest, and looking at all files for each would take long.
    const isDigestOpen = slotsAmong(content, [DIGEST_SLOT]).length > 0 && unknownIn(files, unknown).length > 0;
    return slotsAmong(content, isDigestOpen ? [...unknown, DIGEST_SLOT] : unknown);
}

/** Stands for unknown values on a host: one word, which an adapter recognizes, and which is never written into a file. */
function standIns(resources: Resource[], unknown: readonly string[]): Record<string, string> {
    if (unknown.length === 0) {
        return {};
    }
    const names = new Set(unknown);
    const slots = resources.flatMap(filesOf).flatMap(({ content }) => slotsOf(content));
    return Object.fromEntries(
        slots
            .map((slot) => [slot, slotParts(slot).name])
            .filter(([, name = ""]) => names.has(name))
            .map(([slot, name]) => [slot, `unknown:${name}`]),
    );
}

/** The digest of the files of a transaction: over their paths and contents, with the digest's own slot left empty. */
export function digestOf(files: DeclaredFile[], slots: Record<string, string>): string {
    const values = { ...slots, [DIGEST_SLOT]: "" };
    const parts = files.map(({ path, content }) => {
        const sum = sha256(fill(content, values, path));
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
    const names = new Set(given);
    return resources.flatMap(filesOf).flatMap(({ path, content }) =>
        unique(slotsOf(content).map((slot) => slotParts(slot).name))
            .filter((name) => !names.has(name))
            .map((name) => missingSlotValue(path, name)),
    );
}

/** The names of the slots that files have, each once. */
export function slotsOfFiles(resources: Resource[]): string[] {
    const slots = resources.flatMap(filesOf).flatMap(({ content }) => slotsOf(content));
    return unique(slots.map((slot) => slotParts(slot).name));
}

function missingSlotValue(path: string, name: string): string {
    return `${path}: slot ${JSON.stringify(name)} has no value; set it in slots`;
}

/** Values that a recipe does not accept in its files; unknown ones are not judged. Never quotes a value. */
export function slotValueIssues(resources: Resource[], slots: Record<string, string>): string[] {
    const issues = resources.flatMap(filesOf).flatMap(({ path, content, slotIssue }) =>
        slotsOf(content).flatMap((slot) => {
            const { name, encoding } = slotParts(slot);
            const value = slots[name];
            const issue = value === undefined ? undefined : slotIssue?.(value, encoding);
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

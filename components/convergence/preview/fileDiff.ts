import { createTwoFilesPatch } from "diff";
import type { DeclaredFile } from "../kinds/kind";
import { DIGEST_SLOT, fillSlots, showSlots, slot } from "../slots";
import { declaredSummary, summaryOf } from "../summaries";
import { redactLive } from "./redaction";
import type { WhyRun } from "./whyRun";

/** Largest file whose lines are compared, in bytes. The host sends one byte more, which shows that a file is larger. */
const LARGEST_DIFF = 262_144;

/** Limit for the added and removed lines of a diff. Its time grows with their square: about 0.3 s at the limit. */
const MOST_EDITS = 2000;

/** How a diff shows the digest. */
const DIGEST = showSlots(slot(DIGEST_SLOT));

const HIDDEN_DIFFERS = "(only hidden parts differ)";

/**
 * A diff from the live file, which is empty if it is new, to the declared one, with secrets by name; between their summaries if the
 * file has them.
 *
 * @param unknown names of slots whose values only an up knows
 */
export function diffLines(
    live: Buffer | undefined,
    { path, content, summary }: Pick<DeclaredFile, "path" | "content" | "summary">,
    whyRun: WhyRun,
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): string[] {
    if (live !== undefined && typeof content === "string" && summary !== undefined) {
        const before = live.length === 0 ? [] : liveSummary(live, summary);
        return summaryDiff(before, declaredSummary(content, summary, slots, unknown));
    }
    if (live === undefined || typeof content !== "string" || live.includes(0)) {
        return ["(not text: its lines are not shown)"];
    }
    if (live.length > LARGEST_DIFF || content.length > LARGEST_DIFF) {
        return ["(too large: its lines are not shown)"];
    }
    const remembered = whyRun.secretLines.filter((line) => line.path === path).map(({ prefix }) => prefix);
    // A host that was converged remembers which lines hold secrets. On any other, an unknown value may be one.
    const open = whyRun.token === "" ? [] : unknown;
    const alike = sameDigest(live.toString("utf8"), content);
    const redacted = redactLive(alike, content, remembered, slots, open);
    if (redacted === undefined) {
        return ["(it holds secrets: its lines are not shown)"];
    }
    const patch = patchOf(redacted, showSlots(content, unknown));
    if (patch === undefined) {
        return [`(more than ${MOST_EDITS} lines differ: too many to show)`];
    }
    // A new file has a single hunk, whose position is not worth a line.
    const lines = patch.split("\n").slice(live.length > 0 ? 3 : 4, -1);
    if (lines.length > 0 || content === "") {
        return lines;
    }
    const known = fillSlots(content, (name) => (name === DIGEST_SLOT ? DIGEST : (slots[name] ?? "")));
    return [alike === known ? "(only the digest differs: a hash of all files of the transaction)" : HIDDEN_DIFFERS];
}

function liveSummary(live: Buffer, summary: NonNullable<DeclaredFile["summary"]>): string[] {
    return live.length > LARGEST_DIFF ? ["(too large to be read)"] : summaryOf(live.toString("utf8"), summary);
}

/** All lines of both, because a summary is short. */
function summaryDiff(live: string[], declared: string[]): string[] {
    const text = (lines: string[]) => lines.map((line) => `${line}\n`).join("");
    const patch = patchOf(text(live), text(declared), Number.MAX_SAFE_INTEGER);
    if (patch === undefined) {
        return [`(more than ${MOST_EDITS} lines of its summary differ: too many to show)`];
    }
    const lines = patch.split("\n").slice(4, -1);
    return lines.length > 0 ? lines : [HIDDEN_DIFFERS];
}

/** The latest patches, because the hosts of a fleet mostly differ alike, and comparing takes long. */
const patches = new Map<string, string | undefined>();
const MOST_PATCHES = 16;

function patchOf(live: string, declared: string, context = 2): string | undefined {
    const key = `${context}\0${live}\0${declared}`;
    if (!patches.has(key)) {
        const options = { context, maxEditLength: MOST_EDITS };
        const patch = createTwoFilesPatch("live", "declared", live, declared, "", "", options);
        const [oldest] = patches.keys();
        if (patches.size >= MOST_PATCHES) {
            patches.delete(oldest as string);
        }
        patches.set(key, patch);
    }
    return patches.get(key);
}

/** Shows the live digest as its slot, because it changes with every other line and means nothing to readers. */
function sameDigest(live: string, declared: string): string {
    const line = declared.split("\n").find((candidate) => candidate.includes("\0slot:digest\0"));
    if (line === undefined) {
        return live;
    }
    const [before = "", after = ""] = line.split("\0slot:digest\0");
    return live
        .split("\n")
        .map((candidate) =>
            candidate.startsWith(before) &&
            candidate.endsWith(after) &&
            candidate.length >= before.length + after.length
                ? showSlots(line)
                : candidate,
        )
        .join("\n");
}

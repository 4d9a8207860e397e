import { hideValues } from "../secrets";
import type { WhyRun } from "./whyRun";

/** A table of what a host lacks, in lines; none if it lacks nothing. */
export function shortageTable({ shortages }: Pick<WhyRun, "shortages">, slots: Record<string, string>): string[] {
    if (shortages.length === 0) {
        return [];
    }
    const rows = [
        ["what", "needed", "this host has"],
        ...shortages.map(({ what, needed, have }) => [what, needed, have].map((text) => hideValues(text, slots))),
    ];
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    return rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "));
}

/** What to warn of if a host lacks something and accepts the plan nevertheless. */
export function shortageWarnings(whyRun: WhyRun, slots: Record<string, string>): string[] {
    const table = whyRun.refused.length > 0 ? [] : shortageTable(whyRun, slots);
    const headline = "this host lacks what is declared, and an up cannot change that; see docs/tuning.md";
    return table.length === 0 ? [] : [[headline, ...table.map((line) => `  ${line}`)].join("\n")];
}

// npm run bench: measures what previews cost, as medians and ratios, and prints a table.
import { Lab } from "../lab/lab";
import { obstacles } from "../lab/machine/prerequisites";
import { step } from "../lab/machine/progress";
import type { Verdict } from "./measure";
import { models } from "./models";
import { previews } from "./previews";
import { probes } from "./probes";
import { whyRuns } from "./whyRuns";

interface Suite {
    /** Hosts of the lab that it needs. */
    hosts: number;
    run: (lab: Lab, note: (text: string) => void) => Promise<Verdict[]>;
}

const suites: Record<string, Suite> = {
    models: { hosts: 0, run: models },
    whyRuns: { hosts: 1, run: whyRuns },
    probes: { hosts: 5, run: probes },
    previews: { hosts: 20, run: previews },
};

function table(verdicts: Verdict[]): string {
    const digits = { s: 2, ms: 0, "×": 2 };
    const amount = (value: number, { unit }: Verdict) => `${value.toFixed(digits[unit])} ${unit}`;
    const rows = verdicts.map((verdict) => [
        verdict.what,
        verdict.measured,
        verdict.against,
        amount(verdict.result, verdict),
        ...(verdict.target === undefined
            ? ["", ""]
            : [`≤ ${amount(verdict.target, verdict)}`, verdict.result <= verdict.target ? "met" : "MISSED"]),
    ]);
    const all = [["MEASURE", "MEDIAN", "AGAINST", "RESULT", "TARGET", "VERDICT"], ...rows];
    const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    return all
        .map((row) =>
            row
                .map((cell, column) => cell.padEnd(widths[column] ?? 0))
                .join("  ")
                .trimEnd(),
        )
        .join("\n");
}

async function createLab(count: number): Promise<Lab> {
    const found = await obstacles();
    if (found.length > 0) throw new Error(`this machine cannot host the lab:\n  ${found.join("\n  ")}`);
    const hosts = Array.from({ length: count }, (_, n) => ({
        name: `lb${String(n + 1).padStart(2, "0")}`,
        image: "bare" as const,
        tags: ["haproxy::lb"],
    }));
    return step(`lab of ${count} host${count === 1 ? "" : "s"}`, (note) => Lab.create({ hosts, note }));
}

async function main(names: string[]): Promise<void> {
    const unknown = names.find((name) => !(name in suites));
    if (unknown) throw new Error(`benchmark "${unknown}": unknown; use ${Object.keys(suites).join(", ")}`);
    const wanted = Object.entries(suites).filter(([name]) => names.length === 0 || names.includes(name));
    const count = Math.max(...wanted.map(([, { hosts }]) => hosts));
    const lab = count > 0 ? await createLab(count) : undefined;
    const verdicts: Verdict[] = [];
    try {
        for (const [name, { run }] of wanted) verdicts.push(...(await step(name, (note) => run(lab as Lab, note))));
    } finally {
        await lab?.down();
    }
    console.log(table(verdicts));
    if (verdicts.some(({ result, target }) => target !== undefined && result > target)) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
});

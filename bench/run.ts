// npm run bench: measures the cost of previews as medians and ratios, and prints a table.
import { Lab } from "../lab/lab";
import { obstacles } from "../lab/machine/prerequisites";
import { step } from "../lab/machine/progress";
import { ec2Search } from "./ec2Search";
import { fleet } from "./fleet/fleet";
import { gate } from "./gate";
import type { Verdict } from "./measure";
import { peers } from "./peers/peers";
import { previews } from "./previews";
import { probes } from "./probes";
import { rendering } from "./rendering";
import { whyRuns } from "./whyRuns";

const HOSTS = 20;
/** Each step has as many hosts of a lab as it needs; all benchmarks of a run share it. */
const hostsOf: Record<string, number> = { whyRuns: 1, gate: 3, probes: 5, previews: HOSTS, peers: 40 };
/** Takes long and installs other tools, so it runs only if it is named. */
const ONLY_NAMED = ["peers"];

type Note = (text: string) => void;

/** Benchmarks on hosts of a lab. */
const onHosts: Record<string, (lab: Lab, note: Note) => Promise<Verdict[]>> = {
    whyRuns,
    probes,
    previews,
    gate,
    peers,
};
/** Benchmarks of the program alone. */
const alone: Record<string, (note: Note) => Promise<Verdict[]>> = { rendering, fleet, ec2Search };

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

async function main(names: string[]): Promise<void> {
    const known = [...Object.keys(alone), ...Object.keys(onHosts)];
    const unknown = names.find((name) => !known.includes(name));
    if (unknown) throw new Error(`benchmark "${unknown}": unknown; use ${known.join(", ")}`);
    const wanted = <T>(benchmarks: Record<string, T>) =>
        Object.entries(benchmarks).filter(([name]) =>
            names.length === 0 ? !ONLY_NAMED.includes(name) : names.includes(name),
        );
    const verdicts: Verdict[] = [];
    for (const [name, measure] of wanted(alone)) verdicts.push(...(await step(name, measure)));
    verdicts.push(...(await measureOnHosts(wanted(onHosts))));
    console.log(table(verdicts));
    if (verdicts.some(({ result, target, loose }) => target !== undefined && result > target && !loose))
        process.exitCode = 1;
}

async function measureOnHosts(benchmarks: [string, (typeof onHosts)[string]][]): Promise<Verdict[]> {
    if (benchmarks.length === 0) return [];
    const found = await obstacles();
    if (found.length > 0) throw new Error(`this machine cannot host the lab:\n  ${found.join("\n  ")}`);
    const count = Math.max(...benchmarks.map(([name]) => hostsOf[name] ?? 1));
    const hosts = Array.from({ length: count }, (_, n) => ({
        name: `lb${String(n + 1).padStart(2, "0")}`,
        image: "bare" as const,
        tags: ["haproxy::lb"],
    }));
    const lab = await step(`lab of ${count} host${count === 1 ? "" : "s"}`, (note) => Lab.create({ hosts, note }));
    try {
        const verdicts: Verdict[] = [];
        for (const [name, measure] of benchmarks) verdicts.push(...(await step(name, (note) => measure(lab, note))));
        return verdicts;
    } finally {
        await lab.down();
    }
}

main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
});

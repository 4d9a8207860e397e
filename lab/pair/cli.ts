import { tmpdir } from "node:os";
import { join } from "node:path";
import { obstacles } from "../machine/prerequisites";
import { step } from "../machine/progress";
import { bold, green, red, say, seconds, table } from "../print";
import { violationsOf } from "./checker";
import { showFigures } from "./figures";
import { writeHistory } from "./historyFile";
import { Nemesis } from "./nemesis";
import { type Options, optionsOf, UsageError, usage } from "./options";
import { partsOf, withPairLab } from "./pairLab";
import { plan } from "./plan";
import { RealPair } from "./realPair";
import { boundLines, outcomeLine, outcomeTable } from "./report";

/** Most violations that are printed. The history has all. */
const SHOWN = 20;

/** Does harm to a pair, and prints what came of it. Returns the exit code. */
async function harm({ faults, seed, ups, only, failback, release }: Options): Promise<number> {
    const start = Date.now();
    return withPairLab(release, async (lab) => {
        const settings = { failback, password: "nemesis", check: { interval: 1 } };
        const pair = await step("first up", () => RealPair.create({ lab, ...partsOf(lab), settings }));
        try {
            say(bold(`${faults} faults, seed ${seed}, HAProxy ${release}`));
            for (const line of boundLines(pair.timing)) say(`  ${line}`);
            const planned = plan(faults, seed, ups, only);
            const width = String(faults).length;
            const history = await Nemesis.run(pair, planned, seed, (outcome, number) =>
                say(`  ${String(number).padStart(width)}/${faults}  ${outcomeLine(outcome)}`),
            );
            const { head, rows } = outcomeTable(history);
            table(head, rows);
            const violations = violationsOf(history);
            const file = join(tmpdir(), `nemesis-${seed}.jsonl`);
            const what = `${history.faults.length} faults, ${history.requests.length} requests, ${seconds(start)}`;
            if (violations.length === 0) {
                say(`${green("✓")} ${what}: the address had one owner, and requests failed within the bounds only`);
                return 0;
            }
            writeHistory(file, history);
            for (const { rule, message } of violations.slice(0, SHOWN)) say(`${red("✗")} ${rule}: ${message}`);
            if (violations.length > SHOWN) say(`  and ${violations.length - SHOWN} more`);
            const again = `--faults ${faults} --seed ${seed} --ups ${ups} --failback ${failback} --release ${release}`;
            say(`${what}; history: ${file}; again: npm run nemesis -- ${again}`);
            return 1;
        } finally {
            pair.remove();
        }
    });
}

async function main(args: string[]): Promise<number> {
    if (args.includes("--help") || args.includes("-h")) {
        say(usage);
        return 0;
    }
    const options = optionsOf(args, Math.random());
    const found = await obstacles();
    if (found.length)
        throw new UsageError(`this machine cannot host the lab:\n${found.map((one) => `  - ${one}`).join("\n")}`);
    return options.figures ? showFigures(options.faults) : harm(options);
}

main(process.argv.slice(2)).then(
    (code) => {
        process.exitCode = code;
    },
    (error: Error) => {
        process.stderr.write(`npm run nemesis: ${error instanceof UsageError ? error.message : error.stack}\n`);
        process.exitCode = 1;
    },
);

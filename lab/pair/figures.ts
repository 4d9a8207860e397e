import type { PairSettings } from "../../components/keepalived/types";
import { step } from "../machine/progress";
import { say, table } from "../print";
import type { Release } from "../releases";
import { Nemesis } from "./nemesis";
import { median, outcomesOf } from "./outcome";
import { partsOf, withPairLab } from "./pairLab";
import type { Kind } from "./plan";
import { RealPair } from "./realPair";

interface Case {
    readonly settings: Omit<PairSettings, "addresses">;
    /** What is measured with them. */
    readonly kinds: readonly Kind[];
    readonly label: string;
}

const never = { failback: "never", password: "nemesis" } as const;

/** What the documentation says of each release. keepalived has checks of less than a second since 2.3, which Debian 13 has. */
const cases: Partial<Record<Release["version"], readonly Case[]>> = {
    "2.6": [
        {
            label: "default: interval 2, fall 2",
            settings: never,
            kinds: ["haproxy stopped", "power cut", "handed over"],
        },
        {
            label: "interval 1, fall 1",
            settings: { ...never, check: { interval: 1, fall: 1 } },
            kinds: ["haproxy stopped"],
        },
    ],
    "3.0": [
        {
            label: "interval 0.1, fall 2, priorities 254 and 253",
            settings: { ...never, priorities: [254, 253], check: { interval: 0.1, fall: 2 } },
            kinds: ["haproxy stopped", "handed over"],
        },
    ],
};

/** Measures how long clients get no answer, several times for each case. Prints a table. Returns the exit code. */
export async function showFigures(times: number): Promise<number> {
    const rows: string[][] = [];
    for (const [release, all] of Object.entries(cases) as [Release["version"], readonly Case[]][])
        await withPairLab(release, async (lab) => {
            let pair: RealPair | undefined;
            for (const { label, settings, kinds } of all) {
                const converge = async () => {
                    if (pair) await pair.change(settings);
                    else pair = await RealPair.create({ lab, ...partsOf(lab), settings });
                    return pair;
                };
                const subject = await step(`HAProxy ${release}, ${label}`, converge);
                for (const kind of kinds) {
                    const planned = Array.from({ length: times }, () => ({ kind, on: "owner" as const }));
                    const history = await step(`${kind}, ${times} times`, () => Nemesis.run(subject, planned, 0));
                    const outcomes = outcomesOf(history);
                    const outages = outcomes.map(({ outage }) => outage);
                    const failed = history.requests.filter(
                        ({ connection, result }) => connection === "new" && result !== "ok",
                    );
                    const gap = median(outcomes.map((outcome) => outcome.gap));
                    rows.push([
                        ...[release, label, kind, `${outcomes.length}`],
                        ...[median(outages), Math.max(...outages), gap].map((value) => `${Math.round(value)} ms`),
                        `${failed.length} of ${history.requests.length}`,
                    ]);
                }
            }
            pair?.remove();
        });
    say("How long clients got no answer, from the last one before to the first one after:");
    table(["HAPROXY", "SETTINGS", "EVENT", "TIMES", "MEDIAN", "AT MOST", "NO OWNER", "NEW CONNECTIONS FAILED"], rows);
    return 0;
}

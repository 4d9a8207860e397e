// Faults that follow from a seed meet a pair, while clients make requests and an observer outside of both hosts asks who has the address.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timingOf } from "../../lab/pair/bounds";
import { type Violation, violationsOf } from "../../lab/pair/checker";
import {
    checkTime,
    type Defect,
    handWrittenPair,
    handWrittenReady,
    type PlainSettings,
    removeHandWrittenPair,
} from "../../lab/pair/handWritten";
import { type History, writeHistory } from "../../lab/pair/historyFile";
import { Nemesis } from "../../lab/pair/nemesis";
import { pairHosts, partsOf } from "../../lab/pair/pairLab";
import { type Planned, plan } from "../../lab/pair/plan";
import { RealPair } from "../../lab/pair/realPair";
import { outcomeTable } from "../../lab/pair/report";
import { describeLab, withLab } from "../support/lab";

/** `npm run nemesis -- --seed` has the same faults. */
const SEED = 442;
const FAULTS = 20;
/** Part of the faults that come in the middle of an up. */
const UPS = 0.3;

describeLab("the nemesis of a pair", function () {
    this.timeout(600_000);
    const lab = withLab(pairHosts());

    describe("finds what is wrong with pairs that are broken on purpose:", () => {
        const settings: PlainSettings = { failback: "never", check: { interval: 1 } };

        /** The history of a pair with a defect. */
        async function historyOf(defect: Defect, planned: readonly Planned[]): Promise<History> {
            const { hosts, servers, address } = partsOf(lab());
            await handWrittenPair(hosts, servers, address, settings, [defect]);
            const timing = timingOf(settings, { timeout: checkTime(settings) });
            const ready = () => handWrittenReady(hosts);
            return Nemesis.run({ lab: lab(), hosts, address, timing, ready }, planned, SEED);
        }
        const rules = (violations: readonly Violation[]) => [...new Set(violations.map(({ rule }) => rule))].sort();

        after(() => removeHandWrittenPair(partsOf(lab()).hosts));

        it("two passwords make two owners", async () => {
            const history = await historyOf("passwords", [{ kind: "haproxy killed", on: "owner" }]);
            const found = violationsOf(history).filter(({ rule }) => rule === "one owner");
            assert.match(found[0]?.message ?? "", /^before any fault: lb1 and lb2 have the address for \d+ ms$/);
        });

        it("with a weight and nopreempt, the address stays where nobody serves", async () => {
            const history = await historyOf("weight", [{ kind: "haproxy stopped", on: "owner" }]);
            assert.deepEqual(rules(violationsOf(history)), ["requests", "serves"]);
        });
    });

    describe("finds nothing wrong with a LoadBalancerPair:", () => {
        let pair: RealPair | undefined;
        after(() => pair?.remove());
        const settings = { password: "nemesis", check: { interval: 1 } };
        const planned = plan(FAULTS, SEED, UPS);

        async function passes(faults: readonly Planned[]): Promise<void> {
            assert.ok(pair, "there is no pair");
            const history = await Nemesis.run(pair, faults, SEED);
            const violations = violationsOf(history);
            if (violations.length === 0) return;
            const file = join(tmpdir(), `nemesis-${SEED}-${Date.now()}.jsonl`);
            writeHistory(file, history);
            const { rows } = outcomeTable(history);
            assert.fail(
                [
                    `seed ${SEED}, history ${file}`,
                    ...violations.slice(0, 10).map(({ rule, message }) => `${rule}: ${message}`),
                    ...rows.map((row) => row.join("  ")),
                ].join("\n"),
            );
        }

        it("with failback never", async () => {
            pair = await RealPair.create({
                lab: lab(),
                ...partsOf(lab()),
                settings: { ...settings, failback: "never" },
            });
            await passes(planned.slice(0, FAULTS / 2));
        });

        it("with failback immediate", async () => {
            await pair?.change({ ...settings, failback: "immediate" });
            await passes(planned.slice(FAULTS / 2));
        });
    });
});

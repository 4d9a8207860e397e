import assert from "node:assert/strict";
import { violationsOf } from "../../../../lab/pair/checker";
import type { History } from "../../../../lab/pair/historyFile";
import { failing, scene, timing } from "./scenes";

const rules = (history: History) => [...new Set(violationsOf(history).map(({ rule }) => rule))];
const immediate = { timing: { ...timing, failback: "immediate" as const } };

describe("the checker of a pair's history", () => {
    const failover: [number, string][] = [
        [0, "lb1"],
        [10_050, ""],
        [13_500, "lb2"],
    ];

    it("accepts a BACKUP that takes over within the bound, and keeps the address", () => {
        assert.deepEqual(violationsOf(scene({}, failover, failing(10_050, 13_500))), []);
    });

    it("accepts with failback immediate that the first host takes the address back", () => {
        const turns: [number, string][] = [...failover, [24_000, "lb1"]];
        assert.deepEqual(rules(scene({}, turns, failing(10_050, 13_500), immediate)), []);
        assert.deepEqual(
            violationsOf(scene({}, turns, failing(10_050, 13_500))).map(({ rule, message }) => [rule, message]),
            [["in the end", "power cut on lb1: after the repair, lb1 has the address; expected lb2"]],
        );
    });

    it("finds a first host that does not come back with failback immediate", () => {
        assert.deepEqual(rules(scene({}, failover, undefined, immediate)), ["in the end"]);
    });

    it("finds a gap that is longer than the bound", () => {
        // Silent for 3 s and 156/256 s, and 1.5 s of slack; the fault took 0.1 s.
        const late = (until: number) =>
            scene({}, [
                [0, "lb1"],
                [10_000, ""],
                [until, "lb2"],
            ]);
        assert.deepEqual(rules(late(15_200)), []);
        const [violation, ...more] = violationsOf(late(15_240));
        assert.deepEqual([violation?.rule, more], ["gap", []]);
        assert.equal(violation?.message, "power cut on lb1: nobody has the address for 5240 ms; at most 5209 ms");
    });

    it("finds that nobody ever takes over, and that requests fail beyond the bound", () => {
        const dead = scene(
            { calm: undefined },
            [
                [0, "lb1"],
                [10_000, ""],
            ],
            failing(10_000, 60_000),
        );
        assert.deepEqual(rules(dead), ["gap", "requests", "observed", "calm", "in the end"]);
    });

    it("finds a short gap where nothing may happen", () => {
        const blink = (until: number) =>
            scene({ target: "lb2" }, [
                [0, "lb1"],
                [11_000, ""],
                [until, "lb1"],
            ]);
        assert.deepEqual(rules(blink(11_140)), []);
        assert.deepEqual(rules(blink(11_400)), ["gap"]);
    });

    it("finds two owners, except while VRRP is cut both ways", () => {
        const two: [number, string][] = [
            [0, "lb1"],
            [13_000, "lb1 lb2"],
            [21_500, "lb1"],
        ];
        assert.deepEqual(rules(scene({ kind: "VRRP cut both ways" }, two)), []);
        assert.deepEqual(rules(scene({ kind: "VRRP cut one way" }, two)), ["one owner"]);
        assert.deepEqual(rules(scene({ kind: "haproxy killed", target: "lb2" }, two)), ["one owner"]);
    });

    it("finds two owners that stay after VRRP was cut both ways", () => {
        const two: [number, string][] = [
            [0, "lb1"],
            [13_000, "lb1 lb2"],
        ];
        assert.deepEqual(rules(scene({ kind: "VRRP cut both ways" }, two)), ["one owner", "in the end"]);
    });

    it("wants status to say that there are two, if it was asked", () => {
        const cut = (told: boolean) =>
            scene({ kind: "VRRP cut both ways", told }, [[0, "lb1"]], undefined, { tells: true });
        assert.deepEqual(rules(cut(true)), []);
        assert.deepEqual(rules(cut(false)), ["told"]);
    });

    it("finds an owner that cannot serve", () => {
        // Noticed after 2 checks of 2 s and 1 s, and resigned 0.6 s later; 3 s of slack in all.
        const stays = (until: number) =>
            scene({ kind: "haproxy stopped" }, [
                [0, "lb1"],
                [until, "lb2"],
            ]);
        assert.deepEqual(rules(stays(18_700)), []);
        const [violation] = violationsOf(stays(18_760));
        assert.equal(violation?.rule, "serves");
        assert.equal(violation?.message, "haproxy stopped on lb1: lb1 still has the address 8609 ms later");
    });

    it("does not blame the owner after an up that may have repaired it", () => {
        const up = { start: 18_000, end: 19_000, result: "converged" };
        assert.deepEqual(rules(scene({ kind: "haproxy stopped", up }, [[0, "lb1"]])), []);
        assert.deepEqual(rules(scene({ kind: "haproxy stopped", up: { ...up, start: 19_500 } }, [[0, "lb1"]])), [
            "serves",
        ]);
    });

    it("lets requests fail within the bounds only", () => {
        const stopped = (from: number, to: number) =>
            rules(
                scene(
                    { kind: "haproxy stopped" },
                    [
                        [0, "lb1"],
                        [13_000, "lb2"],
                    ],
                    failing(from, to),
                ),
            );
        assert.deepEqual(stopped(10_000, 18_700), []);
        assert.deepEqual(stopped(10_000, 18_800), ["requests"]);
        assert.deepEqual(stopped(9_900, 9_950), ["requests"]);
        assert.deepEqual(
            stopped(20_500, 20_600),
            ["requests"],
            "HAProxy comes back on the BACKUP, which clients do not notice",
        );
    });

    it("lets nobody have the address while both are stopped, until the bound after they start", () => {
        // Back after 1 s, 2 checks of 2 s, 1 s, and the silence of 3.6 s, with 1.5 s of slack.
        const both = (until: number) => {
            const turns: [number, string][] = [
                [0, "lb1"],
                [10_000, ""],
                [until, "lb2"],
            ];
            return rules(scene({ kind: "started at once", calm: until + 1000 }, turns, failing(10_000, until)));
        };
        assert.deepEqual(both(32_100), []);
        assert.deepEqual(both(32_200), ["gap", "requests"]);
    });

    it("finds that the pair did not become calm", () => {
        assert.deepEqual(rules(scene({ calm: undefined }, failover)), ["calm"]);
    });

    it("accepts no history that shows too little", () => {
        const seen = scene({}, failover);
        const blind = { ...seen, samples: seen.samples.filter(({ time }) => time < 15_000 || time > 17_000) };
        for (const [history, message] of [
            [{ ...seen, samples: [] }, "the observer has no samples"],
            [{ ...seen, faults: [] }, "there was no fault"],
            [{ ...seen, requests: [] }, "power cut on lb1: no request was answered after the repair"],
            [blind, "the observer has no samples for 2040 ms"],
        ] as const)
            assert.ok(
                violationsOf(history).some(
                    (violation) => violation.rule === "observed" && violation.message === message,
                ),
                message,
            );
    });
});

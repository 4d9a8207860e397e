import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import {
    apartText,
    type Role,
    Roll,
    type RollAnswers,
    type Standing,
    type Turn,
} from "../../../components/convergence/roll";
import { mockEngine, type Recording, restoreLog } from "../../support/mocks";

const NAMES = ["edge-lb1", "edge-lb2", "edge-lb3"];

/** Lets everything happen that needs no more events. */
const quiet = () => new Promise((resolve) => setImmediate(resolve));

describe("Roll", () => {
    let recording: Recording;
    let roll: Roll;
    const begin = async (preview: boolean, hosts = NAMES, judge?: (answers: RollAnswers) => string[]) => {
        recording = await mockEngine({ preview });
        roll = new Roll(new pulumi.ComponentResource("test:index:Fleet", "edge"), "edge", hosts, { judge });
    };
    after(restoreLog);

    /** The turns of hosts that answer; those whose turn has come, in that order. */
    function answers(
        roles: Partial<Record<string, Role>>,
        current: readonly string[] = [],
        standings: Record<string, Standing> = {},
    ): [string, Turn][] {
        const come: [string, Turn][] = [];
        for (const [host, role] of Object.entries(roles)) {
            const standing = { isCurrent: current.includes(host), ...standings[host] };
            void roll.turn(host, role as Role, standing).then((turn) => come.push([host, turn]));
        }
        return come;
    }
    const go = { refusedBy: [], isStopped: false };
    const texts = () => recording.messages.map(({ severity, text }) => `${severity}: ${text}`);

    it("lets no host change before all have been asked", async () => {
        await begin(false);
        const come = answers({ "edge-lb1": "rolls", "edge-lb2": "atOnce" });
        await quiet();
        assert.equal(come.length, 0);
        void roll.turn("edge-lb3", "unchanged", { isCurrent: true });
        await quiet();
        assert.deepEqual(come, [
            ["edge-lb1", go],
            ["edge-lb2", go],
        ]);
    });

    it("lets hosts that serve change one after the other, in the order of the fleet, whoever answers first", async () => {
        await begin(false);
        const come = answers({ "edge-lb3": "rolls", "edge-lb2": "rolls", "edge-lb1": "rolls" });
        const hosts = () => come.map(([host]) => host);
        for (const [n, host] of NAMES.entries()) {
            await quiet();
            assert.deepEqual(hosts(), NAMES.slice(0, n + 1));
            roll.ended(host, true);
        }
        assert.deepEqual(texts(), []);
    });

    it("lets hosts that need not wait change at once, and passes over those that are away", async () => {
        await begin(false);
        const come = answers({ "edge-lb1": "away", "edge-lb2": "atOnce", "edge-lb3": "rolls" });
        await quiet();
        assert.deepEqual(come, [
            ["edge-lb1", go],
            ["edge-lb2", go],
            ["edge-lb3", go],
        ]);
        roll.ended("edge-lb2", false);
        await quiet();
        assert.deepEqual(texts(), []);
    });

    it("stops all that follow a host that fails, and names them once", async () => {
        await begin(false);
        const come = answers({ "edge-lb1": "rolls", "edge-lb2": "rolls", "edge-lb3": "rolls" });
        await quiet();
        roll.ended("edge-lb1", false);
        await quiet();
        assert.deepEqual(come.slice(1), [
            ["edge-lb2", { refusedBy: [], isStopped: true }],
            ["edge-lb3", { refusedBy: [], isStopped: true }],
        ]);
        assert.deepEqual(texts(), [
            "error: edge: edge-lb1 failed, so edge-lb2, edge-lb3 were not changed; correct the cause, then run up again",
        ]);
    });

    it("says nothing more if the last host fails", async () => {
        await begin(false);
        answers({ "edge-lb1": "unchanged", "edge-lb2": "unchanged", "edge-lb3": "rolls" });
        await quiet();
        roll.ended("edge-lb3", false);
        await quiet();
        assert.deepEqual(texts(), []);
    });

    it("lets nothing change if a host refuses", async () => {
        await begin(false);
        const come = answers({ "edge-lb1": "rolls", "edge-lb2": "refuses", "edge-lb3": "atOnce" });
        await quiet();
        const refused = { refusedBy: ["edge-lb2"], isStopped: false };
        assert.deepEqual(
            come,
            NAMES.map((host) => [host, refused]),
        );
    });

    it("lets no host wait for those that do not exist because one has an error", async () => {
        await begin(false);
        const come = answers({ "edge-lb1": "rolls" });
        roll.cancel("edge-lb2");
        await quiet();
        assert.deepEqual(come, [["edge-lb1", { refusedBy: ["edge-lb2"], isStopped: false }]]);
    });

    it("counts the first answer of a host, because a host that fails later has been asked", async () => {
        await begin(false);
        const come = answers({ "edge-lb1": "refuses", "edge-lb2": "rolls" });
        void roll.turn("edge-lb1", "away");
        await quiet();
        assert.equal(come.length, 0);
        void roll.turn("edge-lb3", "atOnce");
        await quiet();
        assert.ok(come.every(([, { refusedBy }]) => refusedBy[0] === "edge-lb1"));
    });

    describe("with a service address", () => {
        const master: Standing = { seen: { role: "MASTER", holds: "all" } };
        const backup: Standing = { seen: { role: "BACKUP", holds: "none" } };
        const pair = ["edge-lb1", "edge-lb2"];
        const together = "the password of the pair changes";

        for (const [title, seen] of [
            ["is MASTER, whatever it has", { role: "MASTER", holds: "none" }],
            ["has the address, whatever it is", { role: "FAULT", holds: "some" }],
        ] as const) {
            it(`lets a host that ${title} change last`, async () => {
                await begin(false, pair);
                const come = answers({ "edge-lb1": "rolls", "edge-lb2": "rolls" }, [], {
                    "edge-lb1": { seen },
                    "edge-lb2": backup,
                });
                await quiet();
                assert.deepEqual(come, [["edge-lb2", go]]);
                roll.ended("edge-lb2", true);
                await quiet();
                assert.deepEqual(come.slice(1), [["edge-lb1", go]]);
            });
        }

        it("lets it wait also for hosts that need not wait otherwise, and leaves it as it is if one of them fails", async () => {
            await begin(false);
            const roles = { "edge-lb1": "atOnce", "edge-lb2": "atOnce", "edge-lb3": "unchanged" } as const;
            const come = answers(roles, [], { "edge-lb1": master, "edge-lb2": backup });
            await quiet();
            assert.deepEqual(come, [
                ["edge-lb2", go],
                ["edge-lb3", go],
            ]);
            roll.ended("edge-lb2", false);
            await quiet();
            assert.deepEqual(come.slice(2), [["edge-lb1", { refusedBy: [], isStopped: true }]]);
            assert.deepEqual(texts(), [
                "error: edge: edge-lb2 failed, so edge-lb1 was not changed; correct the cause, then run up again",
            ]);
        });

        it("lets hosts that need not wait change at once if nothing is due on the one that has it", async () => {
            await begin(false);
            const roles = { "edge-lb1": "unchanged", "edge-lb2": "atOnce", "edge-lb3": "atOnce" } as const;
            const come = answers(roles, [], { "edge-lb1": master, "edge-lb2": backup, "edge-lb3": backup });
            await quiet();
            assert.equal(come.length, 3);
        });

        it("leaves a host as it is that must change together with one that is away, and no other waits for it", async () => {
            await begin(false);
            const roles = { "edge-lb1": "rolls", "edge-lb2": "rolls", "edge-lb3": "away" } as const;
            const come = answers(roles, [], { "edge-lb1": { together }, "edge-lb2": master });
            await quiet();
            const without = { hosts: ["edge-lb3"], because: "away" };
            assert.deepEqual(come, [
                ["edge-lb1", { refusedBy: [], isStopped: false, without }],
                ["edge-lb2", go],
                ["edge-lb3", go],
            ]);
        });

        it("leaves a host as it is that must change together with one that the up leaves alone", async () => {
            await begin(false, pair);
            const standings = { "edge-lb1": { ...master, together }, "edge-lb2": { ...backup, together } };
            const come = answers({ "edge-lb1": "rolls", "edge-lb2": "rolls" }, [], standings);
            await quiet();
            assert.deepEqual(come, [["edge-lb2", go]]);
            roll.ended("edge-lb2", true, false);
            await quiet();
            const without = { hosts: ["edge-lb2"], because: "untouched" } as const;
            assert.deepEqual(come.slice(1), [["edge-lb1", { refusedBy: [], isStopped: false, without }]]);
            assert.equal(
                apartText("edge-lb1", together, without),
                "edge-lb1: nothing changes here, because the password of the pair changes, which all hosts must get in one up, and this up leaves edge-lb2 alone; run up without --target",
            );
        });

        it("does not take a host for away that a preview cannot ask yet", async () => {
            await begin(true, pair);
            const come = answers({ "edge-lb1": "rolls", "edge-lb2": "later" }, [], {
                "edge-lb1": { ...master, together },
            });
            await quiet();
            assert.deepEqual(come[0], ["edge-lb1", go]);
        });

        it("gives all roles to the judge once all were asked, and shows its warnings", async () => {
            const given: RollAnswers[] = [];
            await begin(false, NAMES, (all) => {
                given.push(all);
                return ["both are MASTER; look at the network between them"];
            });
            const come = answers({ "edge-lb3": "unchanged", "edge-lb1": "away" }, [], { "edge-lb3": backup });
            await quiet();
            assert.deepEqual(given, []);
            void roll.turn("edge-lb2", "later");
            await quiet();
            assert.equal(come.length, 2);
            assert.deepEqual(given, [
                { roles: [{ host: "edge-lb3", role: "BACKUP", holds: "none" }], absent: ["edge-lb1"] },
            ]);
            assert.deepEqual(texts(), ["warn: edge: both are MASTER; look at the network between them"]);
        });

        for (const [title, roles, standings, text] of [
            [
                "names the host that has the address last, and says why",
                { "edge-lb1": "rolls", "edge-lb2": "rolls" },
                { "edge-lb1": master, "edge-lb2": backup },
                "an up changes edge-lb2, then edge-lb1, which has the service address, and stops if one fails",
            ],
            [
                "says why also of a MASTER without it",
                { "edge-lb1": "atOnce", "edge-lb2": "rolls" },
                { "edge-lb1": { seen: { role: "MASTER", holds: "none" } }, "edge-lb2": backup },
                "an up changes edge-lb2, then edge-lb1, which is MASTER, and stops if one fails",
            ],
            [
                "names it alone if it is the only one",
                { "edge-lb1": "rolls", "edge-lb2": "unchanged" },
                { "edge-lb1": master, "edge-lb2": { ...backup, isCurrent: true } },
                "1 of 2 hosts has the new configuration; an up changes edge-lb1, which has the service address",
            ],
        ] as const) {
            it(`${title}, in a preview`, async () => {
                await begin(true, pair);
                answers(roles, [], standings);
                await quiet();
                assert.deepEqual(texts(), [`info: edge: ${text}`]);
            });
        }
    });

    describe("in a preview", () => {
        for (const [title, roles, current, text] of [
            [
                "names the order",
                { "edge-lb1": "rolls", "edge-lb2": "rolls", "edge-lb3": "rolls" },
                [],
                "an up changes edge-lb1, then edge-lb2, then edge-lb3, and stops if one fails",
            ],
            [
                "counts the hosts that have the new configuration, also if they have drifted",
                { "edge-lb1": "unchanged", "edge-lb2": "atOnce", "edge-lb3": "rolls" },
                ["edge-lb1", "edge-lb2"],
                "2 of 3 hosts have the new configuration; an up changes edge-lb3",
            ],
            [
                "counts one",
                { "edge-lb1": "unchanged", "edge-lb2": "rolls", "edge-lb3": "rolls" },
                ["edge-lb1"],
                "1 of 3 hosts has the new configuration; an up changes edge-lb2, then edge-lb3, and stops if one fails",
            ],
            [
                "leaves out hosts that cannot be asked",
                { "edge-lb1": "away", "edge-lb2": "rolls", "edge-lb3": "rolls" },
                [],
                "an up changes edge-lb2, then edge-lb3, and stops if one fails",
            ],
            ["says nothing if a host refuses", { "edge-lb1": "refuses", "edge-lb2": "rolls", "edge-lb3": "rolls" }, []],
            [
                "says nothing if no host waits",
                { "edge-lb1": "atOnce", "edge-lb2": "away", "edge-lb3": "unchanged" },
                [],
            ],
        ] as readonly (readonly [string, Record<string, Role>, string[], string?])[]) {
            it(title, async () => {
                await begin(true);
                const come = answers(roles, current);
                await quiet();
                assert.equal(come.length, 3);
                assert.deepEqual(texts(), text === undefined ? [] : [`info: edge: ${text}`]);
            });
        }

        it("says nothing of a fleet of one", async () => {
            await begin(true, ["edge-lb1"]);
            answers({ "edge-lb1": "rolls" });
            await quiet();
            assert.deepEqual(texts(), []);
        });
    });
});

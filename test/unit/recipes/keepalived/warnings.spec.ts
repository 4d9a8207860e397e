import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostProgram } from "../../../../components/scripts";

/** What the program says of keepalived's words, which came so many seconds ago. */
function warnings(...words: [ago: number, text: string][]): string[] {
    const now = Math.floor(Date.now() / 1000);
    const input = words.map(([ago, text]) => `${now - ago}.5 lb1 Keepalived_vrrp[7]: ${text}\n`).join("");
    const { stdout, stderr } = spawnSync("perl", ["-we", hostProgram("keepalived", "pair-warnings.pl"), "lb2", "51"], {
        input,
        encoding: "utf8",
    });
    assert.equal(stderr, "");
    return stdout.split("\n").filter(Boolean);
}

describe("warnings of keepalived", () => {
    // The words of 2.1.5, 2.2.7 and 2.3.3, as measured.
    for (const [what, ...texts] of [
        [
            "another password",
            "(pair) received an invalid passwd!",
            "(pair) received an invalid passwd from 192.0.2.12!",
        ],
        [
            "a password where there is none",
            "(pair) received a 1 auth, expecting 0!",
            "(pair) received a 1 auth from 192.0.2.12, expecting 0!",
        ],
        [
            "another list of addresses",
            "(pair) received an unexpected ip number count 1, expected 2!",
            "(pair) expected 2 VIPs but received 1",
            "(pair) ip address associated with VRID 51 not present in MASTER advert: 192.0.2.100",
        ],
        [
            "another interval",
            "(pair) advertisement interval mismatch mine=2 sec rcv'd=1 sec",
            "(pair) advertisement interval mismatch with 192.0.2.12 mine=2 sec rcv'd=1 sec",
        ],
    ] as const) {
        it(`name ${what}, once, and when it was last`, () => {
            for (const text of texts) {
                const [first, ...more] = warnings([90, text], [30, text]);
                assert.deepEqual(more, []);
                const [word, said = "", ago] = first?.split("\t") ?? [];
                assert.equal(word, "warning");
                assert.ok(
                    said.includes(
                        `adverts ${what === "a password where there is none" ? "arrive with " : "with "}${what}`,
                    ),
                    said,
                );
                assert.match(said, /; converge both hosts; .* router id 51: give this pair another one/);
                assert.ok(Number(ago) >= 30 && Number(ago) < 60, ago);
            }
        });
    }

    it("name two MASTERs only if that lasts, because both are for a moment if they start at once", () => {
        const text = "(pair) Received advert from 192.0.2.12 with lower priority 100, ours 101, forcing new election";
        assert.deepEqual(warnings([5, text], [4, text]), []);
        assert.match(
            warnings([5, text], [4, text], [3, text]).join(),
            /^warning\tlb2 is MASTER, too; see whether VRRP/,
        );
    });

    it("are silent about what is normal", () => {
        const normal = [
            "(pair) Entering MASTER STATE",
            "VRRP_Script(haproxy) succeeded",
            "(pair) Entering BACKUP STATE",
        ];
        assert.deepEqual(warnings(...normal.map((text): [number, string] => [9, text])), []);
    });
});

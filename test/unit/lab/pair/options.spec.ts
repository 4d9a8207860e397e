import assert from "node:assert/strict";
import { optionsOf, UsageError } from "../../../../lab/pair/options";
import { kinds } from "../../../../lab/pair/plan";

describe("npm run nemesis", () => {
    it("has 20 faults of every kind, with a seed by chance, unless it is told otherwise", () => {
        const { seed, ...others } = optionsOf([], 0.25);
        assert.equal(seed, 250_000);
        const usual = { faults: 20, ups: 0.5, only: [...kinds], failback: "never", release: "2.6", figures: false };
        assert.deepEqual({ ...others, only: [...others.only] }, usual);
        const given = optionsOf(
            ["--faults", "3", "--seed=7", "--only", "power cut,disk full", "--failback", "immediate"],
            0,
        );
        assert.deepEqual([given.faults, given.seed, given.failback], [3, 7, "immediate"]);
        assert.deepEqual(given.only, ["power cut", "disk full"]);
    });

    for (const [args, message] of [
        [["--faults", "0"], /^--faults 0: use a whole number from 1 to 10000$/],
        [["--seed", "1.5"], /^--seed 1.5: use a whole number from 0 to 4294967295$/],
        [["--ups", "2"], /^--ups 2: use a number from 0 to 1$/],
        [["--only", "fire"], /^--only fire: no such fault; there are haproxy killed, /],
        [["--failback", "later"], /^--failback later: use never or immediate$/],
        [["--release", "1.8"], /^--release HAProxy 1.8: no lab image; use one of /],
        [["--fault", "1"], /^Unknown option '--fault'[\s\S]*npm run nemesis \[-- OPTION...\]/],
    ] as const)
        it(`refuses ${args.join(" ")}`, () => {
            assert.throws(
                () => optionsOf(args, 0),
                (error) => error instanceof UsageError && message.test(error.message),
            );
        });
});

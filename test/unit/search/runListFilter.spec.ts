import assert from "node:assert/strict";
import fc from "fast-check";
import { literalFilter, runListPatterns } from "../../../components/search/runListFilter";
import { matchesFilter } from "../../support/ec2Filters";

const matches = (entry: string, value: string) => runListPatterns(entry).filter((each) => matchesFilter(each, value));
/** The entries of a tag's value, read in the plainest way. */
const entriesOf = (value: string) => value.split(/[ ,]/).filter((entry) => entry !== "");

describe("filters of EC2 for an entry of a run list", () => {
    // Few characters, so that entries often contain one another, and all that mean something to a filter.
    const entry = fc.string({ unit: fc.constantFrom(..."aB:*?\\-"), minLength: 1, maxLength: 4 });
    const value = fc.string({ unit: fc.constantFrom(..."aAB:*?\\-,, "), maxLength: 16 });

    it("match exactly the values with this entry, whatever stands around it", () => {
        const around = fc.tuple(value, entry, value, fc.boolean(), fc.boolean());
        fc.assert(
            fc.property(around, ([before, wanted, after, first, last]) => {
                const tag = `${first ? "" : before}${wanted}${last ? "" : after}`;
                for (const text of [tag, before, `${before},${wanted} ${after}`, wanted.toLowerCase()])
                    assert.equal(matches(wanted, text).length > 0, entriesOf(text).includes(wanted), text);
            }),
            { numRuns: 2000 },
        );
    });

    it("are one for each place that an entry can have, and no more", () => {
        const places = ["X", "X,b", "X b", "a,X", "a X", "a,X,b", "a X b", "a,X b", "a X,b"];
        const found = places.map((place) => matches("X", place));
        assert.deepEqual(
            found.map(({ length }) => length),
            places.map(() => 1),
        );
        assert.deepEqual([...new Set(found.flat())].sort(), runListPatterns("X").sort());
    });

    it("find no substring, no other case, and nothing that a wildcard of the name would stand for", () => {
        for (const [wanted, text] of [
            ["shop::app", "shop::app2"],
            ["shop::app", "my-shop::app"],
            ["shop::app", "Shop::app"],
            ["shop::app", "recipe[shop::app]"],
            ["shop::app", "shop::app;docs::app"],
            ["shop::app", ""],
            ["sh*p", "shop"],
            ["sho?", "shop"],
            ["sho\\p", "shop"],
        ] as const)
            assert.deepEqual(matches(wanted, text), [], text);
    });

    it("match a whole value literally, such as the name of an environment", () => {
        fc.assert(
            fc.property(value, value, (one, other) => {
                assert.equal(matchesFilter(literalFilter(one), other), one === other);
                assert.ok(matchesFilter(literalFilter(one), one));
            }),
        );
    });

    it("are refused for what is no entry, or too long for a filter", () => {
        for (const wanted of ["", "a b", "a,b"]) assert.throws(() => runListPatterns(wanted), /is no entry of a run/);
        const longest = "a".repeat(251);
        assert.equal(Math.max(...runListPatterns(longest).map(({ length }) => length)), 255);
        assert.throws(() => runListPatterns(`${longest}a`), /too long for a filter of EC2, which accepts 251 char/);
        // Each of these takes a backslash.
        assert.throws(() => runListPatterns("*".repeat(126)), /too long/);
    });
});

describe("EC2's rules for filters, as these tests have them", () => {
    it("follow the examples of its documentation", () => {
        assert.ok(matchesFilter("\\*amazon\\?\\\\", "*amazon?\\"));
        assert.ok(!matchesFilter("\\*amazon\\?\\\\", "xamazony\\"));
        assert.ok(!matchesFilter("database", "my database"));
        assert.ok(matchesFilter("*database*", "my database."));
        assert.ok(matchesFilter("colo?r", "color") && matchesFilter("colo?r", "colour"));
        assert.ok(!matchesFilter("colo?r", "colouur"));
        assert.ok(!matchesFilter("prod", "Prod"));
    });
});

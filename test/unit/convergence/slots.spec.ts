import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import {
    DIGEST_SLOT,
    fillSlots,
    secretSlots,
    showSlots,
    slot,
    slotsIn,
    withEncoding,
} from "../../../components/convergence/slots";

describe("slots", () => {
    const text = `a ${slot("one")} b ${slot("two.b-2")}${slot("one")} c ${slot(DIGEST_SLOT)}`;

    it("are found once each, in order of appearance", () => {
        assert.deepEqual(slotsIn(text), ["one", "two.b-2", "digest"]);
        assert.deepEqual(secretSlots(text), ["one", "two.b-2"]);
    });

    it("are filled, every occurrence", () => {
        assert.equal(
            fillSlots(text, (name) => name.toUpperCase()),
            "a ONE b TWO.B-2ONE c DIGEST",
        );
    });

    it("are shown by name", () => {
        assert.equal(showSlots(text), "a ‹one› b ‹two.b-2›‹one› c ‹digest›");
    });

    it("are shown as known after an up, if they are named", () => {
        const shown = showSlots(withEncoding(`a ${slot("one")} b ${slot("two")}`, "format"), ["two"]);
        assert.equal(shown, "a ‹one› b ‹two, known after up›");
    });

    it("may have an encoding, which is not shown, and of which the first counts", () => {
        const marked = withEncoding(withEncoding(`a ${slot("one")} b`, "format"), "other");
        assert.deepEqual(slotsIn(marked), ["one/format"]);
        assert.equal(showSlots(marked), "a ‹one› b");
    });

    it("accept any value literally", () => {
        fc.assert(
            fc.property(fc.string(), (value) => {
                assert.equal(
                    fillSlots(`<${slot("x")}>`, () => value),
                    `<${value}>`,
                );
            }),
        );
    });

    it("leave text without slots unchanged", () => {
        const honest = "slot:one ‹one› $& {{x}} ";
        assert.deepEqual(slotsIn(honest), []);
        assert.equal(showSlots(honest), honest);
    });

    it("fail on an invalid name", () => {
        for (const name of ["", "A", "a b", "-a", "a_b", "a\0b", "ä", "a".repeat(64)]) {
            assert.throws(() => slot(name), /^Error: slot: expected a name of 1 to 63 lower-case letters/);
        }
        for (const name of [undefined, null, 5, ["a"], () => "a"] as never[]) {
            assert.throws(
                () => slot(name),
                /^Error: slot: expected a name of .*, got (nothing|null|5|a list|a function)$/,
            );
        }
        assert.throws(() => slot(pulumi.output("a") as never), /^Error: slot: an Output; only plain data can be here/);
    });
});

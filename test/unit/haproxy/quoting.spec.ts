import assert from "node:assert/strict";
import { slot } from "../../../components/convergence/slots";
import { rawLine, slotFault, word } from "../../../components/haproxy/render/quoting";

describe("word", () => {
    it("leaves plain words alone", () => {
        assert.equal(word("10.0.0.1:80"), "10.0.0.1:80");
        assert.equal(word("/stats;up?x=1&y=%20"), "/stats;up?x=1&y=%20");
    });

    it("quotes the least it can", () => {
        assert.equal(word('say "hi" #1 $HOME \\'), `'say "hi" #1 $HOME \\'`);
        assert.equal(word("it's $1"), `"it's \\$1"`);
        assert.equal(word("a\nb"), '"a\\x0ab"');
    });

    it("puts a slot in single quotes whatever stands beside it", () => {
        assert.equal(word(`it's ${slot("x")}`), `"it's "'${slot("x")}'`);
    });
});

describe("slotFault", () => {
    it("refuses what could leave its place, without repeating it", () => {
        for (const value of ["", "a'b", "a\nstats auth x:y", "a\0b", "a\x7f"]) {
            const fault = slotFault(value);
            assert.ok(fault);
            assert.ok(value === "" || !fault.includes(value));
        }
        assert.equal(slotFault('pa ss"\\$#%é'), undefined);
    });
});

describe("rawLine", () => {
    it("fails on a line break, which would begin a line of its own", () => {
        assert.throws(() => rawLine("option x\n    stats admin"), /control characters/);
    });

    it("lets a slot stand", () => {
        assert.equal(rawLine(`user x password ${slot("p")}`), `user x password '${slot("p")}'`);
    });
});

import assert from "node:assert/strict";
import { slot, withEncoding } from "../../../../components/convergence/slots";
import {
    format,
    fragment,
    passwordHash,
    rawLine,
    slotIssue,
    slotValue,
    word,
} from "../../../../components/haproxy/render/quoting";

describe("word", () => {
    it("leaves plain words alone", () => {
        assert.equal(word("10.0.0.1:80"), "10.0.0.1:80");
        assert.equal(word("/stats;up?x=1&y=%20"), "/stats;up?x=1&y=%20");
    });

    it("quotes no more than necessary", () => {
        assert.equal(word('say "hi" #1 $HOME \\'), `'say "hi" #1 $HOME \\'`);
        assert.equal(word("it's $1"), `"it's \\$1"`);
        assert.equal(word("a\nb"), '"a\\x0ab"');
    });

    it("puts a slot into single quotes, whatever is beside it", () => {
        assert.equal(word(`it's ${slot("x")}`), `"it's "'${slot("x")}'`);
    });
});

describe("slotIssue", () => {
    it("refuses values that could leave their quotes, without showing them", () => {
        for (const value of ["", "a'b", "a\nstats auth x:y", "a\0b", "a\x7f"]) {
            const fault = slotIssue(value);
            assert.ok(fault);
            assert.ok(value === "" || !fault.includes(value));
        }
        assert.equal(slotIssue('pa ss"\\$#%é'), undefined);
    });
});

describe("rawLine", () => {
    it("fails on a line break, which would begin another line", () => {
        assert.throws(() => rawLine("option x\n    stats admin"), /control characters/);
    });

    it("quotes slots", () => {
        assert.equal(rawLine(`user x password ${slot("p")}`), `user x password '${slot("p")}'`);
    });
});

describe("a slot", () => {
    const key = slot("key");
    const encoded = (encoding: string) => withEncoding(key, encoding);

    it("in a log-format has its percent signs doubled", () => {
        assert.equal(format(`a %ci ${key}`), `'a %ci ''${encoded("haproxy-format")}'`);
        assert.equal(slotValue("100% %ci", "haproxy-format"), "100%% %%ci");
    });

    it("for the hash of a password must hold one", () => {
        assert.equal(passwordHash(key), encoded("haproxy-hash"));
        assert.equal(passwordHash(`$5$${key}`), `$5$${key}`);
        assert.equal(slotValue("$5$x", "haproxy-hash"), "$5$x");
        assert.match(slotIssue("planted", "haproxy-hash") ?? "", /^is not a hash of crypt\(3\)/);
        assert.equal(slotIssue("abDGzHYIoobBg", "haproxy-hash"), undefined);
    });

    it("in parentheses is one argument", () => {
        assert.equal(fragment(`str(${key}),lower`), `str('${encoded("haproxy-argument")}'),lower`);
        assert.equal(format(`%[str(${key})]`), `%[str('${encoded("haproxy-format-argument")}')]`);
        assert.equal(slotValue('a,b) "\\', "haproxy-argument"), '"a,b) \\"\\\\"');
    });

    it("in a raw rule must not begin a variable", () => {
        assert.equal(rawLine(`set-header A ${key}`, true), `set-header A '${encoded("haproxy-raw")}'`);
        assert.match(slotIssue("100%", "haproxy-raw") ?? "", /percent sign/);
        assert.match(slotIssue("a]", "haproxy-format-argument") ?? "", /closing bracket/);
    });

    it("in parentheses that follow no name is text", () => {
        const raw = encoded("haproxy-raw");
        assert.equal(rawLine(`set-header A ":) (${key})"`, true), `set-header A ":) ("'${raw}'")"`);
        assert.equal(
            fragment(`path_reg ^/(${key})$ str((a),${key})`),
            `path_reg ^/('${key}')$ str((a),'${encoded("haproxy-argument")}')`,
        );
    });

    it("inside quotes is taken out of them, and gets its own", () => {
        assert.equal(rawLine(`a "b ${key} c" 'd ${key}' # ${key}`), `a "b "'${key}'" c" 'd ${key}' # ${key}`);
    });
});

describe("fragment", () => {
    for (const [text, expected] of [
        ["path_reg ^/a#b$", "path_reg ^/a\\#b$"],
        ["str('#') '' \"\"", "str('#')  "],
        ["it's", "it\\'s"],
        ["a\\", "a\\\\"],
        ['"a\\"b" \\"', '"a\\"b" \\"'],
    ] as const) {
        it(`writes ${text} so that it cannot end the line`, () => {
            assert.equal(fragment(text), expected);
        });
    }
});

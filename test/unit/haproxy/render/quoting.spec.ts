import assert from "node:assert/strict";
import { slot, withEncoding } from "../../../../components/convergence/slots";
import { endpoint } from "../../../../components/haproxy/model/addresses";
import {
    format,
    fragment,
    passwordHash,
    rawLine,
    replacement,
    slotIssue,
    slotPlaceholder,
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

    it("in a log-format may have single quotes", () => {
        assert.equal(slotValue("it's", "haproxy-format"), "it'\\''s");
        assert.equal(slotIssue("it's", "haproxy-format"), undefined);
        assert.match(slotIssue("it's", "haproxy-format-argument") ?? "", /single quote/);
    });

    it("that replaces a match has its backslashes doubled too", () => {
        assert.equal(replacement(`\\1 ${key}`), `'\\1 ''${encoded("haproxy-replacement")}'`);
        assert.equal(slotValue("\\1 100%", "haproxy-replacement"), "\\\\1 100%%");
        assert.equal(slotIssue("it's", "haproxy-replacement"), undefined);
    });

    it("that is an address gets the brackets of IPv6 with its value", () => {
        assert.equal(endpoint({ address: key, port: 80 }), `${encoded("haproxy-address")}:80`);
        assert.equal(endpoint({ address: "::1", port: key }), `[::1]:${encoded("haproxy-port")}`);
        assert.equal(slotValue("2001:db8::1", "haproxy-address"), "[2001:db8::1]");
        for (const value of ["192.0.2.1", "app1.test", "ipv4@app1", "app1.test.", "tcp@192.0.2.1"]) {
            assert.equal(slotIssue(value, "haproxy-address"), undefined, value);
            assert.equal(slotValue(value, "haproxy-address"), value);
        }
    });

    it("can be filled with a placeholder", () => {
        const encodings = [undefined, "haproxy-address", "haproxy-port", "haproxy-format", "haproxy-raw"];
        assert.deepEqual(
            encodings.map((encoding) => slotIssue(slotPlaceholder(encoding), encoding)),
            encodings.map(() => undefined),
        );
    });

    it("that is an address or a port must hold one, which is not shown", () => {
        const addresses = [
            "",
            " ",
            "192.0.2.1:80",
            "https://app.test",
            "[::1]",
            "fe80::1%eth0",
            "app test",
            "a/b",
            "192.0.2.256",
        ];
        for (const value of [...addresses, "app'1", "app1\n", "*"]) {
            const issue = slotIssue(value, "haproxy-address");
            assert.ok(issue, value);
            assert.ok(value.trim() === "" || !issue.includes(value), issue);
        }
        for (const value of ["", "0", "65536", "080", "8o8o", "-1", "80 ", "1e3"]) {
            assert.ok(slotIssue(value, "haproxy-port"), value);
        }
        assert.deepEqual([slotIssue("1", "haproxy-port"), slotIssue("65535", "haproxy-port")], [undefined, undefined]);
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

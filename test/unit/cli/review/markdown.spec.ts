import assert from "node:assert/strict";
import { code, codeBlock, codeLines, digits, names, phrase } from "../../../../cli/review/markdown";

describe("code", () => {
    it("shows a name as it is, and in HTML if it has what ends code or a cell", () => {
        assert.equal(code("edge-lb1").markdown, "`edge-lb1`");
        assert.equal(code("a|b").markdown, "<code>a&#124;b</code>");
        assert.equal(code("a`<b>").markdown, "<code>a&#96;&#60;b&#62;</code>");
        assert.equal(code("a@b.test|").markdown, "<code>a&#64;&#8203;b.test&#124;</code>");
        assert.equal(code("").markdown, "`(empty)`");
    });

    it("shows characters that cannot be seen, and cuts between characters", () => {
        assert.equal(code("a\u202eb\nc\u0000\u200b").markdown, "`a\\u202eb\\x0ac\\x00\\u200b`");
        assert.equal(code("12😀4", 3).markdown, "`12…`");
        assert.equal(code("12😀4", 4).markdown, "`12😀…`");
    });
});

describe("codeBlock", () => {
    it("has a fence that no line closes", () => {
        assert.equal(codeBlock(["+ ````", "-x"], "diff"), "`````diff\n+ ````\n-x\n`````");
    });

    it("moves a line that a forge or a bot would read as a command or a fence", () => {
        assert.equal(codeBlock(["/merge", "~~~", "a"], "text"), "```text\n /merge\n ~~~\na\n```");
    });
});

describe("codeLines", () => {
    it("splits texts, and cuts what no reader would read", () => {
        assert.deepEqual(codeLines(["a\r\nb\tc", "x".repeat(1500)]), [
            "a",
            "b\tc",
            `${"x".repeat(400)}… (1,100 more characters)`,
        ]);
    });
});

describe("phrase", () => {
    it("puts all that is not its own in code, as Markdown and as HTML", () => {
        const { markdown, html } = phrase`\`pulumi up\` on ${names(["a", "<b>"])}: ${1234}`;
        assert.equal(markdown, "`pulumi up` on `a`, `<b>`: 1,234");
        assert.equal(html, "<code>pulumi up</code> on <code>a</code>, <code>&#60;b&#62;</code>: 1,234");
    });

    it("names the first of many", () => {
        assert.equal(names(["a", "b", "c", "d", "e"]).markdown, "`a` and 4 more");
        assert.deepEqual([0, 999, 1000, 1234567].map(digits), ["0", "999", "1,000", "1,234,567"]);
    });
});

import assert from "node:assert/strict";
import type { Resource } from "../../../../components/convergence/kinds/index";
import type { WhyRun } from "../../../../components/convergence/preview/whyRun";
import { slot } from "../../../../components/convergence/slots";
import { differs, packages, words } from "./whyRuns";

/** The lines of a diff, from live to declared. */
function diff(content: string, live: string | Buffer, slots = {}, secretLines: WhyRun["secretLines"] = []): string[] {
    const file: Resource = { kind: "file", path: "/etc/x", content };
    return words(
        [file],
        { differences: [differs("content")], live: new Map([["r0", Buffer.from(live)]]), secretLines },
        slots,
    )
        .slice(3)
        .map((line) => line.slice(6));
}

/** The words for a missing file after "does not exist", then its lines. */
function fresh(content: string | Buffer, ...others: WhyRun["differences"]): string[] {
    const differences = [differs("missing"), ...others];
    const [, title, line = "", ...rest] = words([{ kind: "file", path: "/etc/x", content }, packages], { differences });
    assert.equal(title, "  file[/etc/x]");
    const end = rest.findIndex((other) => other.startsWith("  packages"));
    const lines = end < 0 ? rest : rest.slice(0, end);
    return [line.replace("    does not exist", ""), ...lines.map((other) => other.slice(6))];
}

describe("diff in a report", () => {
    it("is from live to declared", () => {
        assert.deepEqual(diff("a\nb\nc\nd\ne\n", "a\nb\nx\nd\ne\nf\n"), [
            "@@ -1,6 +1,5 @@",
            " a",
            " b",
            "-x",
            "+c",
            " d",
            " e",
            "-f",
        ]);
    });

    it("shows all of a new file, within the same limits", () => {
        assert.deepEqual(fresh(`a ${slot("password")}\nb\n`), ["", "+a ‹password›", "+b"]);
        assert.deepEqual(fresh("a"), ["", "+a", "\\ No newline at end of file"]);
        assert.deepEqual(fresh(""), [""]);
        assert.deepEqual(fresh(slot("key")), ["", "(it holds secrets: its lines are not shown)"]);
        assert.deepEqual(fresh(Buffer.from("a")), ["", "(not text: its lines are not shown)"]);
        assert.deepEqual(fresh("x".repeat(262_145)), ["", "(too large: its lines are not shown)"]);
        assert.deepEqual(fresh("x\n".repeat(2001)), ["", "(more than 2000 lines differ: too many to show)"]);
        assert.equal(fresh("x\n".repeat(2000)).length, 2001);
    });

    it("shows all of a new file on a bare host, too", () => {
        assert.equal(fresh("x\n".repeat(300), differs("missing", "haproxy", "r1")).length, 301);
    });

    it("shows a missing final newline, and carriage returns", () => {
        assert.ok(diff("a\n", "a").includes("\\ No newline at end of file"));
        assert.ok(diff("a\n", "a\r\n").includes("-a\\x0d"));
    });

    it("shows slots by name", () => {
        assert.deepEqual(diff(`user ${slot("password")}\nnew\n`, "user s3cret\n", { password: "s3cret" }), [
            "@@ -1,1 +1,2 @@",
            " user ‹password›",
            "+new",
        ]);
    });

    it("hides a rotated secret, and one that only earlier converges knew", () => {
        const remembered = [{ path: "/etc/x", prefix: "cookie" }];
        const lines = diff(`user ${slot("password")}\n`, "user old1\ncookie old2\n", { password: "new" }, remembered);
        assert.deepEqual(lines, ["@@ -1,2 +1,1 @@", "-user ‹hidden›", "-cookie ‹hidden›", "+user ‹password›"]);
        const elsewhere = [{ path: "/etc/y", prefix: "cookie" }];
        assert.ok(diff("a\n", "cookie plain\n", {}, elsewhere).includes("-cookie plain"));
    });

    it("does not show the line of the digest as a change", () => {
        const declared = `global\nset-var proc.cfg str("${slot("digest")}")\nmaxconn 2\n`;
        const live = `global\nset-var proc.cfg str("${"a".repeat(64)}")\nmaxconn 1\n`;
        assert.deepEqual(diff(declared, live), [
            "@@ -1,3 +1,3 @@",
            " global",
            ' set-var proc.cfg str("‹digest›")',
            "-maxconn 1",
            "+maxconn 2",
        ]);
    });

    it("says so if only the digest differs", () => {
        const digest = ["(only the digest differs: a hash of all files of the transaction)"];
        const declared = `a ${slot("digest")}\nkey ${slot("key")}\n`;
        assert.deepEqual(diff(declared, "a 0123\nkey planted\n", { key: "planted" }), digest);
        assert.equal(diff(declared, "a 0123\nkey old\n", { key: "planted" }).at(-1), "+key ‹key›");
    });

    it("is left out if too many lines differ", () => {
        const lines = (word: string) => Array.from({ length: 1001 }, (_, n) => `${word} ${n}\n`).join("");
        assert.deepEqual(diff(lines("a"), lines("b")), ["(more than 2000 lines differ: too many to show)"]);
    });

    it("is left out if the file is not text, too large, or secret as a whole", () => {
        const large = "x".repeat(262_145);
        assert.deepEqual(diff("a\n", Buffer.from([1, 0, 2])), ["(not text: its lines are not shown)"]);
        assert.deepEqual(diff("a\n", large), ["(too large: its lines are not shown)"]);
        assert.deepEqual(diff(large, "a\n"), ["(too large: its lines are not shown)"]);
        assert.deepEqual(diff(slot("key"), "old\n", { key: "new\n" }), ["(it holds secrets: its lines are not shown)"]);
        const bytes: Resource = { kind: "file", path: "/etc/x", content: Buffer.from("a") };
        const lines = words([bytes], { differences: [differs("content")], live: new Map([["r0", Buffer.from("b")]]) });
        assert.equal(lines[3]?.trim(), "(not text: its lines are not shown)");
    });

    describe("of a file with a summary", () => {
        /** Knows texts such as `name shop secret 1`. */
        const summary = (text: string) => {
            const [, name, secret] = /^name (\S+) secret (\S+)$/m.exec(text) ?? assert.fail(`unreadable: ${text}`);
            return ["kind    text", `name    ${name}`, `length  ${secret?.length}`];
        };
        const pem = (name: string, secret: string) => `-----BEGIN PRIVATE KEY-----\nname ${name} secret ${secret}\n`;
        const diffOf = (live: string | Buffer | undefined, value?: string, content = slot("pem")) => {
            const file: Resource = { kind: "file", path: "/etc/x", content, summary };
            const differences = [differs(live === undefined ? "missing" : "content")];
            const lives = live === undefined ? [] : [["r0", Buffer.from(live)] as const];
            const slots: Record<string, string> = value === undefined ? {} : { pem: value };
            return words([file], { differences, live: new Map(lives) }, slots, value === undefined ? ["pem"] : [])
                .slice(3)
                .map((line) => line.slice(6));
        };

        it("is one of the summaries, though the file is secret", () => {
            assert.deepEqual(diffOf(pem("shop", "abc"), pem("docs", "abcde")), [
                " kind    text",
                "-name    shop",
                "-length  3",
                "+name    docs",
                "+length  5",
            ]);
            assert.deepEqual(diffOf(pem("shop", "abc"), pem("shop", "cba")), ["(only hidden parts differ)"]);
        });

        it("shows the whole summary of a new file", () => {
            assert.deepEqual(diffOf(undefined, pem("docs", "abcde")), ["+kind    text", "+name    docs", "+length  5"]);
        });

        it("says what cannot be read, without its words", () => {
            const declared = ["+kind    text", "+name    docs", "+length  5"];
            for (const live of ["planted\n", Buffer.from([0, 1])]) {
                assert.deepEqual(diffOf(live, pem("docs", "abcde")), ["-(cannot be read)", ...declared]);
            }
            const large = diffOf(`${"x".repeat(262_144)}\n`, pem("docs", "abcde"));
            assert.deepEqual(large, ["-(too large to be read)", ...declared]);
            assert.deepEqual(diffOf("planted\n", "planted anew\n"), ["(only hidden parts differ)"]);
        });

        it("names a value that only an up knows, and says that the file may be as declared", () => {
            const live = pem("shop", "abc");
            const unknown = ["-kind    text", "-name    shop", "-length  3", "+‹pem, known after up›"];
            assert.deepEqual(diffOf(live), unknown);
            assert.deepEqual(diffOf(live, undefined, `${slot("pem")}\n`), unknown);
            const file: Resource = { kind: "file", path: "/etc/x", content: slot("pem"), summary };
            const change = { differences: [differs("content")], live: new Map([["r0", Buffer.from(live)]]) };
            assert.match(words([file], change, {}, ["pem"])[2] ?? "", /content may differ/);
        });
    });

    it("contains no terminal escapes and no endless line", () => {
        const lines = diff("a\n", `\x1b[2J${"y".repeat(1000)}\x9b1A\n`);
        assert.ok(lines.some((line) => line.startsWith("-\\x1b[2Jyyy") && line.endsWith("y…")));
        assert.ok(lines.every((line) => line.length < 450));
        assert.doesNotMatch(lines.join("\n"), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    });
});

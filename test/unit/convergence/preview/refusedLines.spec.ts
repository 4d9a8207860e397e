import assert from "node:assert/strict";
import fc from "fast-check";
import type { DeclaredFile } from "../../../../components/convergence/kinds/kind";
import { refusedLines } from "../../../../components/convergence/preview/refusedLines";
import { slot } from "../../../../components/convergence/slots";

const file: DeclaredFile = {
    path: "/etc/demo/demo.cfg",
    content: `global\n    auth ${slot("password")}\n    bind :80\n`,
    lineSources: ["global", null, "services[2].port"],
};
const shown = (words: string, files = [file], slots: Record<string, string> = { password: "pl4nted" }) =>
    refusedLines(words, files, slots);

describe("refusedLines", () => {
    it("shows the line that is named, and where it comes from", () => {
        assert.deepEqual(shown("[ALERT] config : parsing [/etc/demo/demo.cfg:3] : unknown word\nFatal errors"), [
            "[ALERT] config : parsing [/etc/demo/demo.cfg:3] : unknown word",
            "  line 3: bind :80",
            "  from services[2].port",
            "Fatal errors",
        ]);
    });

    it("shows a line without a known source alone, and every line of several", () => {
        assert.deepEqual(shown("'/etc/demo/demo.cfg:2' and /etc/demo/demo.cfg:1, twice /etc/demo/demo.cfg:2"), [
            "'/etc/demo/demo.cfg:2' and /etc/demo/demo.cfg:1, twice /etc/demo/demo.cfg:2",
            "  line 2: auth ‹password›",
            "  line 1: global",
            "  from global",
        ]);
    });

    it("shows each line once, below its first mention", () => {
        const words = "/etc/demo/demo.cfg:3: one\n/etc/demo/demo.cfg:3: two";
        assert.deepEqual(shown(words), [
            "/etc/demo/demo.cfg:3: one",
            "  line 3: bind :80",
            "  from services[2].port",
            "/etc/demo/demo.cfg:3: two",
        ]);
    });

    it("shows nothing for missing lines, other files, and bytes", () => {
        for (const words of [
            "/etc/demo/demo.cfg:0",
            "/etc/demo/demo.cfg:4",
            "/etc/demo/demo.cfg:99999999999999999999",
            "/etc/demo/demo.cfg",
            "/srv/etc/demo/demo.cfg:3",
            "/etc/demo/demoXcfg:3",
        ]) {
            assert.deepEqual(shown(words), [words]);
        }
        assert.deepEqual(shown("/etc/demo/demo.cfg:1", [{ ...file, content: Buffer.from("a\n") }]), [
            "/etc/demo/demo.cfg:1",
        ]);
    });

    it("counts lines of the filled file, in which a value may have several", () => {
        const key: DeclaredFile = { path: "/k", content: `begin\n${slot("pem")}\nend\n`, lineSources: ["a", "b", "c"] };
        const of = (n: number) => shown(`/k:${n}`, [key], { pem: "planted-1\nplanted-2\nplanted-3" }).slice(1);
        assert.deepEqual(
            [2, 3, 4].map(of),
            Array(3)
                .fill(undefined)
                .map((_, n) => [`  line ${n + 2}: ‹pem›`, "  from b"]),
        );
        assert.deepEqual(of(5), ["  line 5: end", "  from c"]);
    });

    it("shows no value of a slot, whatever the daemon says and the file holds", () => {
        const value = fc.stringMatching(/^[!-~]{3,20}$/).map((text) => `planted${text}`);
        const text = fc.string({ maxLength: 30 });
        fc.assert(
            fc.property(value, text, text, fc.nat(6), (password, before, after, number) => {
                const declared = { ...file, content: `${before}\n${slot("password")}${after}\nliteral ${password}\n` };
                const words = `${before}${password}${after} [/etc/demo/demo.cfg:${number}] ${password}`;
                assert.doesNotMatch(shown(words, [declared], { password }).join("\n"), /planted/);
            }),
        );
    });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Content } from "../../../../components/convergence/kinds/index";
import { describeShells, lines } from "../../../support/sandbox";
import { content, fragment } from "../../../support/texts";

describeShells("output", (sandbox) => {
    it("prints any text in short lines of plain ASCII", () => {
        fc.assert(
            fc.property(content, (text) => {
                const payload = sandbox().payload(sandbox().files([text]), {
                    shell: 'run_list() { say "$(content_0)"; }',
                });
                sandbox().run(payload, "apply");
                for (const line of readFileSync(sandbox().path("run/log.test"), "latin1").split("\n")) {
                    assert.match(line, /^[ -~]{0,300}$/);
                }
            }),
            { numRuns: 30 },
        );
    });

    it("never prints a part of a secret, wherever a line is cut", () => {
        const value = "0123456789-planted-secret-0123456789";
        const shell = `run_list() {
            column=x
            while [ "\${#column}" -lt 330 ]; do
                column=xxxxxxx$column
                say "$column""${value}"
                say "$(printf '%s\\n' "$column""${value}""$column$column" | last_words)"
            done
        }`;
        sandbox().run(sandbox().payload([], { shell, slots: { slot: value } }), "apply");
        const said = readFileSync(sandbox().path("run/log.test"), "utf8");
        assert(lines(said).length > 80, said);
        assert.doesNotMatch(said, /[0-9]|planted/);
    });

    it("hides each line of a private key, and no certificate", () => {
        const lines = [40, 64, 64, 12].map((length, n) => `${n}/+${"Qx7".repeat(22)}`.slice(0, length));
        // A short value that is a part of a long line must not keep that from being found.
        const key = `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
        const pem = `-----BEGIN CERTIFICATE-----\nMII${"c".repeat(61)}\n-----END CERTIFICATE-----\n${key}`;
        const words = pem.split("\n").map((line) => `say 'x ${line} x'`);
        // It must leave IFS as it was, set or unset.
        const fields = 'text="a b,c"; set -- $text; say "$#"';
        const shell = `run_list() { IFS=,; ${words.join("; ")}; ${fields}; unset IFS; say x; ${fields}; }`;
        sandbox().run(sandbox().payload([], { shell, slots: { pem, part: "Qx7Qx7" } }), "apply");
        assert.equal(
            readFileSync(sandbox().path("run/log.test"), "utf8").split("\nnothing to do")[0],
            [
                "x -----BEGIN CERTIFICATE----- x",
                `x MII${"c".repeat(61)} x`,
                "x -----END CERTIFICATE----- x",
                "x -----BEGIN PRIVATE KEY----- x",
                ...lines.map(() => "x <pem> x"),
                "x -----END PRIVATE KEY----- x",
                "x  x",
                "2",
                "x",
                "2",
            ].join("\n"),
        );
    });

    it("hides secrets as fast as it has to if there are thousands of lines", () => {
        const seconds = (count: number) => {
            const slots = Object.fromEntries(
                Array.from({ length: count }, (_, n) => [`s${n}`, `${n}-${"x".repeat(40)}\n${n}-y`]),
            );
            const shell = 'run_list() { for n in 1 2 3; do say "a line"; say "$column"; done; }';
            const payload = sandbox().payload([], { shell: `column=${"x".repeat(200)}\n${shell}`, slots });
            const began = process.hrtime.bigint();
            assert.equal(sandbox().run(payload, "apply").code, 0);
            return Number(process.hrtime.bigint() - began) / 1e9;
        };
        const [few, many] = [seconds(50), seconds(5000)];
        // One by one they took a minute and more.
        assert(many < 100 * Math.max(few, 0.1), `${few} s, ${many} s`);
    });

    it("names the files of a transaction that differed, some of many", () => {
        const shell = `run_list() {
            label='file[/x]' && differs content && differs mode
            label='transaction[demo]'
            for part in $(seq 1 99); do differs content; done
            part= && differs stopped
            label=x
        }`;
        sandbox().run(sandbox().payload([], { shell }), "apply");
        const files = Array.from({ length: 13 }, (_, n) => `${n + 1}: content`).join(", ");
        assert.equal(
            lines(readFileSync(sandbox().path("run/log.test"), "utf8"))[0],
            `changed: file[/x] (content, mode), transaction[demo] (${files}, 87 more)`,
        );
    });

    it("never prints a secret, whatever surrounds it", () => {
        const secret = fc.oneof(
            fc.string({ minLength: 3, maxLength: 60 }),
            fc.array(fragment, { minLength: 3, maxLength: 8 }).map((parts) => parts.join("")),
        );
        fc.assert(
            fc.property(content, secret, content, (before, value, after) => {
                const line = value.split("\n").find((part) => part.trim().length >= 3);
                fc.pre(line !== undefined && !value.includes("\0") && !"slot".includes(line));
                const words = Buffer.concat([before, value, after, value].map(bytes));
                const payload = sandbox().payload(sandbox().files([words]), {
                    shell: `run_list() { content_0 >"$run/step.out"; label=x; fail_step; }`,
                    slots: { slot: value },
                });
                sandbox().run(payload, "apply");
                const said = readFileSync(sandbox().path("run/log.test"), "latin1");
                // Unprintable characters become question marks, so search for the longest part without any.
                const seen = line.split(/[^ -~]+/).sort((a, b) => b.length - a.length)[0] ?? "";
                fc.pre(seen.length >= 3 && !Buffer.from(words).toString("latin1").split(value).join("").includes(seen));
                assert(!said.includes(seen), said);
                assert(said.includes("<slot>") || words.length > 80, said);
            }),
            { numRuns: 30 },
        );
    });
});

function bytes(text: Content): Buffer {
    return Buffer.from(text as string);
}

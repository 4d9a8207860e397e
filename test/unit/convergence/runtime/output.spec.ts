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

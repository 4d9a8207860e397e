import assert from "node:assert/strict";
import fc from "fast-check";
import { comment, MARKER } from "../../../../cli/review/comment";
import type { StackReview } from "../../../../cli/review/types";
import { cases, change, finding, previewed, rendering, settings } from "./cases";
import { elementsOf, htmlOf, rowsOf } from "./html";

const pieces = [
    "`",
    "```",
    "````",
    "~~~",
    "\n",
    "\r",
    "|",
    "\\",
    "<",
    ">",
    "<b>",
    "</details>",
    "<!--",
    "@a",
    "#1",
    "*",
    "_",
    "[x](y)",
    "![x](y)",
    "http://a.b",
    "www.a.b",
    "a@b.cd",
    "&lt;",
    "$",
    "  ",
    "\t",
    "+",
    "-",
    "@@ -1 +1 @@",
    "- ",
    "/merge",
    "/etc/x: content",
    "    reload: ",
    "  transaction[haproxy]",
    "\u202e",
    "\u0000",
    "\ud800",
    "😀",
];
const text = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "grapheme", maxLength: 6 })), { maxLength: 8 })
    .map((parts) => parts.join(""));
const lines = fc.oneof(
    { weight: 5, arbitrary: fc.array(text, { maxLength: 6 }) },
    {
        weight: 1,
        arbitrary: fc
            .tuple(text, fc.integer({ min: 20, max: 600 }))
            .map(([line, n]) => Array<string>(n).fill(`+${line}`)),
    },
);
const hosts = fc.array(text, { maxLength: 4 });
const found = fc
    .record({
        host: text,
        outcome: fc.constantFrom("unchanged", "differs", "refused", "unasked", "later", "failed"),
        drift: fc.boolean(),
        declared: fc.boolean(),
        effect: fc.oneof(text, fc.constantFrom("", "reload", "restart", "start", "may reload", "reload and restart")),
        summary: text,
        differences: lines,
        reason: lines,
        warnings: lines,
    })
    .map((more) => finding(more.host, more));
const operation = fc.constantFrom("create", "import", "update", "replace", "delete");
const stack: fc.Arbitrary<StackReview> = fc.record(
    {
        stack: text,
        rendering: fc.record({
            hosts: hosts.map((names) => rendering(names).hosts),
            errors: fc.oneof(fc.constant([]), lines),
            warnings: lines,
            checks: fc.array(
                fc.record({
                    hosts,
                    result: fc.constantFrom("accepted", "refused", "errors", "not checked", "no HAProxy"),
                    remark: text,
                    details: lines,
                }),
                { maxLength: 2 },
            ),
            findings: fc.array(
                fc.record({
                    kind: fc.constant("certificates" as const),
                    component: text,
                    ends: fc.dictionary(
                        text,
                        fc.oneof(text, fc.constantFrom(null, "2026-11-20T08:58:07Z", "2026-12-20T08:58:07Z")),
                    ),
                    fingerprints: fc.dictionary(text, fc.oneof(text, fc.constant(null))),
                }),
                { maxLength: 2 },
            ),
        }),
        changes: fc.array(
            fc.record({
                hosts,
                kind: fc.constantFrom("changed", "added", "removed"),
                effects: hosts,
                diffs: fc.array(fc.record({ name: text, lines }), { maxLength: 3 }),
            }),
            { maxLength: 3 },
        ),
        noBase: text,
        previewed: fc.record({
            hosts: fc.array(found, { maxLength: 4 }),
            steps: fc.array(fc.record({ operation, type: text, name: text }), { maxLength: 3 }),
            errors: fc.oneof(fc.constant([]), lines),
            warnings: lines,
        }),
    },
    { requiredKeys: ["stack", "rendering"] },
);
const all = fc.oneof(
    { weight: 19, arbitrary: fc.array(stack, { minLength: 1, maxLength: 4 }) },
    {
        weight: 1,
        arbitrary: fc
            .tuple(stack, fc.integer({ min: 20, max: 500 }))
            .map(([one, n]) => Array<StackReview>(n).fill(one)),
    },
);
const given = fc
    .record({
        commit: text,
        base: text,
        previewCommand: text,
        longest: fc.oneof(fc.integer({ min: 8000, max: 15_000 }), fc.constant(60_000)),
    })
    .map((some) => ({ ...settings, ...some }));

describe("comment of anything", () => {
    it("is no longer than it may be, begins with the marker, and has no element, attribute or link of others", () => {
        fc.assert(
            fc.property(all, given, (reviews, some) => {
                const markdown = comment(reviews, some);
                assert.ok(markdown.length <= some.longest, `${markdown.length} > ${some.longest}`);
                assert.ok(markdown.startsWith(`${MARKER}\n\n### `));
                const html = htmlOf(markdown);
                assert.deepEqual(elementsOf(html), []);
                const rows = rowsOf(html);
                assert.ok(rows === reviews.length || (rows < reviews.length && markdown.includes("more, left out")));
                assert.doesNotMatch(markdown, /[\p{Cs}\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b-\u001f]/u);
                assert.equal(comment(reviews, some), markdown);
            }),
            { numRuns: 50 },
        );
    });

    it("has no line of others that looks like a fence, a command or HTML to who does not read Markdown", () => {
        fc.assert(
            fc.property(all, given, (reviews, some) => {
                for (const line of comment(reviews, some).split("\n")) {
                    assert.doesNotMatch(line, /^(\/|~)/);
                    assert.ok(!line.startsWith("`") || /^(`{3,}(diff|text)?$|`[^`]+`)/.test(line), line);
                }
            }),
            { numRuns: 50 },
        );
    });

    it("keeps each row and each refusal of 500 stacks, and cuts diffs", () => {
        const refused = cases["refused-by-check"]?.reviews[0]?.rendering.checks ?? [];
        const diffs = [{ name: "/etc/haproxy/haproxy.cfg", lines: Array<string>(300).fill("+    server") }];
        const reviews = Array.from({ length: 500 }, (_, n): StackReview => {
            const names = [`edge-lb${n}a`, `edge-lb${n}b`];
            return {
                stack: `stack-${n}`,
                rendering: rendering(names, n % 50 === 0 ? { checks: refused } : {}),
                changes: [change(names, { diffs })],
            };
        });
        const markdown = comment(reviews, settings);
        assert.ok(markdown.length <= 60_000);
        assert.equal(rowsOf(htmlOf(markdown)), 500);
        assert.equal(markdown.match(/did you mean 'maxconn' maybe/g)?.length, 10);
        assert.match(
            markdown,
            /Left out, because a comment has a limited length: [\d,]+ lines and [\d,]+ parts\. To see all of it, run `pulumi preview /,
        );
        assert.ok(markdown.length > 55_000, "uses the room that it has");
    });

    it("cuts the longest diff first, and leaves a short one whole", () => {
        const diff = (name: string, n: number) => ({
            name,
            lines: Array.from({ length: n }, (_, line) => `+${name} ${line}`),
        });
        const one = change(["lb1"], { diffs: [diff("short", 50), diff("long", 3000), diff("longer", 9000)] });
        const markdown = comment([{ stack: "prod", rendering: rendering(["lb1"]), changes: [one] }], {
            ...settings,
            longest: 20_000,
        });
        const shown = (name: string) => markdown.match(new RegExp(`^\\+${name} \\d+$`, "gm"))?.length ?? 0;
        assert.equal(shown("short"), 50);
        assert.ok(
            Math.abs(shown("long") - shown("longer")) < shown("long") / 5,
            `${shown("long")} and ${shown("longer")}`,
        );
        assert.match(
            markdown,
            new RegExp(`\\*Left out: ${(3000 - shown("long")).toLocaleString("en")} of 3,000 lines\\*`),
        );
        assert.ok(markdown.length > 19_000);
    });

    it("says the same of equal findings of hosts once", () => {
        const names = ["lb1", "lb2", "lb3"];
        const [differing] = cases["reload-asked"]?.reviews[0]?.previewed?.hosts ?? [];
        const equal = names.map((host) => ({ ...finding(host), ...differing, host }));
        const markdown = comment(
            [{ stack: "prod", rendering: rendering(names), changes: [], previewed: previewed(equal) }],
            settings,
        );
        assert.equal(markdown.match(/^\+ {4}maxconn 900$/gm)?.length, 1);
        assert.match(markdown, /on `lb1`, `lb2`, `lb3`/);
    });
});

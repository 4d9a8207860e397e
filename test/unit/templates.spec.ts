import assert from "node:assert/strict";
import { renderText } from "../../components/templates";

describe("renderText", () => {
    it("escapes nothing", () => {
        assert.equal(renderText("a {{b}}", { b: `/"'&<>` }, "t"), `a /"'&<>\n`);
    });

    it("ends with exactly one newline", () => {
        assert.equal(renderText("a\n\n\n{{b}}", { b: "" }, "t"), "a\n");
        assert.equal(renderText("a", {}, "t"), "a\n");
    });

    it("keeps a blank at the end of a value, in any script", () => {
        assert.equal(renderText("a{{b}}", { b: " \u2000" }, "t"), "a \u2000\n");
    });

    it("shows 0, which Mustache treats as false in a section", () => {
        assert.equal(renderText("{{#port}}port {{.}}{{/port}}", { port: [0] }, "t"), "port 0\n");
    });

    it("shows a section per item, and nothing for an empty list", () => {
        const template = "{{#servers}}\n{{name}}{{#params}} {{.}}{{/params}}\n{{/servers}}\nend";
        const servers = [
            { name: "a", params: [] },
            { name: "b", params: ["check", "backup"] },
        ];
        assert.equal(renderText(template, { servers }, "t"), "a\nb check backup\nend\n");
        assert.equal(renderText(template, { servers: [] }, "t"), "end\n");
    });

    const fails: [string, string, Parameters<typeof renderText>[1], RegExp][] = [
        ["a missing name", "{{a}}", {}, /template t: no value for a/],
        [
            "a name that only an outer section has",
            "{{port}}{{#s}}{{port}}{{/s}}",
            { port: 1, s: [{}] },
            /no value for port/,
        ],
        ["a missing name in a section that is not shown", "{{#s}}{{x}}{{/s}}", { s: false }, /no value for x/],
        [
            "a missing name in the second use of a section",
            "{{#s}}{{a}}{{/s}}{{#s}}{{b}}{{/s}}",
            { s: [{ a: 1 }] },
            /for b/,
        ],
        ["an object as text", "{{a}}", { a: { b: 1 } }, /a must be text or a number/],
        ["a list as text", "{{a}}", { a: ["x"] }, /a must be text or a number, not a list/],
        ["text as a section", "{{#a}}x{{/a}}", { a: "yes" }, /a must be a list, a boolean or a view/],
        ["a name that exists on every object", "{{toString}}", {}, /no value for toString/],
        ["a value that the template does not show", "a", { b: 1 }, /unknown name b; show it/],
        ["a partial", "{{> other}}", {}, />other is not supported/],
    ];
    for (const [title, template, view, message] of fails) {
        it(`fails on ${title}`, () => {
            assert.throws(() => renderText(template, view, "t"), message);
        });
    }
});

// README.md and docs/: their examples are valid, and their links work.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { search } from "../../components";
import manifest from "../../package.json";
import { parseStack } from "../../program/schema";
import local from "../../stacks/local";
import { compilerErrors, root } from "../support/face";
import { hostKey } from "../support/probeReplies";

const pages = [
    ...["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"],
    ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
    ...readdirSync(join(root, "examples")).map((name) => `examples/${name}/README.md`),
];
const textOf = (page: string) => readFileSync(join(root, page), "utf8");

/** The code blocks of a page in a language; host keys, which pages shorten, in full. */
const examples = (page: string, language: string) =>
    [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(([, code = ""]) =>
        code.replaceAll("ssh-ed25519 AAAA…", hostKey),
    );

/** The type whose properties a page shows. */
const wholes: Record<string, string> = {
    "docs/services.md": "Service",
    "docs/model.md": "HaproxyConfig",
    "docs/forward-proxy.md": "Frontend",
};

/** Pages whose fragments are for stacks and programs. */
const forBoth = ["docs/certificates.md", "docs/datadog.md", "docs/firewall.md", "docs/logs.md"];

/** What fragments need that stand in the data of a stack, or among the arguments of a program. */
const stackOrProgram = `
import { readFileSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import type { LoadBalancerArgs } from "haproxy-fleet";
import type { Group } from "../program/schema";
declare const config: pulumi.Config;`;

/** The properties of an example that shows nothing else: each by itself, as there may be several values of one. */
function propertiesIn(code: string): string[] {
    if (!/^\w+: /.test(code)) return [];
    const source = ts.createSourceFile("", `({\n${code}})`, ts.ScriptTarget.ES2022);
    const [statement] = source.statements;
    assert(statement && ts.isExpressionStatement(statement) && ts.isParenthesizedExpression(statement.expression));
    const object = statement.expression.expression;
    assert(ts.isObjectLiteralExpression(object));
    return object.properties.map((property) => property.getText(source));
}

/** Those in tables: | `name` | `value` | … */
const propertiesInTables = (page: string) =>
    [...textOf(page).matchAll(/^\| `(\w+)` \| `([^`]+)`/gm)].map(([, name, value]) => `${name}: ${value}`);

/** The properties that a page shows, alone and in tables. */
const propertiesOn = (page: string) => [
    ...examples(page, "typescript").flatMap(propertiesIn),
    ...(page === "docs/services.md" ? propertiesInTables(page) : []),
];

/** TypeScript by the path it would have in the repository. */
function programs(page: string): [string, string][] {
    const stem = `example-${page.replace(/\W/g, "-")}`;
    const given =
        'import { type HostConnection, LoadBalancer } from "haproxy-fleet";\ndeclare const connection: HostConnection;\n';
    const whole = examples(page, "typescript")
        .filter((code) => propertiesIn(code).length === 0)
        .map((code) => (/^import /m.test(code) ? code : `${given}${code}`));
    const [type, imports] = forBoth.includes(page)
        ? ["Partial<Group> | Partial<LoadBalancerArgs>", stackOrProgram]
        : [`Partial<haproxy.${wholes[page]}>`, 'import type { haproxy } from "haproxy-fleet";'];
    const parts = propertiesOn(page).map((text, n) => `export const _${n}: ${type} = { ${text} };`);
    const typed = parts.length === 0 ? [] : [`${imports}\n${parts.join("\n")}`];
    return [...whole, ...typed].map((code, n) => {
        const folder = code.includes('from "../program/') ? "stacks" : ".";
        return [join(root, folder, `${stem}-${n}.ts`), code];
    });
}

describe("documentation", () => {
    it("shows TypeScript that compiles", function () {
        this.timeout(120_000);
        const files = new Map(pages.flatMap(programs));
        assert(files.size >= 5);
        assert.equal(compilerErrors(files), "");
    });

    it("shows services that a stack accepts", () => {
        const shown = propertiesOn("docs/services.md");
        assert(shown.length > 20);
        for (const text of shown) {
            const part = new Function(`return { ${text} }`)();
            parseStack({ ...local, services: [{ name: "shop", port: 80, ...part }] }, text);
        }
    });

    it("shows certificates that a stack accepts", () => {
        const shown = propertiesOn("docs/certificates.md").filter((text) => !text.includes("config."));
        assert(shown.length > 10);
        for (const text of shown) {
            const part = new Function(`return { ${text} }`)();
            const named = part.services?.map((service: object) => ({ port: 80, ...service }));
            parseStack({ ...local, ...part, ...(named && { services: named }) }, text);
        }
    });

    it("shows a valid inventory", () => {
        const inventories = examples("docs/stacks.md", "json");
        assert.equal(inventories.length, 1);
        for (const text of inventories) search.parseInventory(text, "docs/stacks.md");
    });

    it("shows files of the examples as they are", () => {
        const shown = examples("docs/programs.md", "ts");
        assert.ok(shown.length > 0);
        const files = readdirSync(join(root, "examples"), { recursive: true, encoding: "utf8" })
            .filter((path) => path.endsWith(".ts"))
            .map((path) => textOf(`examples/${path}`));
        for (const code of shown) assert.ok(files.includes(code), code);
    });

    it("names scripts that exist", () => {
        for (const page of pages)
            for (const [command, script = ""] of textOf(page).matchAll(/\bnpm run ([a-z]+(?:-[a-z]+)*)/g))
                assert(script in manifest.scripts, `${page}: ${command}`);
    });

    it("links to files and headings that exist", () => {
        const anchors = (page: string) =>
            [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
                heading
                    .toLowerCase()
                    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
                    .replaceAll(" ", "-"),
            );
        for (const page of pages)
            for (const [link, path = "", heading] of textOf(page).matchAll(
                /\]\((?!https:)([^)#\s]*)(?:#([^)\s]+))?\)/g,
            )) {
                const target = path === "" ? page : normalize(join(dirname(page), path));
                assert(existsSync(join(root, target)), `${page}: ${link}`);
                if (heading !== undefined) assert(anchors(target).includes(heading), `${page}: ${link}`);
            }
    });
});

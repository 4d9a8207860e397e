import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IssueList, withoutIgnored } from "../../../../components/haproxy/validate/issues";
import { rules } from "../../../../components/haproxy/validate/rules";

const root = join(__dirname, "../../../..");

describe("the rules of issues", () => {
    it("are listed in docs/issues.md, by severity and with what they find", () => {
        const [, errors = "", warnings = ""] = readFileSync(join(root, "docs", "issues.md"), "utf8").split(/^## .*$/m);
        const rows = (text: string) =>
            [...text.matchAll(/^\| `(.*?)` \| (.*) \|$/gm)].map(([, id, meaning]) => [id, meaning]);
        const of = (severity: string) =>
            Object.entries(rules).flatMap(([id, rule]) => (rule.severity === severity ? [[id, rule.meaning]] : []));
        assert.deepEqual(rows(errors), of("error"));
        assert.deepEqual(rows(warnings), of("warning"));
    });
});

describe("ignored issues", () => {
    const list = new IssueList();
    list.error("name", "backends.0.name", "name: wrong; use another");
    list.warning("unused-acl", "frontends.1.acls.2.name", "acl a: not used; remove it");
    list.warning("no-servers", "backends.0.servers", "backend b: no servers; add one");

    it("are warnings by their id, and nothing else", () => {
        const left = withoutIgnored(list.issues, ["unused-acl"]);
        assert.deepEqual(
            left.map(({ rule, path, severity }) => [rule, path, severity]),
            [
                ["name", "backends[0].name", "error"],
                ["no-servers", "backends[0].servers", "warning"],
            ],
        );
        assert.deepEqual(withoutIgnored(list.issues), list.issues);
    });

    it("are an error for an id that is unknown or an error's, with all that may be ignored", () => {
        const found = withoutIgnored([], ["unused-acl", "unused-alc", "name", "toString"]);
        assert.deepEqual(
            found.map(({ rule, path, severity }) => [rule, path, severity]),
            [1, 2, 3].map((i) => ["ignore-issues", `ignoreIssues[${i}]`, "error"]),
        );
        const known = Object.entries(rules).filter(([, { severity }]) => severity === "warning");
        for (const { message } of found) {
            for (const [id] of known) {
                assert.ok(message.includes(id), `${id} in ${message}`);
            }
            assert.ok(!message.includes("plain-password"), message);
        }
    });
});

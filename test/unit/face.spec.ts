// What users import: everything has a doc comment, and every example in one compiles and runs.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import * as face from "../../components";
import { stackMocks } from "../support/awsMocks";
import { compilerErrors, type Documented, documentedOnFace, root } from "../support/face";
import { failuresOf, mockEngine, settled } from "../support/mocks";
import { hostKey, withProbeReplies } from "../support/probeReplies";

describe("the public face", () => {
    withProbeReplies();
    let documented: Documented[];

    before(function () {
        this.timeout(120_000);
        documented = documentedOnFace();
    });

    /** Examples by name, with the host keys that they shorten. */
    const examples = () =>
        documented.flatMap(({ name, examples: codes }) =>
            codes.map((code, n): [string, string] => [`${name}-${n}`, code.replaceAll("ssh-ed25519 AAAA…", hostKey)]),
        );

    it("has a doc comment on everything, in namespaces and in types, too", () => {
        assert.ok(documented.length > 400);
        const silent = documented.filter(({ documentation }) => documentation === "").map(({ name }) => name);
        assert.deepEqual(silent, []);
    });

    it("has an example of every class and function", () => {
        const callable = documented.filter(({ isCallable }) => isCallable);
        assert.ok(callable.length >= 12);
        const without = callable.filter(({ examples: codes }) => codes.length === 0 || codes.includes(""));
        assert.deepEqual(
            without.map(({ name }) => name),
            [],
        );
    });

    it("exports every type that its types mention", () => {
        const exported = new Set(documented.filter(({ isExported }) => isExported).map(({ symbol }) => symbol));
        // Its parts say how it computes; people see only what it computes.
        const visible = documented.filter(({ name }) => name !== "WithInputs");
        const missing = visible.flatMap(({ name, mentions }) =>
            mentions.filter((symbol) => !exported.has(symbol)).map((symbol) => `${name}: ${symbol.name}`),
        );
        assert.deepEqual(missing, []);
    });

    it("has examples that compile in a strict program", function () {
        this.timeout(120_000);
        const files = new Map(examples().map(([name, code]) => [join(root, `example-${name}.ts`), code]));
        assert.equal(compilerErrors(files), "");
    });

    it("has examples that run", async () => {
        const folder = mkdtempSync(join(tmpdir(), "examples-"));
        const from = process.cwd();
        const node = { name: "shop1", address: "192.0.2.21", environment: "prod", runList: ["shop::app"] };
        writeFileSync(join(folder, "nodes.json"), JSON.stringify({ nodes: [node] }));
        process.chdir(folder);
        try {
            for (const [name, code] of examples()) {
                const config = Object.fromEntries(
                    [...code.matchAll(/requireSecret\("([^"]+)"\)/g)].map(([, key]) => [
                        `haproxy-fleet:${key}`,
                        "secret",
                    ]),
                );
                const { registrations } = await mockEngine({
                    config: { ...config, "haproxy-fleet:stats-password": "a" },
                    id: stackMocks.id,
                    call: (token) => answers[token] ?? assert.fail(`${name} calls ${token}`),
                });
                const failures = await failuresOf(() => run(code), 200);
                await settled();
                assert.deepEqual(failures, [], name);
                const made = [...code.matchAll(/\bnew (?!pulumi\.)\w+\("([^"]+)"/g)].map(([, resource]) => resource);
                assert.ok(
                    made.every((resource) => registrations.some((one) => one.name === resource)),
                    name,
                );
            }
        } finally {
            process.chdir(from);
            rmSync(folder, { recursive: true });
        }
    });
});

/** What the examples find at their providers. */
const answers: Record<string, Record<string, unknown>> = {
    "aws:ec2/getAmi:getAmi": { id: "ami-0a1b2c3d4e5f60718" },
    "aws:ec2/getSubnet:getSubnet": { availabilityZone: "eu-central-1a" },
    "aws:ec2/getInstances:getInstances": { id: "eu-central-1", ids: ["i-1"], privateIps: ["10.0.0.1"] },
};

/** Runs a program that imports this package by its name. One that exports a function is run by that. */
function run(code: string): void {
    const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
    });
    const load = (name: string) => (name === "haproxy-fleet" ? face : require(name));
    const module = { exports: {} };
    const silent = { log: () => undefined };
    new Function("require", "module", "exports", "console", outputText)(load, module, module.exports, silent);
    if (typeof module.exports === "function") void module.exports();
}

// The packed package in projects outside the checkout: types, and programs with mocks, with the oldest and newest of what it runs with.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import manifest from "../../package.json";
import { Consumer, nodeBinary, pack } from "../support/consumer";

const foreign = join(__dirname, "foreign");
const read = (...path: string[]) => readFileSync(join(foreign, ...path), "utf8");
/** The first release that a range like ">=1.2.1 <2" admits. */
const oldest = (range: string) => /^>=([\d.]+)/.exec(range)?.[1] ?? assert.fail(range);
const peers = manifest.peerDependencies;
const names = Object.keys(peers) as (keyof typeof peers)[];

const surroundings = [
    {
        title: "the oldest peers, on the oldest Node 20",
        node: `${oldest(manifest.engines.node)}.0.0`,
        installed: names.map((name) => `${name}@${oldest(peers[name])}`),
        others: ["typescript@5.4.2", "@types/node@20"],
        // As in Pulumi's own templates.
        resolution: ["--module", "commonjs", "--moduleResolution", "node"],
    },
    {
        title: "the newest peers, on Node 24",
        node: "24",
        installed: names.map((name) => `${name}@${peers[name]}`),
        others: ["typescript@<7", "@types/node@24"],
        resolution: ["--module", "esnext", "--moduleResolution", "bundler"],
    },
];

/** What the program prints. */
interface Printed {
    node: string;
    configuration: string;
    sent: { type: string; name: string; inputs: Record<string, unknown> }[];
}

/** Packs the recipe as its author would: JavaScript and declarations. */
async function packRecipe(target: string): Promise<string> {
    const folder = join(target, "recipe");
    cpSync(join(foreign, "recipe"), folder, { recursive: true });
    const source = read("recipe", "index.ts");
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, declaration: true };
    writeFileSync(join(folder, "index.js"), ts.transpileModule(source, { compilerOptions }).outputText);
    writeFileSync(join(folder, "index.d.ts"), ts.transpileDeclaration(source, { compilerOptions }).outputText);
    return (await pack(target, folder)).tarball;
}

for (const { title, node, installed, others, resolution } of surroundings) {
    describe(`the package with ${title}`, () => {
        const consumer = new Consumer();
        let binary: string;

        before("install", async () => {
            [binary] = await Promise.all([
                nodeBinary(node),
                consumer.install(...(await tarballs()), ...installed, ...others),
            ]);
            for (const file of ["program.ts", "common.cts", "module.mts"]) consumer.write(file, read("program.ts"));
            consumer.write("recipe.ts", read("recipe", "index.ts"));
        });
        after(() => consumer.remove());

        it("compiles under strict, its declarations and those of its dependencies too, and runs as CommonJS and ES module", async () => {
            await consumer.compile(
                "--module",
                "nodenext",
                "--skipLibCheck",
                "false",
                "common.cts",
                "module.mts",
                "recipe.ts",
            );
            for (const file of ["common.cjs", "module.mjs"]) {
                const { node: ran, configuration, sent } = JSON.parse(await consumer.run(binary, file)) as Printed;
                assert.match(ran, new RegExp(`^${node.split(".")[0]}\\.`));
                assert.match(configuration, /^ +server web1 192\.0\.2\.21:8080 /m);
                assert.deepEqual(sent.map(({ type, name }) => `${type} ${name}`).sort(), [
                    "command:remote:Command app1-converge",
                    "command:remote:Command lb1-converge",
                    "haproxy-fleet:index:ConvergedHost app1",
                    "haproxy-fleet:index:ConvergedHost lb1",
                    "haproxy-fleet:index:LoadBalancer lb1",
                ]);
                const host = sent.find(({ type, name }) => type.endsWith(":ConvergedHost") && name === "lb1");
                // A preview shows their lines.
                assert.ok(Object.hasOwn(host?.inputs.files as object, "/etc/haproxy/haproxy.cfg"));
            }
        });

        it("compiles with the project's other way to find modules", async () => {
            await consumer.compile(
                "--noEmit",
                ...resolution,
                "--skipLibCheck",
                "--esModuleInterop",
                "program.ts",
                "recipe.ts",
            );
        });
    });
}

let folder: string;
let packed: Promise<string[]> | undefined;
/** Ours and the recipe's, packed once. */
function tarballs(): Promise<string[]> {
    folder ??= mkdtempSync(join(tmpdir(), "packed-"));
    packed ??= Promise.all([pack(folder).then(({ tarball }) => tarball), packRecipe(folder)]);
    return packed;
}
after(() => folder && rmSync(folder, { recursive: true, force: true }));

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { sourceOf } from "../../../cli/init/init";
import { repo } from "../../../toolchain/environment.mjs";
import { UserProject } from "../../support/userProject";

describe("haproxy-fleet init", function () {
    this.timeout(120_000);
    let project: UserProject;
    before(() => {
        project = new UserProject();
        project.write({ haproxy: '#!/bin/sh\n[ "$1" != -v ] || echo "HAProxy version 3.0.11 2024/01/01"\n' });
    });
    after(() => project.remove());
    const text = (path: string) => readFileSync(join(project.directory, path), "utf8");

    it("writes a project that compiles strictly, and that check accepts without an edit", async () => {
        const { code, stdout, stderr } = await project.command("init", "new/Edge EU");
        assert.equal(code, 0, stderr);
        assert.deepEqual(readdirSync(join(project.directory, "new/Edge EU")).sort(), [
            ".gitignore",
            "Pulumi.yaml",
            "index.ts",
            "package.json",
            "tsconfig.json",
        ]);
        assert.match(text("new/Edge EU/Pulumi.yaml"), /^name: edge-eu$/m);
        assert.match(stdout, /^next:\n {2}cd 'new\/Edge EU'\n {2}npm install\n {2}edit index\.ts +your hosts/m);

        const folder = join(project.directory, "new/Edge EU");
        const { config } = ts.readConfigFile(join(folder, "tsconfig.json"), ts.sys.readFile);
        const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
        assert.equal(options.strict, true);
        Object.assign(options, {
            paths: { "haproxy-fleet": [join(repo, "components/index.ts")] },
            typeRoots: [join(repo, "node_modules/@types")],
        });
        const program = ts.createProgram(fileNames, options);
        const own = fileNames.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
        assert.equal(ts.formatDiagnostics(own, ts.createCompilerHost(options)), "");

        project.folder = "new/Edge EU";
        const check = await project.command("check", "--haproxy", "../../haproxy");
        assert.match(
            check.stdout,
            /^dev {2}edge-eu-lb1 {2}accepted {2}HAProxy 3\.0\.11 at/,
            check.stdout + check.stderr,
        );
        project.folder = ".";
    });

    it("overwrites nothing, and adds the packages that an own package.json lacks", async () => {
        const manifest = '{\n   "type": "commonjs",\n   "devDependencies": { "tsx": "1" }\n}\n';
        project.write({ "own/package.json": manifest, "own/index.ts": "// mine" });
        const { stdout } = await project.command("init", "own", "--name=shop");
        assert.match(stdout, /^wrote Pulumi\.yaml, tsconfig\.json, \.gitignore in /m);
        assert.match(stdout, /^added to package\.json: .*haproxy-fleet, .*typescript$/m);
        assert.match(stdout, /^left as they are, because they exist: index\.ts$/m);
        assert.match(stdout, /^ {2}npm install$/m);
        const completed = text("own/package.json");
        assert.match(completed, /^ {3}"type": "commonjs",$/m);
        const { dependencies, devDependencies } = JSON.parse(completed);
        assert.match(dependencies["haproxy-fleet"], /^\^\d/);
        assert.ok(dependencies["@pulumi/command"]);
        assert.equal(dependencies["@pulumi/aws"], undefined, "optional peers are left to whoever needs them");
        assert.equal(devDependencies.tsx, "1");
        assert.ok(devDependencies.typescript);
        assert.equal(text("own/index.ts"), "// mine");
        assert.match(text("own/Pulumi.yaml"), /^name: shop$/m);
        const before = text("own/Pulumi.yaml");
        const again = await project.command("init", "own", "--name=other");
        assert.match(again.stdout, /^left .* package\.json, Pulumi\.yaml/m);
        assert.doesNotMatch(again.stdout, /TypeScript/);
        assert.equal(text("own/Pulumi.yaml"), before);
        project.write({ "own/Pulumi.yaml": "name: shop\nruntime: { name: nodejs, options: { typescript: false } }\n" });
        assert.match((await project.command("init", "own")).stdout, /^Pulumi\.yaml loads no TypeScript; remove /m);
        assert.equal(text("own/package.json"), completed);
    });

    it("refuses names that neither Pulumi nor npm takes", async () => {
        const { code, stderr } = await project.command("init", "x", "--name", "Shop!");
        assert.equal(code, 1);
        assert.match(stderr, /init: invalid name "Shop!"; use lower case letters/);
        assert.deepEqual(readdirSync(project.directory).includes("x"), false);
    });

    it("asks for the file from which this package was installed", () => {
        project.write({
            "npx/package.json": '{ "dependencies": { "haproxy-fleet": "file:../fleet.tgz" } }',
            "npx/node_modules/haproxy-fleet/package.json": "{}",
            "registry/package.json": '{ "dependencies": { "haproxy-fleet": "^1.0.0" } }',
            "registry/node_modules/haproxy-fleet/package.json": "{}",
        });
        const source = (folder: string) =>
            sourceOf(
                join(project.directory, folder, "node_modules/haproxy-fleet/package.json"),
                join(project.directory, "a/b"),
            );
        assert.equal(source("npx"), "file:../../fleet.tgz");
        assert.equal(source("registry"), undefined);
        assert.equal(sourceOf(join(repo, "package.json"), project.directory), undefined);
    });
});

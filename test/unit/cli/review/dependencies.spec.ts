import assert from "node:assert/strict";
import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { findBase, withBase } from "../../../../cli/review/base";
import { usual } from "../../../../cli/surroundings";
import { BaseRepository, installed, project, textsOf } from "./baseRepository";

describe("packages of the base", function () {
    this.timeout(120_000);
    let repository: BaseRepository;
    const start = (files?: Record<string, string>) => {
        repository = new BaseRepository();
        return repository.start(files);
    };
    afterEach(() => repository.end());

    const lock = (version: string) => JSON.stringify({ lockfileVersion: 3, version });

    it("are those of the head if both declare the same, in each folder up to the repository", async () => {
        repository = new BaseRepository();
        repository.write({ ...installed(), "program/node_modules/own/index.js": "" });
        repository.commit({
            ...project("program"),
            "package.json": '{ "name": "all" }',
            "package-lock.json": lock("1"),
        });
        const base = await findBase(repository.at("program"), "main");
        await withBase(repository.at("program"), base, async (renderBase) => {
            const { where = "", text } = textsOf(await renderBase("dev", usual));
            assert.equal(text, "shop\n");
            for (const path of ["node_modules", "../node_modules"]) {
                assert.equal(lstatSync(join(where, path)).isSymbolicLink(), true);
            }
        });
        assert.equal(existsSync(join(repository.directory, "node_modules/haproxy-fleet/command.js")), true);
    });

    it("are those that Git has", async () => {
        start({ ...project(), ".gitignore": "" });
        repository.branch();
        repository.write({ "node_modules/haproxy-fleet/command.js": "process.exit(9);" });
        assert.equal(textsOf(await repository.render()).text, "shop\n");
    });

    it("are installed without their scripts if the head declares others", async () => {
        const pack = (name: string, manifest: object, files: Record<string, string>) => ({
            [`${name}/package.json`]: JSON.stringify({ name, version: "1.0.0", ...manifest }),
            ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])),
        });
        const { "node_modules/haproxy-fleet/command.js": text = "" } = installed();
        start({
            ...project(),
            ...pack(
                "haproxy-fleet",
                { bin: { "haproxy-fleet": "command.js" }, scripts: { install: "touch installed" } },
                { "command.js": text },
            ),
            "package.json": JSON.stringify({
                name: "edge",
                dependencies: { "haproxy-fleet": "file:haproxy-fleet" },
            }),
            "package-lock.json": JSON.stringify({
                name: "edge",
                lockfileVersion: 3,
                packages: {
                    "": { name: "edge", dependencies: { "haproxy-fleet": "file:haproxy-fleet" } },
                    "haproxy-fleet": { version: "1.0.0", bin: { "haproxy-fleet": "command.js" } },
                    "node_modules/haproxy-fleet": { resolved: "haproxy-fleet", link: true },
                },
            }),
        });
        // It is the base's own, although both declare the same.
        repository.branch({ "haproxy-fleet/command.js": "process.exit(9);" });
        const base = await findBase(repository.at(), "main");
        await withBase(repository.at(), base, async (renderBase) => {
            const { where = "", text: rendered } = textsOf(await renderBase("dev", usual));
            assert.equal(rendered, "shop\n");
            assert.equal(existsSync(join(where, "haproxy-fleet/installed")), false);
        });
    });

    it("are missing if npm fails, or cannot read what the base has", async () => {
        const lacking = { "package.json": '{ "name": "edge", "dependencies": { "a": "file:missing" } }' };
        start({ ...project(), ...lacking, "package-lock.json": lock("1") });
        repository.branch({ "package-lock.json": lock("2") });
        assert.match(
            String(await repository.render()),
            /^npm ci fails there: .*package\.json and package-lock\.json .* in sync/,
        );
        const others = { "package.json": '{ "name": "edge", "dependencies": { "a": "1.0.0" } }', "yarn.lock": "" };
        repository.git("rm", "--quiet", "package-lock.json");
        repository.commit(others);
        repository.write({ "yarn.lock": "changed" });
        assert.equal(
            await repository.render("dev", "", "HEAD"),
            "its packages cannot be installed: yarn.lock is not of npm, and other packages are declared there",
        );
        repository.git("rm", "--quiet", "--force", "yarn.lock");
        repository.commit();
        repository.write({ "package.json": '{ "name": "edge" }' });
        assert.equal(
            await repository.render("dev", "", "HEAD"),
            "its packages cannot be installed: package.json has no lock file of npm there",
        );
    });
});

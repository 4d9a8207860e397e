import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProject } from "../../../../cli/project";
import { findBase, headName, withBase } from "../../../../cli/review/base";
import type { Rendering } from "../../../../cli/review/types";
import { usual } from "../../../../cli/surroundings";
import { GitRepository } from "../../../support/gitRepository";

/** Stands for the command of the package: a host with a file of the commit, and where it runs. */
const command = `
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const args = process.argv.slice(2);
const text = existsSync("service.txt") ? readFileSync("service.txt", "utf8") : "none";
if (text === "old\\n") { console.error("npx haproxy-fleet: unknown command render; use init or check"); process.exit(1); }
if (text === "ends\\n") { console.error("npx haproxy-fleet render: ended in " + process.cwd() + "/x"); process.exit(1); }
if (text === "hangs\\n") { writeFileSync(process.env.STARTED, String(process.pid)); setInterval(() => 0, 1000); }
else {
    const errors = text === "fails\\n" ? ["Error: " + process.cwd() + "/index.ts is wrong"] : [];
    const host = { name: args.at(-1), files: { text, where: process.cwd(), args: args.join(" ") }, resources: {}, effects: {} };
    writeFileSync(args[args.indexOf("--output") + 1], JSON.stringify({ hosts: [host], errors, warnings: [], checks: [], findings: [] }));
}
`;
const project = (folder = "") => ({
    [join(folder, "Pulumi.yaml")]: "name: edge\nruntime: nodejs\n",
    [join(folder, "Pulumi.dev.yaml")]: "config: {}\n",
    [join(folder, "package.json")]: '{ "name": "edge" }\n',
    [join(folder, "index.ts")]: "",
    [join(folder, "service.txt")]: "shop\n",
    ".gitignore": "node_modules\n",
});
const installed = (folder = "") => ({
    [join(folder, "node_modules/haproxy-fleet/package.json")]: JSON.stringify({
        name: "haproxy-fleet",
        version: "0.1.0",
        bin: { "haproxy-fleet": "command.js" },
    }),
    [join(folder, "node_modules/haproxy-fleet/command.js")]: command,
});

describe("base of a review", function () {
    this.timeout(120_000);
    let repository: GitRepository;
    const start = (files: Record<string, string> = project(), name?: string) => {
        repository = new GitRepository(name);
        repository.write(installed());
        return repository.commit(files);
    };
    const at = (folder = "") => findProject(join(repository.directory, folder));
    const worktrees = () => repository.git("worktree", "list", "--porcelain").match(/^worktree /gm)?.length;
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`haproxy-fleet-base-${process.pid}-`));
    const render = async (stack = "dev", folder = "", reference = "main") =>
        withBase(at(folder), await findBase(at(folder), reference), (base) => base(stack, usual));
    /** What a reference renders, which must be a host of the fake command. */
    const textOf = (found: Rendering | string) =>
        typeof found === "string" ? assert.fail(found) : (found.hosts[0]?.files ?? {});
    /** A branch, whose commit the working tree has. */
    const branch = (files: Record<string, string> = {}) => {
        repository.git("checkout", "--quiet", "-b", "change");
        return repository.commit(files);
    };
    afterEach(() => {
        try {
            assert.equal(worktrees(), 1);
            assert.deepEqual(folders(), []);
        } finally {
            repository.remove();
        }
    });

    describe("findBase", () => {
        it("finds the commit at which a branch has left the other one", async () => {
            const left = start();
            const head = branch();
            repository.git("checkout", "--quiet", "main");
            repository.commit({ "later.txt": "" });
            repository.git("checkout", "--quiet", "change");
            const base = await findBase(at(), "main");
            assert.equal(base.commit, left);
            assert.equal(base.name, `main (${left.slice(0, 7)})`);
            assert.equal((await findBase(at(), left.slice(0, 10))).name, left.slice(0, 7));
            assert.equal(await headName(at()), head.slice(0, 7));
            repository.write({ "untracked.txt": "" });
            assert.equal(await headName(at()), head.slice(0, 7));
            repository.write({ "service.txt": "changed" });
            assert.equal(await headName(at()), `${head.slice(0, 7)} with uncommitted changes`);
        });

        const refused = async (reference: string, message: RegExp) =>
            assert.rejects(findBase(at(), reference), (error: Error) => {
                assert.match(error.message, message);
                return true;
            });

        it("says what is wrong with a reference", async () => {
            start();
            await refused("nothing", /^--base: nothing is not a commit here; fetch it, as with git fetch origin$/);
            await refused("--all", /^--base: --all is not a commit here; fetch it/);
            await refused("a\u001b[31m\nb", /^--base: a\\u001b\[31m\\nb is not a commit here/);
            repository.git("update-ref", "refs/remotes/origin/trunk", "HEAD");
            await refused("trunk", /^--base: trunk is not a commit here; use origin\/trunk, which is one$/);
            repository.git("checkout", "--quiet", "--orphan", "other");
            await refused("main", /^--base: the repository has no commit yet; commit first$/);
            repository.commit();
            await refused("main", /^--base: main and HEAD have no commit in common; name another base$/);
        });

        it("says how to deepen a shallow clone", async () => {
            start();
            const first = branch();
            repository.commit({ "more.txt": "" });
            const source = repository.directory;
            repository.git("clone", "--quiet", "--depth=1", "--no-single-branch", `file://${source}`, "../clone");
            const clone = findProject(join(repository.parent, "clone"));
            const message =
                "this clone is shallow: clone with its whole history (GitHub: fetch-depth: 0; GitLab: GIT_DEPTH: 0)";
            await assert.rejects(findBase(clone, first), {
                message: `--base: ${first} is not a commit here; ${message}`,
            });
            await assert.rejects(findBase(clone, "origin/main"), {
                message: `--base: origin/main and HEAD have no commit in common; ${message}`,
            });
        });

        it("says that a project is in no repository", async () => {
            start();
            const outside = join(repository.parent, "outside");
            repository.write({ "../outside/Pulumi.yaml": "name: edge\nruntime: nodejs\n" });
            await assert.rejects(
                findBase(findProject(outside), "main"),
                /^Error: --base: .*\/outside is no checkout that Git can read: fatal: not a git repository/,
            );
            assert.equal(await headName(findProject(outside)), undefined);
        });

        it("is not led astray by what a hook of Git sets", async () => {
            const left = start();
            process.env.GIT_DIR = "/nowhere";
            try {
                assert.equal((await findBase(at(), "main")).commit, left);
            } finally {
                delete process.env.GIT_DIR;
            }
        });
    });

    describe("withBase", () => {
        it("renders the base without checks, while the working tree stays as it is", async () => {
            start();
            branch({ "service.txt": "changed\n" });
            repository.write({ "service.txt": "not committed\n", "Pulumi.dev.yaml": "config: { a: 1 }\n" });
            const before = repository.git("status", "--porcelain");
            const { text, where = "", args = "" } = textOf(await render());
            assert.equal(text, "shop\n");
            assert.match(where, /\/haproxy-fleet-base-\d+-\w+\/repository$/);
            assert.match(args, /^render --output \S+ --surroundings \{.*\} --no-checks -- dev$/);
            assert.equal(repository.git("status", "--porcelain"), before);
            assert.equal(readFileSync(join(repository.directory, "service.txt"), "utf8"), "not committed\n");
        });

        it("copes with strange names of folders and stacks", async () => {
            const folder = "a b/'c' \"d\"\n$(e) ü";
            repository = new GitRepository("re po\n'\"$x");
            repository.write(installed(folder));
            repository.commit(project(folder));
            const { text, where } = textOf(await render("dev", folder));
            assert.equal(text, "shop\n");
            assert.equal(where?.endsWith(`/re po\n'"$x/${folder}`), true);
        });

        it("renders a new stack as one without hosts, but not one whose config file is ignored", async () => {
            start();
            branch({ "Pulumi.new.yaml": "config: {}\n" });
            assert.deepEqual(await render("new"), { hosts: [], errors: [], warnings: [], checks: [], findings: [] });
            repository.commit({ ".gitignore": "node_modules\nPulumi.own.yaml\n" });
            repository.write({ "Pulumi.own.yaml": "config: {}\n" });
            assert.equal(
                await render("own"),
                "its config file is not in Git, because .gitignore names Pulumi.own.yaml",
            );
        });

        it("says why a base cannot be rendered, without the folder that is gone", async () => {
            start({ "README.md": "" });
            branch(project());
            assert.match(String(await render()), /^\.: no Pulumi\.yaml here or above; /);
            for (const [text, reason] of [
                ["old\n", "its haproxy-fleet is too old: it has no command for a review"],
                ["ends\n", "npx haproxy-fleet render: ended in x"],
                ["fails\n", "its program fails: Error: index.ts is wrong"],
            ] as const) {
                repository.commit({ "service.txt": text });
                assert.equal(await render("dev", "", "HEAD"), reason);
            }
        });

        it("does not take a project above for the one that is missing", async () => {
            start();
            branch(project("nested"));
            assert.equal(await render("dev", "nested"), "it has no Pulumi.yaml in nested");
        });

        it("runs no hooks, and nothing that watches files", async () => {
            start();
            const ran = join(repository.parent, "ran");
            const script = join(repository.parent, "script");
            writeFileSync(script, `#!/bin/sh\ntouch '${ran}'\n`);
            chmodSync(script, 0o755);
            symlinkSync(script, join(repository.directory, ".git/hooks/post-checkout"));
            symlinkSync(script, join(repository.directory, ".git/hooks/post-index-change"));
            repository.git("config", "core.fsmonitor", script);
            assert.equal(textOf(await render()).text, "shop\n");
            await headName(at());
            assert.equal(existsSync(ran), false);
            repository.git("config", "--unset", "core.fsmonitor");
        });

        it("says that Git cannot check the base out", async () => {
            start({ ...project(), ".gitattributes": "*.txt filter=broken\n" });
            repository.git("config", "filter.broken.smudge", "false");
            repository.git("config", "filter.broken.required", "true");
            assert.match(
                String(await render()),
                /^git worktree add fails: .*fatal: service\.txt: smudge filter broken failed/,
            );
        });

        it("removes the checkout after an error", async () => {
            start();
            const base = await findBase(at(), "main");
            await assert.rejects(
                withBase(at(), base, async (renderBase) => {
                    await renderBase("dev", usual);
                    assert.equal(worktrees(), 2);
                    throw new Error("of the review");
                }),
                /of the review/,
            );
        });
    });

    describe("packages of the base", () => {
        const lock = (version: string) => JSON.stringify({ lockfileVersion: 3, version });

        it("are those of the head if both declare the same, in each folder up to the repository", async () => {
            repository = new GitRepository();
            repository.write({ ...installed(), "program/node_modules/own/index.js": "" });
            repository.commit({
                ...project("program"),
                "package.json": '{ "name": "all" }',
                "package-lock.json": lock("1"),
            });
            const base = await findBase(at("program"), "main");
            await withBase(at("program"), base, async (renderBase) => {
                const { where = "", text } = textOf(await renderBase("dev", usual));
                assert.equal(text, "shop\n");
                for (const path of ["node_modules", "../node_modules"]) {
                    assert.equal(lstatSync(join(where, path)).isSymbolicLink(), true);
                }
            });
            assert.equal(existsSync(join(repository.directory, "node_modules/haproxy-fleet/command.js")), true);
        });

        it("are those that Git has", async () => {
            start({ ...project(), ".gitignore": "" });
            branch();
            repository.write({ "node_modules/haproxy-fleet/command.js": "process.exit(9);" });
            assert.equal(textOf(await render()).text, "shop\n");
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
            branch({ "haproxy-fleet/command.js": "process.exit(9);" });
            const base = await findBase(at(), "main");
            await withBase(at(), base, async (renderBase) => {
                const { where = "", text: rendered } = textOf(await renderBase("dev", usual));
                assert.equal(rendered, "shop\n");
                assert.equal(existsSync(join(where, "haproxy-fleet/installed")), false);
            });
        });

        it("are missing if npm fails, or cannot read what the base has", async () => {
            start({ ...project(), "package-lock.json": "{}" });
            branch({ "package-lock.json": lock("2") });
            assert.match(String(await render()), /^npm ci fails there: npm error /);
            const others = { "package.json": '{ "name": "edge", "dependencies": { "a": "1.0.0" } }', "yarn.lock": "" };
            repository.git("rm", "--quiet", "package-lock.json");
            repository.commit(others);
            repository.write({ "yarn.lock": "changed" });
            assert.equal(
                await render("dev", "", "HEAD"),
                "its packages cannot be installed: yarn.lock is not of npm, and other packages are declared there",
            );
            repository.git("rm", "--quiet", "--force", "yarn.lock");
            repository.commit();
            repository.write({ "package.json": '{ "name": "edge" }' });
            assert.equal(
                await render("dev", "", "HEAD"),
                "its packages cannot be installed: package.json has no lock file of npm there",
            );
        });
    });

    describe("a review that is ended", () => {
        /** Begins a review whose base hangs; resolves when it does. */
        async function hanging() {
            start({ ...project(), "service.txt": "hangs\n" });
            const started = join(repository.parent, "started");
            const script = join(repository.parent, "review.ts");
            const folder = join(__dirname, "../../../../cli");
            writeFileSync(
                script,
                `import { findProject } from ${JSON.stringify(join(folder, "project"))};
                import { findBase, withBase } from ${JSON.stringify(join(folder, "review/base"))};
                import { usual } from ${JSON.stringify(join(folder, "surroundings"))};
                void (async () => {
                    const project = findProject(${JSON.stringify(repository.directory)});
                    await withBase(project, await findBase(project, "main"), (render) => render("dev", usual));
                })();`,
            );
            const child = spawn(process.execPath, ["--import", "tsx", script], {
                cwd: join(__dirname, "../../../.."),
                env: { ...process.env, STARTED: started },
                stdio: "inherit",
            });
            const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
            while (!existsSync(started) || readFileSync(started, "utf8") === "") {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            const left = () =>
                readdirSync(tmpdir()).filter((name) => name.startsWith(`haproxy-fleet-base-${child.pid}-`));
            assert.equal(left().length, 1);
            assert.equal(worktrees(), 2);
            return { child, ended, left, program: Number(readFileSync(started, "utf8")) };
        }
        const isRunning = (id: number) => {
            // Processes that have ended may wait for their parent.
            const status = `/proc/${id}/stat`;
            return existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8"));
        };
        async function ends(id: number) {
            for (let n = 0; n < 100 && isRunning(id); n++) {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
            assert.equal(isRunning(id), false);
        }

        for (const [signal, status] of [
            ["SIGINT", 130],
            ["SIGTERM", 143],
        ] as const) {
            it(`leaves nothing after ${signal}`, async () => {
                const { child, ended, left, program } = await hanging();
                child.kill(signal);
                assert.equal(await ended, status);
                assert.deepEqual(left(), []);
                assert.equal(worktrees(), 1);
                await ends(program);
            });
        }

        it("leaves a checkout after SIGKILL, which the next review removes, but not one that is still in use", async () => {
            const { child, ended, left, program } = await hanging();
            const again = async () => withBase(at(), await findBase(at(), "main"), async () => undefined);
            await again();
            assert.equal(left().length, 1);
            child.kill("SIGKILL");
            await ended;
            assert.equal(left().length, 1);
            process.kill(program, "SIGKILL");
            await again();
            assert.deepEqual(left(), []);
        });
    });
});

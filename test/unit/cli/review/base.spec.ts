import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProject } from "../../../../cli/project";
import { findBase, headName, withBase } from "../../../../cli/review/base";
import { usual } from "../../../../cli/surroundings";
import { BaseRepository, installed, project, textsOf } from "./baseRepository";

describe("base of a review", function () {
    this.timeout(120_000);
    let repository: BaseRepository;
    const start = (files?: Record<string, string>) => {
        repository = new BaseRepository();
        return repository.start(files);
    };
    afterEach(() => repository.end());

    describe("findBase", () => {
        it("finds the commit at which a branch has left the other one", async () => {
            const left = start();
            const head = repository.branch();
            repository.git("checkout", "--quiet", "main");
            repository.commit({ "later.txt": "" });
            repository.git("checkout", "--quiet", "change");
            const base = await findBase(repository.at(), "main");
            assert.equal(base.commit, left);
            assert.equal(base.name, `main (${left.slice(0, 7)})`);
            assert.equal((await findBase(repository.at(), left.slice(0, 10))).name, left.slice(0, 7));
            assert.equal(await headName(base), head.slice(0, 7));
            repository.write({ "untracked.txt": "" });
            assert.equal(await headName(base), head.slice(0, 7));
            repository.write({ "service.txt": "changed" });
            assert.equal(await headName(base), `${head.slice(0, 7)} with uncommitted changes`);
        });

        it("names the commit that a forge has merged into the base to test it", async () => {
            start();
            const head = repository.branch();
            repository.git("checkout", "--quiet", "main");
            repository.commit({ "later.txt": "" });
            repository.git("merge", "--quiet", "--no-ff", "--no-edit", "change");
            assert.equal(await headName(await findBase(repository.at(), "HEAD^1")), head.slice(0, 7));
            // A branch that ends in a merge of its own is named as it is.
            assert.notEqual(await headName(await findBase(repository.at(), "HEAD^2")), head.slice(0, 7));
        });

        const refused = async (reference: string, message: RegExp) =>
            assert.rejects(findBase(repository.at(), reference), (error: Error) => {
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
            repository.commit({ "other.txt": "" });
            await refused("main", /^--base: main and HEAD have no commit in common; name another base$/);
        });

        it("says how to deepen a shallow clone", async () => {
            start();
            const first = repository.branch();
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
        });

        it("is not led astray by what a hook of Git sets", async () => {
            const left = start();
            process.env.GIT_DIR = "/nowhere";
            try {
                assert.equal((await findBase(repository.at(), "main")).commit, left);
            } finally {
                delete process.env.GIT_DIR;
            }
        });
    });

    describe("withBase", () => {
        it("renders the base without checks, while the working tree stays as it is", async () => {
            start();
            repository.branch({ "service.txt": "changed\n" });
            repository.write({ "service.txt": "not committed\n", "Pulumi.dev.yaml": "config: { a: 1 }\n" });
            const before = repository.git("status", "--porcelain");
            const { text, where = "", args = "" } = textsOf(await repository.render());
            assert.equal(text, "shop\n");
            assert.match(where, /\/haproxy-fleet-base-\d+-\w+\/repository$/);
            assert.match(args, /^render --output \S+ --surroundings \{.*\} --no-checks -- dev$/);
            assert.equal(repository.git("status", "--porcelain"), before);
            assert.equal(readFileSync(join(repository.directory, "service.txt"), "utf8"), "not committed\n");
        });

        it("copes with strange names of folders and stacks", async () => {
            const folder = "a b/'c' \"d\"\n$(e) ü";
            repository = new BaseRepository("re po\n'\"$x");
            repository.write(installed(folder));
            repository.commit(project(folder));
            const { text, where } = textsOf(await repository.render("dev", folder));
            assert.equal(text, "shop\n");
            assert.equal(where?.endsWith(`/re po\n'"$x/${folder}`), true);
        });

        it("renders a new stack as one without hosts, but not one whose config file is ignored", async () => {
            start();
            repository.branch({ "Pulumi.new.yaml": "config: {}\n" });
            assert.deepEqual(await repository.render("new"), {
                hosts: [],
                errors: [],
                warnings: [],
                checks: [],
                findings: [],
            });
            repository.commit({ ".gitignore": "node_modules\nPulumi.own.yaml\n" });
            repository.write({ "Pulumi.own.yaml": "config: {}\n" });
            assert.equal(
                await repository.render("own"),
                "its config file is not in Git, because .gitignore names Pulumi.own.yaml",
            );
        });

        it("says why a base cannot be rendered, without the folder that is gone", async () => {
            start({ "README.md": "" });
            repository.branch(project());
            assert.match(String(await repository.render()), /^\.: no Pulumi\.yaml here or above; /);
            for (const [text, reason] of [
                ["old\n", "its haproxy-fleet is too old: it has no command for a review"],
                ["ends\n", "npx haproxy-fleet render: ended in x"],
                ["fails\n", "its program fails: Error: index.ts is wrong"],
            ] as const) {
                repository.commit({ "service.txt": text });
                assert.equal(await repository.render("dev", "", "HEAD"), reason);
            }
        });

        it("does not take a project above for the one that is missing", async () => {
            start();
            repository.branch(project("nested"));
            assert.equal(await repository.render("dev", "nested"), "it has no Pulumi.yaml in nested");
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
            assert.equal(textsOf(await repository.render()).text, "shop\n");
            await headName(await findBase(repository.at(), "main"));
            assert.equal(existsSync(ran), false);
            repository.git("config", "--unset", "core.fsmonitor");
        });

        it("says that Git cannot check the base out", async () => {
            start({ ...project(), ".gitattributes": "*.txt filter=broken\n" });
            repository.git("config", "filter.broken.smudge", "false");
            repository.git("config", "filter.broken.required", "true");
            assert.match(
                String(await repository.render()),
                /^git worktree add fails: .*fatal: service\.txt: smudge filter broken failed/,
            );
        });

        it("removes the checkout after an error", async () => {
            start();
            const base = await findBase(repository.at(), "main");
            await assert.rejects(
                withBase(repository.at(), base, async (renderBase) => {
                    await renderBase("dev", usual);
                    assert.equal(repository.worktrees(), 2);
                    throw new Error("of the review");
                }),
                /of the review/,
            );
        });
    });
});

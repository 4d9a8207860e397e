import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { findProject, type Project, stacksOf } from "../project";
import type { Surroundings } from "../surroundings";
import { installDependencies } from "./dependencies";
import { atEnd } from "./ending";
import { git, gitAtOnce, lastWords } from "./git";
import { rendered } from "./renderProcess";
import type { Rendering } from "./types";

/** The commit that a review compares with: the last one that both sides have. */
export interface Base {
    /** In full. */
    readonly commit: string;
    /** As people name it: `main (9f8e7d6)`. */
    readonly name: string;
    /** Folder of the checkout. */
    readonly repository: string;
}

/** Renders a stack at the base, without HAProxy's checker; or says why that is not possible. */
export type RenderBase = (stack: string, surroundings: Surroundings) => Promise<Rendering | string>;

/** What a commit declares for a stack that it does not have. */
const NO_STACK: Rendering = { hosts: [], errors: [], warnings: [], checks: [], findings: [] };

/** The name of a folder that we make for a checkout: the number is the process that has made it. */
const FOLDER = /^haproxy-fleet-base-(\d+)-/;

/**
 * Finds the commit to compare with.
 *
 * @param reference a branch, a tag or a commit
 * @throws {Error} If the project is in no repository, or if its history lacks the commit.
 */
export async function findBase(project: Project, reference: string): Promise<Base> {
    const repository = await repositoryOf(project);
    const subject = `--base: ${JSON.stringify(reference).slice(1, -1)}`;
    const tip = await commitOf(repository, reference);
    const isShallow = (await git(repository, "rev-parse", "--is-shallow-repository")).stdout.trim() === "true";
    const deepen = "this clone is shallow: clone with its whole history (GitHub: fetch-depth: 0; GitLab: GIT_DEPTH: 0)";
    if (tip === undefined) {
        const remote = `origin/${reference}`;
        const isThere = (await commitOf(repository, remote)) !== undefined;
        const fetch = isShallow ? deepen : "fetch it, as with git fetch origin";
        throw new Error(`${subject} is not a commit here; ${isThere ? `use ${remote}, which is one` : fetch}`);
    }
    if ((await commitOf(repository, "HEAD")) === undefined) {
        throw new Error("--base: the repository has no commit yet; commit first");
    }
    const { code, stdout, stderr } = await git(repository, "merge-base", tip, "HEAD");
    const commit = stdout.trim();
    if (code > 1) {
        throw new Error(`${subject}: git merge-base fails: ${lastWords({ stdout, stderr })}`);
    }
    if (commit === "") {
        throw new Error(`${subject} and HEAD have no commit in common; ${isShallow ? deepen : "name another base"}`);
    }
    const short = await shortName(repository, commit);
    return { commit, name: commit.startsWith(reference) ? short : `${reference} (${short})`, repository };
}

/**
 * Names the commit that is reviewed: `a1b2c3d`. If a forge has checked out its test merge into the base, names the commit that was merged,
 * because people do not see the merge.
 */
export async function headName({ repository, commit: base }: Base): Promise<string> {
    const [, first, merged, ...more] = (await git(repository, "rev-list", "--parents", "-1", "HEAD")).stdout
        .trim()
        .split(" ");
    const commit = merged !== undefined && first === base && more.length === 0 ? merged : "HEAD";
    const changed = await git(repository, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all");
    const short = await shortName(repository, commit);
    return changed.stdout.trim() === "" ? short : `${short} with uncommitted changes`;
}

/**
 * Checks the base out in a folder of its own for as long as `use` takes. What is wrong with the base is what it renders.
 *
 * @param project as it is checked out now
 */
export async function withBase<T>(project: Project, base: Base, use: (render: RenderBase) => Promise<T>): Promise<T> {
    const { repository, commit } = base;
    await removeLeft(repository);
    const folder = mkdtempSync(join(realpathSync(tmpdir()), `haproxy-fleet-base-${process.pid}-`));
    const checkout = join(folder, basename(repository) || "base");
    const remove = atEnd(() => removeCheckout(repository, checkout));
    try {
        const added = await git(repository, "worktree", "add", "--detach", checkout, commit);
        const there =
            added.code === 0
                ? await projectAt(project, repository, checkout)
                : `git worktree add fails: ${lastWords(added)}`;
        return await use(async (stack, surroundings) => {
            const found = typeof there === "string" ? there : await renderAt(there, project, stack, surroundings);
            // Its folder is gone when people read this.
            return typeof found === "string" ? found.replaceAll(`${checkout}/`, "").replaceAll(checkout, ".") : found;
        });
    } finally {
        remove();
    }
}

async function repositoryOf({ directory }: Project): Promise<string> {
    const { code, stdout, stderr } = await git(directory, "rev-parse", "--show-toplevel");
    if (code === 127) {
        throw new Error("--base: git is not installed; install it");
    }
    const folder = stdout.replace(/\n$/, "");
    if (code !== 0 || folder === "") {
        throw new Error(`--base: ${directory} is no checkout that Git can read: ${lastWords({ stdout, stderr })}`);
    }
    return folder;
}

/** The commit that a name stands for; undefined if there is none. */
async function commitOf(repository: string, name: string): Promise<string | undefined> {
    if (name.startsWith("-")) {
        return undefined;
    }
    const { code, stdout } = await git(repository, "rev-parse", "--verify", "--quiet", `${name}^{commit}`);
    return code === 0 ? stdout.trim() : undefined;
}

async function shortName(repository: string, commit: string): Promise<string> {
    const { stdout } = await git(repository, "rev-parse", "--short", commit);
    return stdout.trim();
}

/** The same project in the checkout of the base, with its packages; or what it lacks. */
async function projectAt(project: Project, repository: string, checkout: string): Promise<Project | string> {
    const path = relative(repository, realpathSync(project.directory));
    try {
        const found = findProject(join(checkout, path));
        if (found.directory !== join(checkout, path)) {
            return `it has no Pulumi.yaml in ${path}`;
        }
        const program = relative(checkout, found.programDirectory);
        const checkouts = { head: repository, base: checkout };
        return (await installDependencies(checkouts, program.startsWith("..") ? "" : program)) ?? found;
    } catch (error) {
        return (error as Error).message;
    }
}

async function renderAt(
    there: Project,
    project: Project,
    stack: string,
    surroundings: Surroundings,
): Promise<Rendering | string> {
    const isNew = stacksOf(project).includes(stack) && !stacksOf(there).includes(stack);
    if (isNew) {
        const names = ["yaml", "yml"].map((extension) => `Pulumi.${stack}.${extension}`);
        const file = names.map((name) => join(project.configDirectory, name)).find((each) => existsSync(each)) ?? "";
        const { code } = await git(project.directory, "check-ignore", "--quiet", "--", file);
        return code === 0 ? `its config file is not in Git, because .gitignore names ${basename(file)}` : NO_STACK;
    }
    const rendering = await rendered({ project: there, stack, surroundings, checks: false, shown: false });
    const [error] = typeof rendering === "string" ? [] : rendering.errors;
    return error === undefined ? rendering : `its program fails: ${error.trim()}`;
}

/** Removes a checkout, or what there is of it. Synchronous, because this process may be about to end. */
function removeCheckout(repository: string, checkout: string): void {
    rmSync(dirname(checkout), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    // Not `prune`, which would also forget worktrees on disks that are not there for the moment.
    gitAtOnce(repository, "worktree", "remove", "--force", "--force", checkout);
}

/** Removes the checkouts of reviews that were killed. */
async function removeLeft(repository: string): Promise<void> {
    const { code, stdout } = await git(repository, "worktree", "list", "--porcelain", "-z");
    const paths = code === 0 ? stdout.split("\0").flatMap((line) => /^worktree (.*)$/s.exec(line)?.[1] ?? []) : [];
    for (const path of paths) {
        const process = FOLDER.exec(basename(dirname(path)))?.[1];
        if (process !== undefined && !isRunning(Number(process))) {
            removeCheckout(repository, path);
        }
    }
}

function isRunning(id: number): boolean {
    try {
        return process.kill(id, 0);
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

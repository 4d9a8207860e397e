import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { manifestOf } from "../project";
import { lastWords } from "./git";
import { runIn } from "./processes";

/** Lock files that npm reads. */
const NPM_LOCKS = ["npm-shrinkwrap.json", "package-lock.json"];
/** Lock files of others. */
const OTHER_LOCKS = ["yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"];
const WORKSPACES = "pnpm-workspace.yaml";

/** Two checkouts of a repository. */
export interface Checkouts {
    /** Folder of the one in which dependencies are installed. */
    readonly head: string;
    readonly base: string;
}

/**
 * Gives the base the packages of its programs: those of the head if both declare the same, else what its lock file of npm says.
 *
 * @param program folder of the program, below that of the checkout; empty if it is the same
 * @returns why the base lacks them; undefined if it has them
 */
export async function installDependencies(checkouts: Checkouts, program: string): Promise<string | undefined> {
    for (const folder of foldersAbove(program)) {
        const problem = await installIn(checkouts, folder);
        if (problem !== undefined) {
            return problem;
        }
    }
    return undefined;
}

/** The folder and those above it, up to that of the checkout. */
function foldersAbove(folder: string): string[] {
    return folder === "" || folder === "." ? [""] : [folder, ...foldersAbove(dirname(folder))];
}

async function installIn({ head, base }: Checkouts, folder: string): Promise<string | undefined> {
    const [before, after] = [join(base, folder), join(head, folder)];
    // One in Git is as the base has it.
    if (!existsSync(join(before, "package.json")) || existsSync(join(before, "node_modules"))) {
        return undefined;
    }
    if (declareAlike(before, after) && !hasLocalPackages(after)) {
        if (existsSync(join(after, "node_modules"))) {
            symlinkSync(join(after, "node_modules"), join(before, "node_modules"));
        }
        return undefined;
    }
    if (NPM_LOCKS.some((name) => existsSync(join(before, name)))) {
        const { code, ...output } = await runIn(
            "npm",
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            {
                folder: before,
            },
        );
        return code === 0 ? undefined : `npm ci fails there: ${lastWords(output)}`;
    }
    const { dependencies = {}, devDependencies = {} } = manifestOf(join(before, "package.json"));
    if (Object.keys({ ...dependencies, ...devDependencies }).length === 0) {
        return undefined;
    }
    const lock = OTHER_LOCKS.find((name) => existsSync(join(before, name)));
    const manifest = join(folder, "package.json");
    return lock === undefined
        ? `its packages cannot be installed: ${manifest} has no lock file of npm there`
        : `its packages cannot be installed: ${join(folder, lock)} is not of npm, and other packages are declared there`;
}

/** Whether two folders declare the same packages in the same versions. */
function declareAlike(before: string, after: string): boolean {
    return ["package.json", ...NPM_LOCKS, ...OTHER_LOCKS, WORKSPACES].every(
        (name) => textOf(join(before, name)) === textOf(join(after, name)),
    );
}

/** Whether packages of the repository itself are among those installed: a link to them would show what the head has. */
function hasLocalPackages(folder: string): boolean {
    return (
        NPM_LOCKS.some((name) => /"link": true/.test(textOf(join(folder, name)) ?? "")) ||
        OTHER_LOCKS.some((name) => /\blink:|@workspace:/.test(textOf(join(folder, name)) ?? ""))
    );
}

function textOf(file: string): string | undefined {
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

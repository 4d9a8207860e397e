import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProject, type Project } from "../../../../cli/project";
import { findBase, withBase } from "../../../../cli/review/base";
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
export const project = (folder = "") => ({
    [join(folder, "Pulumi.yaml")]: "name: edge\nruntime: nodejs\n",
    [join(folder, "Pulumi.dev.yaml")]: "config: {}\n",
    [join(folder, "package.json")]: '{ "name": "edge" }\n',
    [join(folder, "index.ts")]: "",
    [join(folder, "service.txt")]: "shop\n",
    ".gitignore": "node_modules\n",
});
export const installed = (folder = "") => ({
    [join(folder, "node_modules/haproxy-fleet/package.json")]: JSON.stringify({
        name: "haproxy-fleet",
        version: "0.1.0",
        bin: { "haproxy-fleet": "command.js" },
    }),
    [join(folder, "node_modules/haproxy-fleet/command.js")]: command,
});

/** A repository with a project whose package is a double that renders what it is told. */
export class BaseRepository extends GitRepository {
    /** Commits a project, and returns the commit. */
    start(files: Record<string, string> = project()): string {
        this.write(installed());
        return this.commit(files);
    }

    /** A branch with a commit, which the working tree has; returns the commit. */
    branch(files: Record<string, string> = {}): string {
        this.git("checkout", "--quiet", "-b", "change");
        return this.commit(files);
    }

    at(folder = ""): Project {
        return findProject(join(this.directory, folder));
    }

    /** What a reference renders, or why it cannot be rendered. */
    async render(stack = "dev", folder = "", reference = "main"): Promise<Rendering | string> {
        return withBase(this.at(folder), await findBase(this.at(folder), reference), (base) => base(stack, usual));
    }

    /** How many worktrees Git knows, this one too. */
    worktrees(): number | undefined {
        return this.git("worktree", "list", "--porcelain").match(/^worktree /gm)?.length;
    }

    /** Removes it, if a review has left nothing. */
    end(): void {
        try {
            assert.equal(this.worktrees(), 1);
            assert.deepEqual(basesOf(process.pid), []);
        } finally {
            this.remove();
        }
    }
}

/** Folders in which a process has checked bases out. */
export function basesOf(process: number | undefined): string[] {
    return readdirSync(tmpdir()).filter((name) => name.startsWith(`haproxy-fleet-base-${process}-`));
}

/** The texts of what was rendered, which must be a host of the double. */
export function textsOf(found: Rendering | string): Readonly<Record<string, string>> {
    return typeof found === "string" ? assert.fail(found) : (found.hosts[0]?.files ?? {});
}

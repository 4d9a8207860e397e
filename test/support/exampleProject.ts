import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { UserProject } from "./userProject";

const folder = join(repo, "examples");

/** The names of the examples. */
export const examples = readdirSync(folder);

/** A copy of an example as a project of its own, outside of this repository. */
export function exampleProject(name: string): UserProject {
    const project = new UserProject();
    cpSync(join(folder, name), project.directory, { recursive: true });
    return project;
}

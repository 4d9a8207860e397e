import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { Project } from "./project";

const folder = join(repo, "examples");

/** The names of the examples. */
export const examples = readdirSync(folder);

/** A copy of an example as a project of its own, outside of this repository. */
export function exampleProject(name: string): Project {
    const project = new Project();
    cpSync(join(folder, name), project.directory, { recursive: true });
    return project;
}

import { perlFunction } from "./perlFunction";
import { textFile, textFiles } from "./textFiles";

/**
 * The shell text of a recipe's adapter: all `.sh` files of the recipe's folder, and for each Perl program `<name>.pl` a function
 * `<recipe>_<name>` that runs it, see {@link perlProgram}. Recipes themselves read no files, so that they stay pure.
 *
 * @param parts folders in the recipe's folder whose files are needed, too
 * @throws {Error} If there is no such folder: a defect of the recipe, never of a stack.
 */
export function adapterScript(recipe: string, parts: readonly string[] = []): string {
    const folder = `components/recipes/${recipe}`;
    return [folder, ...parts.map((part) => `${folder}/${part}`)]
        .flatMap((of) => [
            ...textFiles(of, ".sh").map(({ text }) => text),
            ...textFiles(of, ".pl")
                .filter(({ name }) => !name.includes("."))
                .map(({ name }) => perlFunction(`${recipe}_${name}`, perlProgram(of, name))),
        ])
        .join("\n");
}

/** The Perl program `<name>.pl` of a folder, followed by `<name>.*.pl`: functions that it shares with others. */
export function perlProgram(folder: string, name: string): string {
    const parts = textFiles(folder, ".pl").filter((file) => file.name === name || file.name.startsWith(`${name}.`));
    return parts.map(({ text }) => text).join("");
}

/**
 * A program that a recipe installs on its hosts: the file `name` in `programs/` of the recipe's folder.
 *
 * @throws {Error} If there is no such program: a defect of the recipe, never of a stack.
 */
export function hostProgram(recipe: string, name: string): string {
    return textFile(`components/recipes/${recipe}/programs/${name}`);
}

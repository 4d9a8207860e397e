import { perlFunction } from "./perlFunction";
import { textFile, textFiles } from "./textFiles";

/**
 * The shell text of a recipe's adapter: all `.sh` files of the recipe's folder, and for each Perl program `<name>.pl` a function
 * `<recipe>_<name>` that runs it. Recipes themselves read no files, so that they stay pure.
 *
 * @param parts folders in the recipe's folder whose files are needed, too
 * @throws {Error} If there is no such folder: a defect of the recipe, never of a stack.
 */
export function adapterScript(recipe: string, parts: readonly string[] = []): string {
    const folder = `components/recipes/${recipe}`;
    return [folder, ...parts.map((part) => `${folder}/${part}`)]
        .flatMap((of) => [
            ...textFiles(of, ".sh").map(({ text }) => text),
            ...textFiles(of, ".pl").map(({ name, text }) => perlFunction(`${recipe}_${name}`, text)),
        ])
        .join("\n");
}

/**
 * A program that a recipe installs on its hosts: the file `name` in `programs/` of the recipe's folder.
 *
 * @throws {Error} If there is no such program: a defect of the recipe, never of a stack.
 */
export function hostProgram(recipe: string, name: string): string {
    return textFile(`components/recipes/${recipe}/programs/${name}`);
}

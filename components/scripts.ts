import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The shell text of a daemon's adapter, from the recipe's folder. Recipes read no files themselves, so that they stay pure.
 *
 * @throws {Error} If there is no such file: a defect of the recipe, never of a stack.
 */
export function adapterScript(recipe: string, ...parts: string[]): string {
    return parts.map((part) => readFileSync(join(__dirname, "recipes", recipe, `${part}.sh`), "utf8")).join("\n");
}

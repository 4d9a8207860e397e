import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileAbove, manifestOf, type Project } from "./project";

/**
 * The script of the command in the copy of this package that a project uses.
 *
 * @throws {Error} If it has none.
 */
export function scriptOf({ programDirectory, directory }: Project): string {
    const manifest = fileAbove(programDirectory, ["package.json"]);
    if (manifest !== undefined && manifestOf(manifest).name === "haproxy-fleet") {
        // A checkout of this package, whose program imports its folders.
        if (!__filename.endsWith(".ts")) {
            throw new Error(
                `${directory} is a checkout of haproxy-fleet; use npm run check, or another of its commands`,
            );
        }
        return join(dirname(manifest), "cli", "main.ts");
    }
    const installed = fileAbove(programDirectory, ["node_modules/haproxy-fleet/package.json"]);
    if (installed === undefined) {
        throw new Error(`haproxy-fleet is not installed in ${directory}; run npm install haproxy-fleet there`);
    }
    const { bin = {}, version } = manifestOf(installed);
    const script = bin["haproxy-fleet"];
    if (script === undefined) {
        throw new Error(`haproxy-fleet ${version} of the project has no command; update it there`);
    }
    return join(realpathSync(dirname(installed)), script);
}

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** In the built package, all of these files by path: they are part of its JavaScript. `toolchain/package.mjs` puts them there. */
declare const packagedTexts: Record<string, string> | undefined;

const packaged = typeof packagedTexts === "undefined" ? undefined : packagedTexts;
const root = dirname(__dirname);

/**
 * The text of a file that belongs to the code, like shell or a template.
 *
 * @param path Its path in the checkout, with "/".
 * @throws {Error} If there is no such file: a defect of the caller, never of a stack.
 */
export function textFile(path: string): string {
    return packaged?.[path] ?? readFileSync(join(root, path), "utf8");
}

/** The files of a folder with an extension, sorted by name; the name is without the extension. */
export function textFiles(folder: string, extension: string): { name: string; text: string }[] {
    const names = packaged
        ? Object.keys(packaged).flatMap((path) => (dirname(path) === folder ? [path.slice(folder.length + 1)] : []))
        : readdirSync(join(root, folder));
    return names
        .filter((name) => name.endsWith(extension))
        .sort()
        .map((name) => ({ name: name.slice(0, -extension.length), text: textFile(`${folder}/${name}`) }));
}

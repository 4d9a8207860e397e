import { readFileSync, writeFileSync } from "node:fs";

/** @throws {Error} If the file cannot be read. */
export function fileText(file: string): string {
    return naming(file, "read", () => readFileSync(file, "utf8"));
}

/** @throws {Error} If the file cannot be written. */
export function written(file: string, text: string): void {
    naming(file, "written", () => writeFileSync(file, text));
}

function naming<T>(file: string, done: string, action: () => T): T {
    try {
        return action();
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const why = code === "ENOENT" ? (done === "read" ? "it does not exist" : "its folder does not exist") : message;
        throw new Error(`${file} cannot be ${done}: ${why}; correct the path`);
    }
}

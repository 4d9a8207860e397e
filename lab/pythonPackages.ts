// Packages from PyPI that tests and the demo run on this machine, in the cache.
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDir } from "../toolchain/environment.mjs";

/**
 * Installs packages with pip, once. Several processes may do so at once: the first to finish wins.
 *
 * @param name what they are, for the folder and for messages
 * @param requirements a file with the digest of each wheel
 * @returns the folder for PYTHONPATH, or why they cannot be installed here, in words
 */
export async function pythonPackages(
    name: string,
    requirements: string,
): Promise<{ readonly folder: string } | { readonly why: string }> {
    let version: string;
    try {
        version = execFileSync("python3", ["--version"], { encoding: "utf8" });
    } catch {
        return { why: `no python3, which ${name} needs` };
    }
    const key = createHash("sha256").update(version).update(readFileSync(requirements)).digest("hex").slice(0, 12);
    const folder = join(cacheDir, `${name}-${key}`);
    if (existsSync(folder)) {
        return { folder };
    }
    mkdirSync(cacheDir, { recursive: true });
    const partial = mkdtempSync(`${folder}.`);
    const options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--disable-pip-version-check"];
    try {
        const args = ["-m", "pip", "install", "--quiet", ...options, "--target", partial, "-r", requirements];
        await promisify(execFile)("python3", args, { timeout: 300_000 });
        renameSync(partial, folder);
    } catch (error) {
        rmSync(partial, { recursive: true, force: true });
        if (existsSync(folder)) return { folder };
        const lines = (error as { stderr?: string }).stderr?.trim().split("\n") ?? [];
        return { why: `pip cannot install ${name}: ${lines.at(-1) ?? (error as Error).message}` };
    }
    return { folder };
}

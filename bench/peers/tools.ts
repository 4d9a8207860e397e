import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDir, repo } from "../../toolchain/environment.mjs";

const requirements = join(repo, "bench/peers/requirements.txt");

/** Runs a program that must succeed, and returns what it prints. */
export async function output(
    program: string,
    args: string[],
    cwd = repo,
    env: NodeJS.ProcessEnv = {},
): Promise<string> {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 << 20 };
    try {
        const { stdout, stderr } = await promisify(execFile)(program, args, options);
        return stdout + stderr;
    } catch (error) {
        const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
        throw new Error(
            `${program} ${args.join(" ")}: ${message.split("\n")[0]}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
        );
    }
}

/** The folder of the peers' programs, at the versions of requirements.txt: a virtual environment in the cache. */
export async function peerPrograms(): Promise<string> {
    const versions = readFileSync(requirements, "utf8")
        .trim()
        .split("\n")
        .map((line) => line.replace("==", "-"));
    const home = join(cacheDir, `peers-${versions.join("-")}`);
    if (!existsSync(home)) {
        const partial = `${home}.partial`;
        rmSync(partial, { recursive: true, force: true });
        mkdirSync(cacheDir, { recursive: true });
        await output("python3", ["-m", "venv", partial]);
        await output(join(partial, "bin/pip"), [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            requirements,
        ]);
        // Programs there name the folder that they were installed in, so they are run as modules.
        renameSync(partial, home);
    }
    return join(home, "bin");
}

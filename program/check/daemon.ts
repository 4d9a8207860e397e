import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { buildImage } from "../../lab/images";
import { inRelease } from "../../lab/inRelease";
import { CommandError, type Result, run } from "../../lab/machine/exec";
import { obstacles } from "../../lab/machine/prerequisites";
import { step } from "../../lab/machine/progress";
import { type Release, releases } from "../../lab/releases";
import type { Account } from "./draft";

/** A HAProxy that can check a configuration. */
export interface Daemon {
    /** Its version and where it is, for people. */
    readonly name: string;
    /** Returns the account to check as: the wanted one, or another if the machine lacks it. */
    account(wanted: Account): Promise<Account>;
    /**
     * Runs its checker on haproxy.cfg, the first of the files.
     *
     * @param files texts by absolute path on a host
     * @param options further options of the command
     */
    check(files: ReadonlyMap<string, string>, options: readonly string[]): Promise<Verdict>;
}

/** What a checker says. */
export interface Verdict {
    readonly accepted: boolean;
    /** Paths in it are those on a host. */
    readonly output: string;
}

const checker = (config: string, options: readonly string[]) => ["-W", "-f", config, "-c", ...options];

/**
 * A HAProxy for a declared release: that on PATH if it is this release or a newer one, else an image of the lab.
 *
 * @returns the daemon, or why there is none
 */
export async function findDaemon(release: string): Promise<Daemon | string> {
    const installed = await installedVersion();
    if (installed !== undefined && compare(installed, release) >= 0) {
        return onPath(installed, release);
    }
    const fitting = releases.find(({ version }) => compare(version, release) >= 0);
    const missing =
        installed === undefined ? "no haproxy is on PATH" : `haproxy on PATH is ${installed}, older than ${release}`;
    if (fitting === undefined) {
        return `${missing}, and the lab has no release from ${release} on`;
    }
    const [obstacle] = await obstacles();
    return obstacle === undefined
        ? inLab(fitting.version, release)
        : `${missing}, and this machine cannot host the lab (${obstacle})`;
}

/** Version of the haproxy on PATH, such as `2.6.12-1+deb12u4`. */
async function installedVersion(): Promise<string | undefined> {
    const { stdout } = await attempt("haproxy", ["-v"]);
    return /version (\d+\.\d+\S*)/.exec(stdout)?.[1];
}

/** Negative if the release of `a` is older than that of `b`. */
function compare(a: string, b: string): number {
    const [major = 0, minor = 0] = a.split(".").map((part) => Number.parseInt(part, 10));
    const [otherMajor = 0, otherMinor = 0] = b.split(".").map((part) => Number.parseInt(part, 10));
    return major - otherMajor || minor - otherMinor;
}

function nameOf(version: string, where: string, release: string): string {
    return `HAProxy ${version} ${where}${compare(version, release) > 0 ? `, newer than the declared ${release}` : ""}`;
}

/** Checks in a directory of its own, to which every path of the configuration is moved. */
function onPath(version: string, release: string): Daemon {
    return {
        name: nameOf(version, "on PATH", release),
        async account({ user, group }) {
            const [known, knownGroup] = [await attempt("id", ["-u", user]), await attempt("getent", ["group", group])];
            const own = async () => (await attempt("id", ["-gn"])).stdout.trim();
            return {
                user: known.code === 0 ? user : userInfo().username,
                group: knownGroup.code === 0 ? group : await own(),
            };
        },
        async check(files, options) {
            const directory = mkdtempSync(join(tmpdir(), "haproxy-check-"));
            try {
                const paths = [...files.keys()].flatMap((path) => [path, `${dirname(path)}/`]);
                const moved = (text: string) =>
                    paths.reduce((all, path) => all.replace(atPath(path), `${directory}${path}`), text);
                for (const [path, text] of files) {
                    mkdirSync(dirname(join(directory, path)), { recursive: true });
                    writeFileSync(join(directory, path), moved(text));
                }
                const [config = ""] = files.keys();
                const { code, stdout, stderr } = await attempt("haproxy", checker(join(directory, config), options));
                return { accepted: code === 0, output: `${stdout}${stderr}`.replaceAll(directory, "") };
            } finally {
                rmSync(directory, { recursive: true });
            }
        },
    };
}

/** Matches the path as a word, or as an argument in parentheses, but not as a part of another path. */
function atPath(path: string): RegExp {
    return new RegExp(`(?<![\\w./-])${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w./-])`, "g");
}

async function inLab(version: Release["version"], release: string): Promise<Daemon> {
    await step(`image of HAProxy ${version}`, (note) => buildImage("haproxy", version, note));
    return {
        name: nameOf(version, "in the lab's image", release),
        account: async (wanted) => wanted,
        async check(files, options) {
            const [config = ""] = files.keys();
            const command = ["haproxy", ...checker(config, options)];
            const { code, stdout, stderr } = await inRelease({ version }, command, Object.fromEntries(files));
            return { accepted: code === 0, output: `${stdout}${stderr}` };
        },
    };
}

/** Like `run`, for programs that may be missing. */
async function attempt(program: string, args: string[]): Promise<Result> {
    try {
        return await run(program, args, { check: false, timeout: 60_000 });
    } catch (error) {
        if (error instanceof CommandError) {
            throw error;
        }
        return { code: 127, stdout: "", stderr: (error as Error).message };
    }
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { attempt, type Surroundings } from "../surroundings";

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

/** The account that HAProxy runs as. */
export interface Account {
    readonly user: string;
    readonly group: string;
}

/** What a checker says. */
export interface Verdict {
    readonly accepted: boolean;
    /** Paths in it are those on a host. */
    readonly output: string;
}

/**
 * Finds a HAProxy.
 *
 * @param release the declared one, as `2.6`
 * @param wanted what the user has named
 * @returns the daemon, or why there is none
 */
export type FindDaemon = (release: string, wanted?: string) => Promise<Daemon | string>;

/** Arguments with which HAProxy checks a configuration. */
export const checkerArguments = (config: string, options: readonly string[]) => ["-W", "-f", config, "-c", ...options];

/** The HAProxy on PATH, or at a path that the user has named, if it is of the declared release or of a newer one. */
export const findDaemon: FindDaemon = async (release, wanted) => {
    const program = wanted ?? "haproxy";
    const where = wanted === undefined ? "on PATH" : `at ${wanted}`;
    const installed = await installedVersion(program);
    if (installed === undefined) {
        return wanted === undefined ? "no haproxy is on PATH" : `${wanted} is no HAProxy`;
    }
    return compareReleases(installed, release) < 0
        ? `haproxy ${where} is ${installed}, older than ${release}`
        : onMachine(program, daemonName(installed, where, release));
};

/** Finds a HAProxy as the surroundings do. */
export async function finderOf({ daemons }: Surroundings): Promise<FindDaemon> {
    return daemons === undefined ? findDaemon : ((await import(daemons)) as { findDaemon: FindDaemon }).findDaemon;
}

/** Version of a HAProxy, such as `2.6.12-1+deb12u4`; undefined if it is none. */
async function installedVersion(program: string): Promise<string | undefined> {
    const { stdout } = await attempt(program, ["-v"]);
    return /version (\d+\.\d+\S*)/.exec(stdout)?.[1];
}

/** Negative if the release of `a` is older than that of `b`. */
export function compareReleases(a: string, b: string): number {
    const [major = 0, minor = 0] = a.split(".").map((part) => Number.parseInt(part, 10));
    const [otherMajor = 0, otherMinor = 0] = b.split(".").map((part) => Number.parseInt(part, 10));
    return major - otherMajor || minor - otherMinor;
}

export function daemonName(version: string, where: string, release: string): string {
    const newer = compareReleases(version, release) > 0 ? `, newer than the declared ${release}` : "";
    return `HAProxy ${version} ${where}${newer}`;
}

/** Checks in a directory of its own, to which every path of the configuration is moved. */
function onMachine(program: string, name: string): Daemon {
    return {
        name,
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
                const paths = new Set([...files.keys()].flatMap((path) => [path, `${dirname(path)}/`]));
                const pattern = atPaths([...paths]);
                const moved = (text: string) => text.replace(pattern, (path) => `${directory}${path}`);
                for (const [path, text] of files) {
                    mkdirSync(dirname(join(directory, path)), { recursive: true });
                    writeFileSync(join(directory, path), moved(text));
                }
                const [config = ""] = files.keys();
                const args = checkerArguments(join(directory, config), options);
                const { code, stdout, stderr } = await attempt(program, args, undefined, { env: checkerEnvironment() });
                return { accepted: code === 0, output: `${stdout}${stderr}`.replaceAll(directory, "") };
            } finally {
                rmSync(directory, { recursive: true });
            }
        },
    };
}

/** A configuration may name any variable of the environment, and HAProxy repeats its value in errors: those of a pipeline have secrets. */
function checkerEnvironment(): NodeJS.ProcessEnv {
    const names = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "TZ"];
    return Object.fromEntries([...names.map((name) => [name, process.env[name]]), ["LC_ALL", "C.UTF-8"]]);
}

/** Matches the paths as words, or as arguments in parentheses, but not as parts of other paths. */
function atPaths(paths: readonly string[]): RegExp {
    const words = paths.map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`(?<![\\w./-])(?:${words.join("|")})(?![\\w./-])`, "g");
}

// What tasks need. A finished step prints nothing and takes no time.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import {
    actionlintBin,
    bundleDir,
    cacheDir,
    cliVersion,
    fullInstall,
    hasLogin,
    missingPlugins,
    pulumiInstall,
    repo,
    userHome,
} from "../environment.mjs";
import { installPlugins, pluginsInstalled } from "../offline/bundles.mjs";
import { withLock } from "./lock.mjs";
import { runLogged, SetupError, showProgress, track } from "./progress.mjs";

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {() => boolean} done
 * @property {(say: (detail: string) => void) => Promise<void>} work
 */

/** @param {Step} step */
async function ensure({ title, done, work }) {
    if (done()) return;
    await withLock(async () => {
        if (!done()) await showProgress(title, work);
    });
}

/** @param {string} file */
const packagesOf = (file) =>
    /** @type {Record<string, { version?: string, optional?: boolean }>} */ (
        JSON.parse(readFileSync(file, "utf8")).packages
    );

function packagesMatch() {
    const installedFile = join(repo, "node_modules", ".package-lock.json");
    if (!existsSync(installedFile)) return false; // npm writes this file last, so an interrupted installation has none.
    const installed = packagesOf(installedFile);
    return Object.entries(packagesOf(join(repo, "package-lock.json"))).every(
        ([path, wanted]) =>
            path === "" || (installed[path] ? installed[path].version === wanted.version : wanted.optional === true),
    );
}

export const npmPackages = () =>
    ensure({
        title: "Installing npm packages",
        done: packagesMatch,
        work: (say) =>
            runLogged({
                name: "npm",
                command: "npm",
                args: ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd: repo,
                env: { ...process.env, npm_config_loglevel: "notice" }, // Otherwise `npm run --silent` would hide errors.
                remedy: "Check the npm registry (npm config get registry) and the network, then run the same command again.",
                onLine: say,
            }),
    });

/**
 * Those of the Debian packages that are not installed.
 * @param {string[]} names
 */
export function missingDebianPackages(names) {
    try {
        const text = execFileSync("dpkg-query", ["-W", "-f", "$" + "{db:Status-Status} $" + "{Package}\n", ...names], {
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
        });
        return names.filter(
            (name) => !text.includes(`installed ${name}\n`) || text.includes(`not-installed ${name}\n`),
        );
    } catch (error) {
        const text = String(/** @type {{ stdout?: string }} */ (error).stdout ?? "");
        return names.filter((name) => !text.split("\n").includes(`installed ${name}`));
    }
}

// Keeps packages from starting daemons on the developer's machine, with Debian's policy-rc.d (see invoke-rc.d(8)).
const aptScript = `
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 143' TERM INT
    printf '#!/bin/sh\\nexit 101\\n' >"$policy"
    chmod 755 "$policy"
fi
dpkg --configure -a
apt-get -o DPkg::Lock::Timeout=300 update
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
`;

/** @param {string[]} names */
export async function debianPackages(names) {
    const missing = missingDebianPackages(names);
    if (missing.length === 0) return;
    if (!existsSync("/usr/bin/apt-get")) {
        throw new SetupError(
            `Debian packages ${missing.join(", ")}: this system has no apt; install these tools another way`,
        );
    }
    if (process.getuid?.() !== 0) {
        throw new SetupError(`Debian packages are missing: sudo apt-get install ${missing.join(" ")}`);
    }
    await ensure({
        title: `Installing Debian packages (${missing.join(", ")})`,
        done: () => missingDebianPackages(names).length === 0,
        work: (say) =>
            runLogged({
                name: "apt",
                command: "sh",
                args: ["-c", aptScript, "apt", ...missing],
                env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
                remedy: "Check the apt sources and the network, then run the same command again.",
                onLine: say,
            }),
    });
}

const cliPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const ourCli = join(cacheDir, "bin", `pulumi-${cliVersion}`);

/**
 * Builds a tool from the Go module proxy, once.
 * @param {object} tool
 * @param {string} tool.title
 * @param {string} tool.bin where it is built
 * @param {string} tool.folder the folder below toolchain/ with its go.mod
 * @param {string} tool.name its package
 * @param {string} [tool.flags] flags of the linker
 * @param {string} tool.takes how long that takes
 */
const goTool = ({ title, bin, folder, name, flags = "", takes }) =>
    ensure({
        title,
        done: () => existsSync(bin),
        work: async (say) => {
            const cwd = join(repo, "toolchain", folder);
            const partial = `${bin}.partial`;
            mkdirSync(dirname(bin), { recursive: true });
            rmSync(partial, { force: true });
            const wanted = /^go (\S+)/m.exec(readFileSync(join(cwd, "go.mod"), "utf8"))?.[1];
            const remedy = `The build needs Go ${wanted} or newer and the Go module proxy. Compiled packages are kept; run the same command again.`;
            let compiled = 0;
            say(`once, ${takes}`);
            await runLogged({
                name: "go-build",
                command: "go",
                // -v prints each package when it is compiled.
                args: ["build", "-v", "-ldflags", `-s -w ${flags}`, "-o", partial, name],
                cwd,
                remedy,
                onLine: (line) =>
                    say(line.startsWith("go: ") ? line : `${++compiled} packages (once, ${takes}), now ${line}`),
            });
            renameSync(partial, bin);
        },
    });

const cli = () =>
    goTool({
        title: `Building the Pulumi CLI ${cliVersion}`,
        bin: ourCli,
        folder: "offline/cli",
        name: cliPackage,
        flags: `-X ${versionVariable}=${cliVersion}`,
        takes: "4 to 6 min on 2 cores",
    });

export const actionlint = () =>
    goTool({
        title: "Building actionlint",
        bin: actionlintBin,
        folder: "actionlint",
        name: "github.com/rhysd/actionlint/cmd/actionlint",
        takes: "30 s",
    });

/**
 * Lets a full install fetch the provider plugins that it lacks, if it lacks nothing else. If it cannot, our CLI and stand-ins are used.
 * @param {boolean} keepsBackend whether to fail instead, if the stand-ins would not have the backend of the user's login
 */
async function completeFullInstall(keepsBackend) {
    const bin = fullInstall();
    if (!bin) return;
    for (const { name, version } of missingPlugins()) {
        const args = ["plugin", "install", "resource", name, version];
        try {
            await showProgress(`Installing the ${name} plugin`, (say) =>
                runLogged({
                    name: "plugin",
                    command: bin,
                    args,
                    remedy: "Run this command yourself, or unset PULUMI_FULL.",
                    onLine: say,
                }),
            );
        } catch (error) {
            if (process.env.PULUMI_FULL === "1") throw error;
            if (keepsBackend && !process.env.PULUMI_BACKEND_URL && hasLogin(userHome)) {
                throw new SetupError(
                    `${bin}: cannot fetch the ${name} plugin ${version}, and our stand-in for it does not have your login, so it would ` +
                        `use another backend; run pulumi ${args.join(" ")} where the network allows it, or name the backend in ` +
                        "PULUMI_BACKEND_URL to use the stand-in",
                );
            }
            process.stderr.write(
                `The pulumi on PATH cannot fetch the ${name} plugin; using our own build of the CLI and our stand-ins.\n`,
            );
            return;
        }
    }
}

/**
 * Prepares the CLI, the language host and the provider plugins.
 * @param {{ keepsBackend?: boolean }} [options] whether the user's backend is used, so that it must not change
 */
export async function pulumi({ keepsBackend = false } = {}) {
    await completeFullInstall(keepsBackend);
    if (pulumiInstall().full) return;
    await cli();
    await ensure({
        title: "Bundling the Pulumi plugins",
        done: () => pluginsInstalled(bundleDir()),
        work: () => installPlugins(bundleDir()),
    });
}

/** @throws {SetupError} that says why this machine cannot host the lab */
export async function labCheck() {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "lab/cli.ts", "check"], {
        cwd: repo,
        encoding: "utf8",
    });
    if (status !== 0) throw new SetupError((stdout + stderr).trim());
}

/**
 * The lab's images: the lab shows its own progress.
 * @param {string[]} options `--all` for those that only tests need
 */
export function labBase(options = []) {
    return withLock(
        () =>
            new Promise((resolve, reject) => {
                const child = spawn(process.execPath, ["--import", "tsx", "lab/cli.ts", "images", ...options], {
                    cwd: repo,
                    stdio: "inherit",
                });
                track(child);
                child.on("error", reject);
                child.on("close", (code) =>
                    code === 0
                        ? resolve(undefined)
                        : reject(new SetupError("the lab's images could not be built; see above.")),
                );
            }),
    );
}

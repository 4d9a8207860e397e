// Paths of the cache, the Pulumi CLI, its plugins and this checkout's state. It runs before npm packages are installed.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
    accessSync,
    constants,
    existsSync,
    linkSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { homedir, userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** This checkout. */
export const repo = dirname(dirname(fileURLToPath(import.meta.url)));
/** Outside the checkout, so that all clones on the machine share the long builds. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "haproxy-fleet");
/** The Pulumi CLI that is built if there is no full install. */
export const cliVersion = "v3.259.0";
/** The linter of workflows, which tests build. Its version is that of toolchain/actionlint/go.mod. */
export const actionlintBin = join(cacheDir, "bin", "actionlint-v1.7.12");
/** @type {{ devDependencies: Record<string, string> }} */
const manifest = JSON.parse(readFileSync(join(repo, "package.json"), "utf8"));

/**
 * The provider plugins that this repository's packages ask for, each in the version of its package. The bundle and its source belong to
 * the stand-in, which takes the same place below PULUMI_HOME/plugins as the real plugin.
 */
export const resourcePlugins = ["command", "tls", "aws"].map((name) => {
    const version = `v${manifest.devDependencies[`@pulumi/${name}`]}`;
    return {
        name,
        version,
        bundle: `${name}.js`,
        entry: `toolchain/offline/${name}Plugin/main.ts`,
        directory: `resource-${name}-${version}`,
        file: `pulumi-resource-${name}`,
    };
});
/** The first CLI that fits the pinned SDK. */
const oldestCli = [3, 248, 0];

/** All stand-ins: their bundle, source, and folder and file below PULUMI_HOME/plugins. */
export const plugins = [
    {
        bundle: "language.js",
        entry: "toolchain/offline/languageHost/main.ts",
        directory: `language-nodejs-${cliVersion}`,
        file: "pulumi-language-nodejs",
    },
    ...resourcePlugins,
];

/** @type {string | undefined} */
let bundles;
/** The folder of the bundles. Its name is a digest of their sources, so that a changed source gets a new folder. */
export function bundleDir() {
    if (bundles === undefined) {
        const hash = createHash("sha256");
        const offline = readdirSync(join(repo, "toolchain/offline"), { recursive: true, encoding: "utf8" });
        const sources = offline.filter((name) => /\.(ts|mjs)$/.test(name)).map((name) => `toolchain/offline/${name}`);
        for (const name of [...sources.sort(), "package-lock.json"]) {
            hash.update(`${name}\0`).update(readFileSync(join(repo, name)));
        }
        bundles = join(cacheDir, "plugins", hash.digest("hex").slice(0, 16));
    }
    return bundles;
}

/** @param {string} name */
function onPath(name) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
        try {
            accessSync(join(folder, name), constants.X_OK);
            return join(folder, name);
        } catch {
            // Not in this folder.
        }
    }
    return undefined;
}

/** @param {string} bin */
function isRecent(bin) {
    try {
        const text = execFileSync(bin, ["version"], {
            encoding: "utf8",
            env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
        });
        const numbers = (/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
        const at = oldestCli.findIndex((wanted, index) => numbers[index] !== wanted);
        return numbers.length === 3 && (at < 0 || numbers[at] > oldestCli[at]);
    } catch {
        return false;
    }
}

/** The path of a `pulumi` with a fitting version and its Node language host; undefined if PATH has none. */
export function fullInstall() {
    const bin = onPath("pulumi");
    return bin && onPath("pulumi-language-nodejs") && isRecent(bin) ? bin : undefined;
}

/** The home that the user database names, as the CLI takes it: `sudo -E` leaves another one in $HOME. */
function databaseHome() {
    try {
        return userInfo().homedir;
    } catch {
        return homedir(); // The user has no entry.
    }
}

/** PULUMI_HOME of a full install. */
export const userHome = process.env.PULUMI_HOME || join(databaseHome(), ".pulumi");
/** The provider plugins that a full install lacks. */
export const missingPlugins = () =>
    resourcePlugins.filter(({ directory }) => !existsSync(join(userHome, "plugins", directory)));
/** PULUMI_HOME of our own CLI. */
const ourHome = join(cacheDir, "pulumi-home");
/** What people start in this checkout: labs and the local state. */
const labFolder = join(repo, ".lab");
/** The state of this checkout, for users who have no other backend. */
export const localBackend = `file://${join(labFolder, "state")}`;

/** @type {{ full: boolean, bin: string } | undefined} */
let install;
/**
 * Chooses the Pulumi to use: a full install on PATH if it has the provider plugins, otherwise ours. `PULUMI_FULL=1` requires the full
 * install.
 */
export function pulumiInstall() {
    if (!install) {
        const bin = fullInstall();
        const insisted = process.env.PULUMI_FULL === "1";
        if (insisted && !bin) {
            throw new Error(
                `PULUMI_FULL=1: PATH has no pulumi of version ${oldestCli.join(".")} or newer with pulumi-language-nodejs; ` +
                    "install Pulumi, or unset PULUMI_FULL",
            );
        }
        install =
            bin && (insisted || missingPlugins().length === 0)
                ? { full: true, bin }
                : { full: false, bin: join(cacheDir, "bin", `pulumi-${cliVersion}`) };
    }
    return install;
}

export function pulumiBin() {
    return pulumiInstall().bin;
}

/** The passphrase of this checkout's local state; it is created once. */
function passphraseFile() {
    const file = join(labFolder, "passphrase");
    if (!existsSync(file)) {
        mkdirSync(dirname(file), { recursive: true });
        const fresh = `${file}.${process.pid}`;
        writeFileSync(fresh, randomBytes(24).toString("base64url"), { mode: 0o600 });
        try {
            linkSync(fresh, file); // Fails if another process was faster, so that both use the same passphrase.
        } catch (error) {
            if (!existsSync(file)) throw error;
        }
        rmSync(fresh, { force: true });
    }
    return file;
}

/**
 * Whether the user is logged in to a backend, with a certain PULUMI_HOME.
 * @param {string} home
 */
export function hasLogin(home) {
    try {
        const file = join(process.env.PULUMI_CREDENTIALS_PATH || home, "credentials.json");
        return Boolean(JSON.parse(readFileSync(file, "utf8")).current);
    } catch {
        return false;
    }
}

/**
 * Whether a project names its backend, which PULUMI_BACKEND_URL would override.
 * @param {string} folder
 */
function namesBackend(folder) {
    const file = join(folder, "Pulumi.yaml");
    return existsSync(file) && /^backend:/m.test(readFileSync(file, "utf8"));
}

/**
 * The environment of a Pulumi command. `overrides` win; `undefined` removes a variable. The backend is the user's, if there is any: in the
 * environment, in the project, or by a login.
 * @param {Record<string, string | undefined>} [overrides]
 * @param {string} [project] the folder of Pulumi.yaml
 */
export function pulumiEnv(overrides = {}, project = repo) {
    const { full } = pulumiInstall();
    /** @type {Record<string, string | undefined>} */
    const env = { ...process.env, PULUMI_CONTINUE_ON_ERROR: "true", PULUMI_SKIP_UPDATE_CHECK: "true", ...overrides };
    if (!full) {
        env.PULUMI_HOME = ourHome;
        env.HAPROXY_FLEET_PLUGINS = bundleDir();
        env.HAPROXY_FLEET_LAB_FOLDER = labFolder; // Where states may have resources of a stand-in that makes no real ones.
    }
    if (!env.PULUMI_BACKEND_URL && !namesBackend(project) && !hasLogin(full ? userHome : ourHome)) {
        mkdirSync(fileURLToPath(localBackend), { recursive: true });
        env.PULUMI_BACKEND_URL = localBackend;
    }
    if (env.PULUMI_CONFIG_PASSPHRASE === undefined && env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined) {
        env.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile();
    }
    return env;
}

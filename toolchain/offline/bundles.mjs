// Bundles the language host and the stand-ins for provider plugins, because previews start them, and a bundle loads several times faster
// than hundreds of modules.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, plugins, repo } from "../environment.mjs";

const home = join(cacheDir, "pulumi-home", "plugins");

/**
 * The script that the CLI executes. pulumiEnv() selects the bundles, so that checkouts with different sources can share one
 * PULUMI_HOME.
 * @param {string} bundle
 */
const launcher = (bundle) =>
    `#!/bin/sh\nexec node "\${HAPROXY_FLEET_PLUGINS:?is not set: use npm run pulumi}/${bundle}" "$@"\n`;

/** @param {typeof plugins[number]} plugin */
function launcherInstalled({ bundle, directory, file }) {
    const path = join(home, directory, file);
    return existsSync(path) && readFileSync(path, "utf8") === launcher(bundle);
}

/** @param {string} target */
export const pluginsInstalled = (target) => existsSync(target) && plugins.every(launcherInstalled);

/** What packages in CommonJS expect. */
const commonJs =
    'import { createRequire as makeRequire } from "node:module"; import { dirname as directoryOf } from "node:path"; ' +
    "const require = makeRequire(import.meta.url), __filename = import.meta.filename ?? new URL(import.meta.url).pathname, " +
    "__dirname = directoryOf(__filename);";

/** @param {string} target folder of the bundles */
export async function installPlugins(target) {
    if (!existsSync(target)) {
        const { build } = await import("esbuild");
        const partial = `${target}.partial`;
        rmSync(partial, { recursive: true, force: true });
        await build({
            entryPoints: Object.fromEntries(
                plugins.map(({ bundle, entry }) => [bundle.replace(/\.js$/, ""), join(repo, entry)]),
            ),
            outdir: partial,
            absWorkingDir: repo,
            bundle: true,
            platform: "node",
            target: "node20",
            // What is imported later, such as a client of the AWS SDK, gets a file of its own, which is only read then.
            format: "esm",
            splitting: true,
            banner: { js: commonJs },
            minify: true,
            external: ["cpu-features", "*.node"], // Optional native parts of ssh2.
            logLevel: "error",
        });
        writeFileSync(join(partial, "package.json"), '{ "type": "module" }\n');
        renameSync(partial, target);
    }
    for (const plugin of plugins) {
        if (launcherInstalled(plugin)) continue;
        const path = join(home, plugin.directory, plugin.file);
        mkdirSync(join(home, plugin.directory), { recursive: true });
        writeFileSync(`${path}.partial`, launcher(plugin.bundle));
        chmodSync(`${path}.partial`, 0o755);
        renameSync(`${path}.partial`, path);
    }
}

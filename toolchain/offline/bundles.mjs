// Bundles the language host and the stand-ins for provider plugins into one file each, because previews start them, and a bundle loads
// several times faster than hundreds of modules.
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

/** @param {string} target folder of the bundles */
export async function installPlugins(target) {
    if (!existsSync(target)) {
        const { build } = await import("esbuild");
        const partial = `${target}.partial`;
        rmSync(partial, { recursive: true, force: true });
        await Promise.all(
            plugins.map(({ bundle, entry }) =>
                build({
                    entryPoints: [join(repo, entry)],
                    outfile: join(partial, bundle),
                    absWorkingDir: repo,
                    bundle: true,
                    platform: "node",
                    target: "node20",
                    format: "cjs",
                    minify: true,
                    external: ["cpu-features", "*.node"], // Optional native parts of ssh2.
                    logLevel: "error",
                }),
            ),
        );
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

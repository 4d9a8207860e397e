import { bundleDir, pulumiInstall } from "../../toolchain/environment.mjs";
import { installPlugins, pluginsInstalled } from "../../toolchain/offline/bundles.mjs";
import { buildTestLibrary } from "../../toolchain/package.mjs";

/** Bundles what programs in tests load and, for a plain `npx mocha`, the plugins, if their sources have changed. */
export async function mochaGlobalSetup(): Promise<void> {
    await buildTestLibrary();
    if (process.env.PULUMI_FULL === "1" || pulumiInstall().full) return;
    if (!pluginsInstalled(bundleDir())) await installPlugins(bundleDir());
}

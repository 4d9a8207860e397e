import { bundleDir, pulumiInstall } from "../../toolchain/environment.mjs";
import { installPlugins, pluginsInstalled } from "../../toolchain/offline/bundles.mjs";

/** Bundles the plugins for a plain `npx mocha`, if their sources have changed; `npm test` has done so already. */
export async function mochaGlobalSetup(): Promise<void> {
    if (process.env.PULUMI_FULL === "1" || pulumiInstall().full) return;
    if (!pluginsInstalled(bundleDir())) await installPlugins(bundleDir());
}

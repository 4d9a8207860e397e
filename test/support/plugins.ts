import { bundleDir, pulumiInstall } from "../../toolchain/environment.mjs";
import { installPlugins, pluginsInstalled } from "../../toolchain/offline/bundles.mjs";

/** What `npm test` has done already: a plain `npx mocha` after a change of the plugins' sources would look for bundles in vain. */
export async function mochaGlobalSetup(): Promise<void> {
    if (process.env.PULUMI_FULL === "1" || pulumiInstall().full) return;
    if (!pluginsInstalled(bundleDir())) await installPlugins(bundleDir());
}

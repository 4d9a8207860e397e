/** Whether the bundles exist, and the launchers that the CLI executes. */
export function pluginsInstalled(target: string): boolean;
/** Bundles the language host and the command plugin into the folder `target`. */
export function installPlugins(target: string): Promise<void>;

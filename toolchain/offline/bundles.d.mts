/** Whether the bundles are there, and the launchers that the CLI executes. */
export function pluginsInstalled(target: string): boolean;
/** Bundles the language host and the stand-in plugin into the folder `target`. */
export function installPlugins(target: string): Promise<void>;

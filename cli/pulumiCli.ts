import type { Project } from "./project";
import { attempt, type Surroundings } from "./surroundings";

/** Milliseconds for a command of the Pulumi CLI: a large state may be far away. */
const PATIENCE = 300_000;

/** Runs a command of the Pulumi CLI in a project, which asks nothing, and returns what it prints. */
export type AskPulumi = (...args: string[]) => Promise<string>;

/**
 * The Pulumi CLI in a project.
 *
 * @throws {Error} From each call, with the words of the CLI, if it fails or is not installed.
 */
export function pulumiIn({ directory }: Project, { pulumi: cli }: Pick<Surroundings, "pulumi">): AskPulumi {
    return async (...args) => {
        const { code, stdout, stderr } = await attempt(cli, ["--non-interactive", "-C", directory, ...args], PATIENCE);
        if (code === 127) {
            throw new Error(`${cli} is not installed; install the Pulumi CLI`);
        }
        if (code !== 0) {
            throw new Error(`pulumi ${args[0]}: ${stderr.trim().replace(/^error: /, "")}`);
        }
        return stdout.trim();
    };
}

// Keeps stand-ins that make no real resources away from real stacks.
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Set to 1 by who wants a lab: tests do, and people who try things out. */
export const labFlag = "HAPROXY_FLEET_LAB";
/** The folder of the checkout's labs, as pulumiEnv() sets it. */
const labFolder = "HAPROXY_FLEET_LAB_FOLDER";

/** Why a stand-in must not run with an environment; undefined if it may. */
export function whyNoLab(env: NodeJS.ProcessEnv): string | undefined {
    if (env[labFlag] !== "1") {
        return `${labFlag} is not 1`;
    }
    // The CLI prefers this to the backend of a login or of the project. Without it, the state might be a real one.
    const backend = env.PULUMI_BACKEND_URL ?? "";
    if (!backend.startsWith("file:///")) {
        return `PULUMI_BACKEND_URL is not file:///FOLDER, but ${backend === "" ? "not set" : backend}`;
    }
    const state = realPath(fileURLToPath(backend.replace(/[?#].*/, "")));
    const allowed = [env[labFolder], tmpdir()].flatMap((folder) => realPath(folder ?? "") ?? []);
    if (state === undefined || !allowed.some((folder) => state.startsWith(folder + sep))) {
        return `the state in ${backend} is in none of the folders ${allowed.join(", ")}`;
    }
    return undefined;
}

function realPath(path: string): string | undefined {
    try {
        return path === "" ? undefined : realpathSync(path);
    } catch {
        return undefined;
    }
}

/**
 * @param makes what the plugin does, as in "makes keys"
 * @throws if the plugin of this name must not run here, with what to do
 */
export function requireLab(name: string, makes: string): void {
    const why = whyNoLab(process.env);
    if (why !== undefined) {
        throw new Error(
            `${name}: this is a stand-in for the plugin, which ${makes} for labs and tests only, and ${why}; install Pulumi to use the ` +
                `real plugin, or set ${labFlag}=1 for a lab and PULUMI_BACKEND_URL to a folder in .lab of the checkout`,
        );
    }
}

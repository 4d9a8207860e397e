import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { basename, join } from "node:path";

const checkout = join(__dirname, "..", "..");

/** Base images and downloaded packages: shared by all labs, safe to delete while no lab is up. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "haproxy-fleet", "lab");

/** The labs that people start by hand: their inventory, keys and ssh_config. */
export const labsDir = join(checkout, ".lab");

/**
 * The disks of a lab's hosts. Not in the checkout, since Pulumi's language host walks through all of the project's folder.
 *
 * @param dir where the lab keeps its other files
 */
export function hostsDir(dir: string): string {
    const digest = createHash("sha256").update(dir).digest("hex").slice(0, 12);
    return join(cacheDir, "hosts", `${basename(dir)}-${digest}`);
}

/** One file per subnet in use, naming the lab that has it. On tmpfs on most machines: a reboot ends all labs anyway. */
export const registryDir = "/run/haproxy-fleet-lab";

/** Held while abandoned labs are taken down. */
export const sweepLock = "/run/lock/haproxy-fleet-lab-sweep";

/** Held while the register changes. Not in its directory, which goes with the last lab. */
export const registerLock = "/run/lock/haproxy-fleet-lab";

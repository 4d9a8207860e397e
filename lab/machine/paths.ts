import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { basename, join } from "node:path";

const checkout = join(__dirname, "..", "..");

/** Images, downloaded packages and disks of hosts. May be deleted while no lab is up. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "haproxy-fleet", "lab");

/** Inventories, keys and ssh_configs of the labs that people start. */
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

/** Has a file per subnet in use, which names its lab. Usually on tmpfs, as no lab survives a reboot. */
export const registryDir = "/run/haproxy-fleet-lab";

/** Held while abandoned labs are taken down. */
export const sweepLock = "/run/lock/haproxy-fleet-lab-sweep";

/** Held while the register changes. Not in the register's directory, which the last lab removes. */
export const registerLock = "/run/lock/haproxy-fleet-lab";

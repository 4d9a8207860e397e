import { homedir } from "node:os";
import { join } from "node:path";

const checkout = join(__dirname, "..", "..");

/** Base images and downloaded packages: shared by all labs, safe to delete while no lab is up. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "haproxy-fleet", "lab");

/** The labs that people start by hand. */
export const labsDir = join(checkout, ".lab");

/** One file per subnet in use, naming the lab that has it. On tmpfs on most machines: a reboot ends all labs anyway. */
export const registryDir = "/run/haproxy-fleet-lab";

/** Held while the register changes. Not in its directory, which goes with the last lab. */
export const registerLock = "/run/lock/haproxy-fleet-lab";

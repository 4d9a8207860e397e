// Of two set-ups at once, the second waits for the first and then finds the work done.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheDir } from "../environment.mjs";
import { showProgress } from "./progress.mjs";

const file = join(cacheDir, "setup.lock");

function takeNow() {
    try {
        writeFileSync(file, String(process.pid), { flag: "wx" });
        return undefined;
    } catch {
        return holder();
    }
}

/** Says which process holds the lock; removes the lock of a process that has died. */
function holder() {
    try {
        const pid = Number(readFileSync(file, "utf8"));
        if (!pid) {
            // It has just been created, or its process crashed before it wrote.
            if (Date.now() - statSync(file).mtimeMs > 2_000) rmSync(file, { force: true });
            return "another set-up";
        }
        process.kill(pid, 0);
        return `process ${pid}`;
    } catch (error) {
        const { code } = /** @type {NodeJS.ErrnoException} */ (error);
        if (code === "EPERM") return "another user's set-up";
        if (code === "ESRCH") rmSync(file, { force: true });
        return "";
    }
}

/**
 * @template T
 * @param {() => Promise<T>} work
 */
export async function withLock(work) {
    mkdirSync(cacheDir, { recursive: true });
    if (takeNow() !== undefined) {
        await showProgress("Waiting for another set-up on this machine", async (say) => {
            for (let who = takeNow(); who !== undefined; who = takeNow()) {
                say(who);
                await sleep(200);
            }
        });
    }
    const release = () => rmSync(file, { force: true });
    process.on("exit", release);
    try {
        return await work();
    } finally {
        process.off("exit", release);
        release();
    }
}

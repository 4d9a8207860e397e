import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Runs `work` while no other process holds the lock file. A child holds the flock(2) as long as its input is open, so the lock is
 * free again however this process ends.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
    mkdirSync(dirname(file), { recursive: true });
    const holder = spawn("flock", [file, "sh", "-c", "echo locked; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise<void>((resolve, reject) => {
        holder.once("error", reject);
        holder.once("exit", (code) => reject(new Error(`cannot lock ${file}: flock ended with status ${code}`)));
        holder.stdout.once("data", () => resolve());
    });
    try {
        return await work();
    } finally {
        const ended = new Promise<void>((resolve) => holder.once("exit", () => resolve()));
        holder.stdin.end();
        await ended;
    }
}

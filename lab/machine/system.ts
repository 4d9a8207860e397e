import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { run, sleep } from "./exec";

/** Reads a file, or returns the other value if it cannot be read: processes and mounts may end at any moment. */
export const readOr = (path: string, otherwise: string): string => {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return otherwise;
    }
};

export const isMounted = (path: string) =>
    readOr("/proc/self/mountinfo", "")
        .split("\n")
        .some((line) => line.split(" ")[4] === path);

export function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has ended already.
    }
}

/** Copies a tree over another with owners, modes, whiteouts and overlay attributes, which only cp -a keeps. */
export async function copyTree(from: string, to: string): Promise<void> {
    await rm(to, { recursive: true, force: true });
    await mkdir(dirname(to), { recursive: true });
    await run("cp", ["-a", "--reflink=auto", from, to]);
}

/** Removes a cgroup and all below it. Waits for the last process in it to die. */
export async function removeCgroup(group: string, patience = 60_000): Promise<void> {
    for (const end = Date.now() + patience; existsSync(group); await sleep(100)) {
        const { stderr } = await run("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], {
            check: false,
        });
        if (existsSync(group) && Date.now() > end) throw new Error(`cgroup ${group}: still in use: ${stderr.trim()}`);
    }
}

/** When a process started, in clock ticks since boot; `undefined` if it has ended, even if it is still a zombie. */
export function startOf(pid: number): number | undefined {
    // proc_pid_stat(5): the name, in parentheses, may contain blanks.
    const [state = "", ...fields] = readOr(`/proc/${pid}/stat`, "")
        .replace(/^.*\) /s, "")
        .split(" ");
    return ["", "Z", "X"].includes(state) ? undefined : Number(fields[18]);
}

/** Mount points below a directory, innermost first. */
export const mountsUnder = (dir: string) =>
    readOr("/proc/self/mountinfo", "")
        .split("\n")
        .map((line) => line.split(" ")[4] ?? "")
        .filter((point) => point.startsWith(`${dir}/`))
        .sort((a, b) => b.length - a.length);

/** Creates a key pair unless it exists. ssh-keygen writes the public key last, so a pair without it is incomplete. */
export async function generateKey(file: string, comment: string): Promise<void> {
    if (existsSync(`${file}.pub`)) return;
    await rm(file, { force: true });
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}

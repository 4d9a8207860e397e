import { readdirSync } from "node:fs";
import { readOr } from "./system";

/**
 * Finds the `systemd-nspawn` of a machine by its arguments.
 *
 * @param guess A process number that it had before; another process might have it now. @default - none
 */
export function supervisorOf(machine: string, guess?: number): number | undefined {
    const mark = `--machine=${machine}`;
    const isIt = (pid: number) => {
        const words = readOr(`/proc/${pid}/cmdline`, "").split("\0");
        return words[0]?.endsWith("systemd-nspawn") && words.includes(mark);
    };
    if (guess !== undefined && isIt(guess)) return guess;
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .find(isIt);
}

/** Finds the descendant of a process that is number 1 of its own namespace. */
export function initBelow(pid: number): number | undefined {
    const children = readOr(`/proc/${pid}/task/${pid}/children`, "").split(" ").filter(Boolean).map(Number);
    const isInit = (child: number) => /^NSpid:\t\d+\t1$/m.test(readOr(`/proc/${child}/status`, ""));
    return children.find(isInit) ?? children.map(initBelow).find((found) => found !== undefined);
}

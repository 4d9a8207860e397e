import { readdirSync } from "node:fs";
import { readOr } from "./system";

/** Finds the `systemd-nspawn` of a machine by its arguments. A stored process number might belong to another process later. */
export function supervisorOf(machine: string): number | undefined {
    const mark = `--machine=${machine}`;
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .find((pid) => {
            const words = readOr(`/proc/${pid}/cmdline`, "").split("\0");
            return words[0]?.endsWith("systemd-nspawn") && words.includes(mark);
        });
}

/** Finds the descendant of a process that is number 1 of its own namespace. */
export function initBelow(pid: number): number | undefined {
    const children = readOr(`/proc/${pid}/task/${pid}/children`, "").split(" ").filter(Boolean).map(Number);
    const isInit = (child: number) => /^NSpid:\t\d+\t1$/m.test(readOr(`/proc/${child}/status`, ""));
    return children.find(isInit) ?? children.map(initBelow).find((found) => found !== undefined);
}

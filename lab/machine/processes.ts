import { readdirSync } from "node:fs";
import { readOr } from "./system";

/** The last `systemd-nspawn` of each machine. */
const supervisors = new Map<string, number>();

/** Finds the `systemd-nspawn` of a machine by its arguments. The last one is asked first, because each command on a host needs it. */
export function supervisorOf(machine: string): number | undefined {
    const mark = `--machine=${machine}`;
    // The number might belong to another process by now.
    const is = (pid: number) => {
        const words = readOr(`/proc/${pid}/cmdline`, "").split("\0");
        return words[0]?.endsWith("systemd-nspawn") && words.includes(mark);
    };
    const last = supervisors.get(machine);
    if (last !== undefined && is(last)) return last;
    const pid = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .find(is);
    if (pid !== undefined) supervisors.set(machine, pid);
    return pid;
}

/** Finds the descendant of a process that is number 1 of its own namespace. */
export function initBelow(pid: number): number | undefined {
    const children = readOr(`/proc/${pid}/task/${pid}/children`, "").split(" ").filter(Boolean).map(Number);
    const isInit = (child: number) => /^NSpid:\t\d+\t1$/m.test(readOr(`/proc/${child}/status`, ""));
    return children.find(isInit) ?? children.map(initBelow).find((found) => found !== undefined);
}

import { existsSync } from "node:fs";

/** Where the machine's cgroup hierarchies are that systemd in a host needs, or that we freeze and kill with. */
export interface Cgroups {
    /** cgroup v2, mounted alone or beside v1; `undefined` where there is none. */
    unified: string | undefined;
    /** v1's `name=systemd`, where the machine still has it. */
    systemd: string | undefined;
}

export function machineCgroups(): Cgroups {
    const first = (paths: string[]) => paths.find((path) => existsSync(path));
    return {
        unified: first(["/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/unified/cgroup.procs"])?.replace(
            /\/cgroup\.procs$/,
            "",
        ),
        systemd: first(["/sys/fs/cgroup/systemd"]),
    };
}

export interface NspawnArgs {
    root: string;
    /** Unique among all that run: systemd-nspawn keeps files of its own under this name. */
    machine: string;
    /** Run this instead of booting an init. */
    command?: string[];
    /** Boot with this host name in this network namespace. */
    boot?: { hostname: string; netns: string };
}

/** The command line that runs a host, or one command in an image. */
export function nspawnCommand({ root, machine, command, boot }: NspawnArgs): [string, ...string[]] {
    // Newer inits have only v2, and by itself nspawn chooses v1 on a machine that has both.
    const unified = machineCgroups().unified ? 1 : 0;
    const settings = [`SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=${unified}`, "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network"];
    const args = [
        "--quiet",
        `--machine=${machine}`,
        "--register=no",
        "--keep-unit",
        "--resolv-conf=off",
        "--timezone=off",
        "-D",
        root,
    ];
    // keepalived adds an address to its interface, which nspawn's default set of capabilities does not allow.
    const host = boot && [
        "--boot",
        `--hostname=${boot.hostname}`,
        `--network-namespace-path=/run/netns/${boot.netns}`,
        "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
        "--console=pipe",
        "--kill-signal=SIGRTMIN+3",
    ];
    return ["env", ...settings, "systemd-nspawn", ...args, ...(host ?? ["--pipe", ...(command ?? [])])];
}

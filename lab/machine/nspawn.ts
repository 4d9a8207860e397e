import { existsSync } from "node:fs";

/** The machine's cgroup hierarchies. */
export interface Cgroups {
    /** cgroup v2, mounted alone or beside v1; `undefined` if there is none. */
    unified: string | undefined;
    /** v1's `name=systemd`; `undefined` if there is none. */
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
    /** A command to run instead of booting an init. */
    command?: string[];
    /** Host name and network namespace of a host to boot. */
    boot?: { hostname: string; netns: string };
}

/** The command line that boots a host or runs a command in an image. */
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
    // nspawn's default capabilities do not let keepalived add addresses.
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

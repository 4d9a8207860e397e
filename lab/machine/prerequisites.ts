import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { machineMirror } from "./aptMirror";
import { CommandError, run, sh } from "./exec";
import { machineCgroups } from "./nspawn";
import { cacheDir } from "./paths";

/** The programs that the lab runs, and their Debian packages. */
const tools: Record<string, string> = {
    debootstrap: "debootstrap",
    "systemd-nspawn": "systemd-container",
    ip: "iproute2",
    tc: "iproute2",
    nft: "nftables",
    ssh: "openssh-client",
    "ssh-keygen": "openssh-client",
    nsenter: "util-linux",
    flock: "util-linux",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    gpg: "gpg",
    "gpg-agent": "gpg-agent",
};

/** Debian packages that the lab needs and this machine lacks. */
function missingPackages(): string[] {
    const path = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
    const has = (tool: string) => path.some((dir) => isExecutable(join(dir, tool)));
    return [...new Set(Object.keys(tools).flatMap((tool) => (has(tool) ? [] : (tools[tool] ?? []))))];
}

/**
 * The reasons why this machine cannot host the lab, a sentence each; none if it can. Tries what can only be found out by trying, and
 * removes its traces.
 */
export async function obstacles(): Promise<string[]> {
    if (process.platform !== "linux") return [`operating system: the lab needs Linux, not ${process.platform}`];
    if (process.getuid?.() !== 0) return ["user: the lab needs root; run it as root or with sudo"];
    const packages = missingPackages();
    if (packages.length) return [`Debian packages: missing; run apt-get install ${packages.join(" ")}`];
    const cgroups = machineCgroups();
    const found: string[] = [];
    if (!cgroups.unified && !cgroups.systemd) found.push("no cgroup tree is mounted below /sys/fs/cgroup");
    const probe = `hlab-probe-${process.pid}`;
    const attempt = async (what: string, script: string) => {
        const words = await sh(script, { timeout: 60_000 }).then(
            () => undefined,
            (error: unknown) =>
                error instanceof CommandError ? error.result.stderr.trim() || error.message : String(error),
        );
        if (words !== undefined) found.push(`${what}: ${words.split("\n")[0]}`);
    };
    await attempt("network namespaces cannot be made", "unshare --net --mount true");
    // In a namespace of its own, since another process may try the same.
    await attempt("bridges cannot be made", "unshare --net ip link add probe type bridge");
    await attempt(
        "nft masquerading does not work",
        `nft -c -f - <<END
        table ip ${probe} { chain out { type nat hook postrouting priority 100; masquerade; }; }
END`,
    );
    await mkdir(cacheDir, { recursive: true });
    for (const place of [cacheDir, tmpdir()]) {
        const dir = await mkdtemp(join(place, "overlay-probe-"));
        const options = `lowerdir=${dir}/l,upperdir=${dir}/u,workdir=${dir}/w`;
        const mount = `mount -t overlay overlay -o ${options} ${dir}/r; umount ${dir}/r`;
        await attempt(`overlays cannot be mounted in ${place}`, `mkdir ${dir}/l ${dir}/u ${dir}/w ${dir}/r; ${mount}`);
        await rm(dir, { recursive: true, force: true });
    }
    await machineMirror().catch((error: Error) => found.push(error.message));
    return found;
}

/** What does not work in a lab on this machine, a sentence each. */
export async function limits(): Promise<string[]> {
    const found: string[] = [];
    if (!machineCgroups().unified) found.push("no cgroup v2: hosts cannot be frozen");
    // Not by ip-netns(8), which would leave its mount behind.
    const args = ["--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"];
    const netem = await run("unshare", args, { check: false });
    if (netem.code !== 0) found.push("the kernel has no netem: lines to hosts cannot be made slow");
    return found;
}

function isExecutable(file: string): boolean {
    if (!existsSync(file)) return false;
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

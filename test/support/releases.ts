import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildImage, type Suite } from "../../lab/images";
import { type Result, run } from "../../lab/machine/exec";
import { needsLab } from "./lab";

/** A release of HAProxy that this project is proven on, and the Debian that has it. */
export interface Release {
    version: string;
    suite: Suite;
}

export const releases: Release[] = [
    { version: "2.2", suite: "bullseye" },
    { version: "2.6", suite: "bookworm" },
    { version: "3.0", suite: "trixie" },
];

/** In namespaces of its own the image's directories become the root; its network has nothing but a loopback. */
const enter = `
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
ip link set lo up
root=$1/root
shift 2
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" "$@"`;

/**
 * Runs a program of a release on files of the caller, by their absolute paths. Nothing else of the machine is in its reach, and
 * neither its processes nor its files outlive it.
 */
export async function inRelease(
    { suite }: Release,
    command: string[],
    files: Record<string, string> = {},
): Promise<Result> {
    const lower = await buildImage("haproxy", suite);
    const scratch = mkdtempSync(join(tmpdir(), `haproxy-${suite}-`));
    try {
        for (const dir of ["upper", "work", "root"]) mkdirSync(join(scratch, dir));
        for (const [path, content] of Object.entries({ "/etc/hosts": "127.0.0.1 localhost\n", ...files })) {
            const file = join(scratch, "upper", path);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, content);
        }
        const isolated = ["--mount", "--net", "--pid", "--fork", "--kill-child"];
        const args = [...isolated, "sh", "-euc", enter, "sh", scratch, lower.join(":"), ...command];
        // What runs there has bounds of its own, and says more than this one would.
        return await run("unshare", args, { check: false, timeout: 600_000 });
    } finally {
        rmSync(scratch, { recursive: true });
    }
}

/** The surrounding suite runs programs of the releases. */
export function needsReleases(): void {
    needsLab();
    before("are the releases here?", async function () {
        // The first time, each waits for a base image.
        this.timeout(1_200_000);
        for (const { suite } of releases) await buildImage("haproxy", suite);
    });
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { noServerStates, serverStatesFile } from "../components/haproxy";
import { buildImage } from "./images";
import { type Result, run } from "./machine/exec";
import type { Release } from "./releases";

/** Makes the image's directories the root, in new namespaces whose network has only a loopback. */
const enter = `
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
ip link set lo up
root=$1/root
shift 2
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot "$root" "$@"`;

/**
 * Runs a program in the image of a release, isolated from the machine. Its processes end with it, and its files are removed.
 *
 * @param command program and arguments; `haproxy` and `varnishtest` are on its PATH
 * @param files contents by absolute path, written before the program starts, beside a state file without states, as on a host
 * @param image where the program is installed
 */
export async function inRelease(
    { version }: Pick<Release, "version">,
    command: string[],
    files: Record<string, string> = {},
    image: "haproxy" | "ruby" = "haproxy",
): Promise<Result> {
    const lower = await buildImage(image, version);
    const scratch = mkdtempSync(join(tmpdir(), `haproxy-${version}-`));
    try {
        for (const dir of ["upper", "work", "root"]) mkdirSync(join(scratch, dir));
        const given = { "/etc/hosts": "127.0.0.1 localhost\n", [serverStatesFile]: noServerStates };
        for (const [path, content] of Object.entries({ ...given, ...files })) {
            const file = join(scratch, "upper", path);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, content);
        }
        const isolated = ["--mount", "--net", "--pid", "--fork", "--kill-child"];
        const args = [...isolated, "sh", "-euc", enter, "sh", scratch, lower.join(":"), ...command];
        // The programs have limits of their own, whose messages say more than this one.
        return await run("unshare", args, { check: false, timeout: 600_000 });
    } finally {
        rmSync(scratch, { recursive: true });
    }
}

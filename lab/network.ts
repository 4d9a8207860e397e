import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { run, sh } from "./machine/exec";
import { withLock } from "./machine/lock";
import { registerLock, registryDir } from "./machine/paths";
import { isMounted, startOf } from "./machine/system";

/** The part of the machine's network that belongs to a lab. All names in it contain the lab's number. */
export class Network {
    /** Name of the bridge and the nft table, and prefix of namespaces and cables. Interface names have at most 15 characters. */
    readonly id: string;

    constructor(
        /** N of 10.99.N.0/24. */
        readonly subnet: number,
    ) {
        this.id = `hlab${subnet}`;
    }

    address = (octet: number) => `10.99.${this.subnet}.${octet}`;
    namespace = (host: string) => `${this.id}-${host}`;
    cable = (octet: number) => `${this.id}-${octet}`;
    /** The MAC address follows from the IP address: neighbours would go on sending to an old one for seconds. */
    private card = (octet: number) =>
        ["02", "00", ...[10, 99, this.subnet, octet].map((part) => part.toString(16).padStart(2, "0"))].join(":");

    /** Adds the bridge and lets hosts out through the machine's address, so that apt works on them. */
    async up(): Promise<void> {
        const net = `10.99.${this.subnet}.0/24`;
        await sh(`
            ip link show ${this.id} >/dev/null 2>&1 || ip link add ${this.id} type bridge
            ip address replace ${this.address(1)}/24 dev ${this.id}
            # By itself it takes the lowest address of its cables, so that hosts lose the machine when a cable goes.
            ip link set ${this.id} address ${this.card(1)} up
            nft -f - <<END
            table ip ${this.id}
            delete table ip ${this.id}
            table ip ${this.id} { chain out { type nat hook postrouting priority 100;
                ip saddr ${net} ip daddr != ${net} masquerade; }; }
END`);
        await prepareMachine();
    }

    /** Leads the hosts' connections to a port of any address to one of this machine, on the bridge, until the lab is down. */
    async redirect(address: string, port: number, to: number): Promise<void> {
        await sh(`nft -f - <<END
            table ip ${this.id} { chain in { type nat hook prerouting priority -100;
                iifname ${this.id} ip daddr ${address} tcp dport ${port} dnat to ${this.address(1)}:${to}; }; }
END`);
    }

    /** Adds the namespace of a host, a cable to the bridge, its address and its default route. */
    async connect(host: string, octet: number): Promise<void> {
        const [ns, cable] = [this.namespace(host), this.cable(octet)];
        await sh(`
            # An add that was killed leaves a name without a namespace.
            ip netns exec ${ns} true 2>/dev/null || { ip netns delete ${ns} 2>/dev/null || true; ip netns add ${ns}; }
            ip -n ${ns} link show eth0 >/dev/null 2>&1 || ip link add ${cable} type veth peer name eth0 address ${this.card(octet)} netns ${ns}
            ip -n ${ns} address replace ${this.address(octet)}/24 dev eth0
            ip link set ${cable} master ${this.id} up
            ip -n ${ns} link set lo up
            ip -n ${ns} link set eth0 up
            ip -n ${ns} route replace default via ${this.address(1)}`);
    }

    /** Kills what still runs in the namespace of a host, then removes the namespace and the cable. */
    async disconnect(host: string, octet: number): Promise<void> {
        const ns = this.namespace(host);
        await sh(`
            ip netns pids ${ns} 2>/dev/null | xargs -r kill -9 2>/dev/null || true
            ip link delete ${this.cable(octet)} 2>/dev/null || true
            ip netns delete ${ns} 2>/dev/null || true`);
    }

    /** Removes everything of this lab from the machine's network, also what an earlier process left. */
    async down(): Promise<void> {
        await sh(`
            for ns in $(ip netns list | cut -d' ' -f1 | grep '^${this.id}-' || true); do
                ip netns pids $ns | xargs -r kill -9 2>/dev/null || true
                ip netns delete $ns
            done
            for link in $(ip -o link show | grep -o '${this.id}-[0-9]*' | sort -u); do ip link delete $link 2>/dev/null || true; done
            ip link delete ${this.id} 2>/dev/null || true
            nft delete table ip ${this.id} 2>/dev/null || true`);
    }
}

/** Settings of the machine's kernel that hosts need: routing, and inotify instances for each systemd. */
const settings = [
    { file: "/proc/sys/net/ipv4/ip_forward", least: 1 },
    { file: "/proc/sys/fs/inotify/max_user_instances", least: 1024 },
];
const settingBefore = (file: string) => join(registryDir, `${basename(file)}.before`);
const namespacesBefore = join(registryDir, "netns.before");
const namespaces = "/run/netns";

/** Changes the machine's settings and notes their old values, which the last lab restores. */
async function prepareMachine(): Promise<void> {
    for (const { file, least } of settings) {
        const before = await readFile(file, "utf8");
        await writeFile(settingBefore(file), before, { flag: "wx" }).catch(() => undefined);
        if (Number(before) < least) await writeFile(file, String(least));
    }
    await writeFile(namespacesBefore, String(isMounted(namespaces)), { flag: "wx" }).catch(() => undefined);
}

async function restoreMachine(): Promise<void> {
    for (const { file } of settings) {
        const before = await readFile(settingBefore(file), "utf8").catch(() => undefined);
        if (before !== undefined) await writeFile(file, before.trim());
    }
    // ip-netns(8) mounts its directory for the first namespace and never unmounts it.
    const mounted = await readFile(namespacesBefore, "utf8").catch(() => "true");
    if (mounted === "false" && (await readdir(namespaces)).length === 0)
        await run("umount", [namespaces], { check: false });
}

/** A lab in the machine's register. */
export interface Entry {
    subnet: number;
    dir: string;
    /** The lab's process has ended without taking it down. */
    abandoned: boolean;
}

const entryFile = (subnet: number) => join(registryDir, String(subnet));

/** Whether the process of a lab has ended. Compares its start, too, since its number may be used again. */
function hasEnded(owner: string): boolean {
    const [pid, start] = owner.split(" ").map(Number);
    if (!pid) return false;
    const now = startOf(pid);
    return now === undefined || (start !== undefined && start !== now);
}

/** All labs on this machine, also those of other checkouts. */
export async function registered(): Promise<Entry[]> {
    const names = await readdir(registryDir).catch(() => []);
    const found: Entry[] = [];
    for (const name of names.filter((name) => /^\d+$/.test(name))) {
        const [dir, owner = ""] = (await readFile(join(registryDir, name), "utf8").catch(() => "")).split("\n");
        if (!dir) continue;
        found.push({ subnet: Number(name), dir, abandoned: hasEnded(owner) });
    }
    return found;
}

/**
 * Registers a lab with the first free subnet that this machine does not route yet.
 *
 * @param owner process that takes the lab down. @default - none: the lab stays until a command takes it down
 * @throws if all 250 are taken
 */
export const claimSubnet = (dir: string, owner?: number) => withLock(registerLock, () => enter(dir, owner));

async function enter(dir: string, owner?: number): Promise<number> {
    await mkdir(registryDir, { recursive: true });
    const { stdout: routes } = await run("ip", ["-o", "route", "show", "table", "all"]);
    for (let subnet = 1; subnet <= 250; subnet++) {
        if (routes.includes(`10.99.${subnet}.`)) continue;
        const file = entryFile(subnet);
        if (existsSync(file)) continue;
        await writeFile(`${file}.new`, `${dir}\n${owner ? `${owner} ${startOf(owner)}` : ""}\n`);
        await rename(`${file}.new`, file);
        return subnet;
    }
    throw new Error(
        "subnets 10.99.1.0/24 to 10.99.250.0/24: all in use; take labs down with npm run lab -- down --all",
    );
}

/** Gives the subnet back. The last lab restores the machine's settings. */
export const releaseSubnet = (subnet: number) =>
    withLock(registerLock, async () => {
        await rm(entryFile(subnet), { force: true });
        if ((await registered()).length > 0) return;
        await restoreMachine();
        await rm(registryDir, { recursive: true, force: true });
    });

import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Image, servicePorts } from "./imageScripts";
import { quote, type Result, type RunOptions, run, sh, sleep } from "./machine/exec";
import { machineCgroups, nspawnCommand } from "./machine/nspawn";
import { hostsDir } from "./machine/paths";
import { initBelow, supervisorOf } from "./machine/processes";
import { copyTree, isMounted, kill, readOr, removeCgroup } from "./machine/system";
import type { Network } from "./network";
import type { Release } from "./releases";

/** What a lab remembers about a host between processes. */
export interface HostState {
    name: string;
    image: Image;
    release: Release["version"];
    /** Last part of its address, 11 to 99; 100 and above are free for virtual addresses. */
    octet: number;
    /** The run list that searches find it by. */
    tags: string[];
    /** `ssh-ed25519 AAAA…`, made before the first boot, so that a client can pin it. */
    hostKey: string;
}

/** Milliseconds for what takes a moment on an idle machine, and much longer on a busy one. */
const PATIENCE = 60_000;

/** The same for a boot. */
const BOOT_PATIENCE = 180_000;

export type PowerState = "running" | "frozen" | "off";

/** One real systemd host of a lab. */
export class Host {
    readonly name: string;
    readonly address: string;
    readonly namespace: string;
    /** Everything the host is: its own files over the image, its console log, its host key. */
    readonly dir: string;
    readonly consoleLog: string;

    constructor(
        readonly state: HostState,
        private readonly network: Network,
        private readonly labDir: string,
        /** Directories of its image, uppermost first. */
        private readonly lower: string[],
    ) {
        this.name = state.name;
        this.address = network.address(state.octet);
        this.namespace = network.namespace(state.name);
        this.dir = join(hostsDir(labDir), state.name);
        this.consoleLog = join(this.dir, "console.log");
    }

    get hostKey() {
        return this.state.hostKey;
    }

    private get root() {
        return join(this.dir, "root");
    }

    private get cable() {
        return this.network.cable(this.state.octet);
    }

    private get cgroups(): string[] {
        const { unified, systemd } = machineCgroups();
        return [unified, systemd].flatMap((tree) => (tree ? [join(tree, this.network.id, this.name)] : []));
    }

    private supervisor(): number | undefined {
        return supervisorOf(this.namespace);
    }

    /** The host's init, as the machine numbers it; `undefined` while it is off. */
    get leader(): number | undefined {
        const supervisor = this.supervisor();
        return supervisor === undefined ? undefined : initBelow(supervisor);
    }

    get power(): PowerState {
        if (this.leader === undefined) return "off";
        const { unified } = machineCgroups();
        const events = unified ? readOr(join(unified, this.network.id, this.name, "cgroup.events"), "") : "";
        return events.includes("frozen 1") ? "frozen" : "running";
    }

    /** Processor seconds that all processes of the host have taken so far. */
    get processorTime(): number {
        const { unified } = machineCgroups();
        const text = unified ? readOr(join(unified, this.network.id, this.name, "cpu.stat"), "") : "";
        return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? Number.NaN) / 1e6;
    }

    /** Boots, and answers when sshd (and, on an app server, nginx) does. Does nothing when the host is on. */
    async boot(timeout = BOOT_PATIENCE): Promise<void> {
        await this.network.connect(this.name, this.state.octet);
        await this.mount();
        if (this.supervisor() === undefined) {
            for (const group of this.cgroups) await mkdir(group, { recursive: true });
            const command = nspawnCommand({
                root: this.root,
                machine: this.namespace,
                boot: { hostname: this.name, netns: this.namespace },
            });
            // Each init needs a cgroup of its own: two in one would stop each other's services.
            const join = this.cgroups.map((group) => `echo $$ >${quote(group)}/cgroup.procs;`).join(" ");
            const log = openSync(this.consoleLog, "a");
            // With --keep-unit nspawn leaves a reboot to its service manager, and asks for it with status 133: that is this loop.
            const script = `${join} status=133; while [ $status = 133 ]; do status=0; ${command.map(quote).join(" ")} || status=$?; done`;
            spawn("sh", ["-ec", script], { detached: true, stdio: ["ignore", log, log] }).unref();
            closeSync(log);
        }
        await this.waitUntilServing(timeout);
    }

    /** Waits until the host answers on its own loopback: that works with the cable cut, and behind a bastion. */
    async waitUntilServing(timeout = BOOT_PATIENCE): Promise<void> {
        const ports = [22, ...servicePorts[this.state.image]];
        const tries = ports.map((port) => `exec 3<>/dev/tcp/127.0.0.1/${port}`).join("; ");
        const deadline = Date.now() + timeout;
        for (;;) {
            if (this.leader !== undefined) {
                const args = ["netns", "exec", this.namespace, "bash", "-c", tries];
                // A busy machine may not answer in time: that counts as not yet.
                const knock = run("ip", args, { check: false, timeout: 5000 }).catch(() => undefined);
                if ((await knock)?.code === 0) return;
            }
            if (Date.now() > deadline)
                throw new Error(`${this.name} does not answer on ports ${ports.join(", ")}: ${this.lastWords()}`);
            await sleep(50);
        }
    }

    private lastWords(): string {
        return `its console (${this.consoleLog}) ends with:\n${readOr(this.consoleLog, "").trim().split("\n").slice(-8).join("\n")}`;
    }

    private async mount(): Promise<void> {
        if (isMounted(this.root)) return;
        const [upper, work] = [join(this.dir, "upper"), join(this.dir, "work")];
        // The kernel refuses a work directory with another mount's leavings only sometimes; a new one always fits.
        await rm(work, { recursive: true, force: true });
        for (const dir of [upper, work, this.root]) await mkdir(dir, { recursive: true });
        const options = `lowerdir=${this.lower.join(":")},upperdir=${upper},workdir=${work}`;
        await run("mount", ["-t", "overlay", this.namespace, "-o", options, this.root]);
    }

    /** Runs a shell command as root inside, past sshd: no connection is made and none is counted. */
    exec(command: string, options: RunOptions = {}): Promise<Result> {
        const leader = this.leader;
        if (leader === undefined) return Promise.reject(new Error(`${this.name} is off`));
        const environment = [
            "HOME=/root",
            "LANG=C.UTF-8",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ];
        const inside = ["--target", String(leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"];
        return run("nsenter", [...inside, "env", "-i", ...environment, "sh", "-c", command], options);
    }

    /** The command line that logs in over the network with the lab's key, the host's key pinned. */
    ssh(user = "root", ...command: string[]): string[] {
        return ["ssh", "-F", join(this.labDir, "ssh_config"), "-l", user, this.name, ...command];
    }

    async readFile(path: string): Promise<Buffer> {
        return Buffer.from((await this.exec(`base64 -w0 ${quote(path)}`)).stdout, "base64");
    }

    async writeFile(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
        const file = quote(path);
        await this.exec(`mkdir -p ${quote(dirname(path))} && cat >${file} && chmod ${mode.toString(8)} ${file}`, {
            stdin: content,
        });
    }

    /** Pulls the plug: every process of the host dies at once; what it had written to its files stays. */
    async powerCut(): Promise<void> {
        const { unified } = machineCgroups();
        const group = unified && join(unified, this.network.id, this.name);
        // A frozen process dies only when it thaws.
        if (group && existsSync(group)) await writeFile(join(group, "cgroup.freeze"), "0");
        for (const pid of [this.supervisor(), this.leader]) if (pid !== undefined) kill(pid);
        await sh(`ip netns pids ${this.namespace} 2>/dev/null | xargs -r kill -9 2>/dev/null || true`);
        for (const end = Date.now() + PATIENCE; this.supervisor() !== undefined; await sleep(50))
            if (Date.now() > end)
                throw new Error(`${this.name}: systemd-nspawn does not end ${PATIENCE / 1000} s after SIGKILL`);
        const { dev, ino } = await stat(this.root).catch(() => ({ dev: 0, ino: 0 }));
        await rm(`/run/systemd/nspawn/locks/inode-${dev}:${ino}`, { force: true });
        // nspawn unmounts in its own namespace only; what is left of the overlay is ours to release.
        if (isMounted(this.root)) await run("umount", ["--lazy", this.root]);
        await this.removeCgroups();
    }

    private async removeCgroups(): Promise<void> {
        for (const group of this.cgroups) await removeCgroup(group);
        await rm(`/run/systemd/nspawn/propagate/${this.namespace}`, { recursive: true, force: true });
    }

    /** Asks the host to power off, and pulls the plug when it has not within a minute. */
    async shutdown(): Promise<void> {
        const leader = this.leader;
        if (leader !== undefined) {
            await this.exec("systemctl poweroff", { check: false, timeout: PATIENCE }).catch(() => undefined);
            for (const end = Date.now() + PATIENCE; this.supervisor() !== undefined && Date.now() < end; )
                await sleep(50);
        }
        await this.powerCut();
    }

    /** An orderly restart, as an administrator would order it. */
    async reboot(): Promise<void> {
        await this.shutdown();
        await this.boot();
    }

    /** Stops all the host's processes where they are, as a hung machine does; the network stays up. */
    async freeze(): Promise<void> {
        await this.setFrozen(true);
    }

    async thaw(): Promise<void> {
        await this.setFrozen(false);
    }

    private async setFrozen(frozen: boolean): Promise<void> {
        const { unified } = machineCgroups();
        if (!unified) throw new Error("freezing a host needs cgroup v2, alone or beside v1");
        await writeFile(join(unified, this.network.id, this.name, "cgroup.freeze"), frozen ? "1" : "0");
        for (const end = Date.now() + PATIENCE; (this.power === "frozen") !== frozen; await sleep(20))
            if (Date.now() > end) throw new Error(`${this.name} did not ${frozen ? "freeze" : "thaw"}`);
    }

    async cutCable(): Promise<void> {
        await run("ip", ["link", "set", this.cable, "down"]);
    }

    async plugCable(): Promise<void> {
        await run("ip", ["link", "set", this.cable, "up"]);
        // The machine would go on believing for up to a second that nobody is there.
        await run("ip", ["neighbour", "flush", "dev", this.network.id]);
    }

    /**
     * Makes the line to the host slow or lossy until called without arguments.
     *
     * @param netem arguments of tc-netem(8), as `delay 100ms loss 1%`
     * @throws where the machine's kernel has no netem
     */
    async slow(netem?: string): Promise<void> {
        await run("tc", ["qdisc", "delete", "dev", this.cable, "root"], { check: false });
        if (netem) await run("tc", ["qdisc", "add", "dev", this.cable, "root", "netem", ...netem.split(/\s+/)]);
    }

    /** Lets nobody but the other host reach this one's sshd: its bastion. */
    async hideBehind(bastion: Host): Promise<void> {
        const rule = `tcp dport 22 iifname eth0 ip saddr != ${bastion.address} reject with tcp reset`;
        const table = `table inet lab { chain in { type filter hook input priority -10; ${rule}; }; }`;
        await run("ip", ["netns", "exec", this.namespace, "nft", "-f", "-"], { stdin: `${table}\n` });
    }

    /** Copies the host's disk as it is now; a running host stands still meanwhile, as for a storage snapshot. */
    async snapshot(label = "default"): Promise<void> {
        const running = this.power === "running";
        if (running) await this.freeze();
        try {
            await copyTree(join(this.dir, "upper"), this.snapshotDir(label));
        } finally {
            if (running) await this.thaw();
        }
    }

    /** Puts the disk of a snapshot back and boots: the host an old image brought back. */
    async restore(label = "default"): Promise<void> {
        if (!existsSync(this.snapshotDir(label))) throw new Error(`${this.name} has no snapshot "${label}"`);
        await this.powerCut();
        await copyTree(this.snapshotDir(label), join(this.dir, "upper"));
        await this.boot();
    }

    private snapshotDir = (label: string) => join(this.dir, "snapshots", label);

    /** Removes the host from the machine: processes, mount, cgroups, network, files. */
    async remove(): Promise<void> {
        await this.powerCut();
        await this.network.disconnect(this.name, this.state.octet);
        await rm(this.dir, { recursive: true, force: true });
    }

    /** Puts a file on the host's disk while it is off. */
    async place(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
        await this.mount();
        const file = join(this.root, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
        await chmod(file, mode);
    }

    /** Forgets all the host had on disk, its host key aside. */
    async wipe(): Promise<void> {
        await this.powerCut();
        for (const part of ["upper", "work"]) await rm(join(this.dir, part), { recursive: true, force: true });
    }
}

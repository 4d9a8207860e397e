import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
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
    /** Its run list: the tags by which searches find it. */
    tags: string[];
    /** `ssh-ed25519 AAAA…`, made before the first boot, so that a client can pin it. */
    hostKey: string;
}

/** Milliseconds to wait for what an idle machine does at once. A busy one may need much longer. */
const PATIENCE = 60_000;

/** Milliseconds to wait for a boot. */
const BOOT_PATIENCE = 180_000;

/** End of the lines that the lab writes to /etc/hosts. */
const BY_LAB = " # lab";

export type PowerState = "running" | "frozen" | "off";

/** One real systemd host of a lab. */
export class Host {
    readonly name: string;
    readonly address: string;
    readonly namespace: string;
    /** Its files over those of the image, its console log, and its host key. */
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

    /** Process number of the host's init on the machine; `undefined` while the host is off. */
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

    /** Processor seconds that the host's processes have used so far. */
    get processorTime(): number {
        const { unified } = machineCgroups();
        const text = unified ? readOr(join(unified, this.network.id, this.name, "cpu.stat"), "") : "";
        return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? Number.NaN) / 1e6;
    }

    /** Boots the host unless it is on, and waits for sshd and the image's services. */
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
            // Each init needs its own cgroup: two in one would stop each other's services.
            const join = this.cgroups.map((group) => `echo $$ >${quote(group)}/cgroup.procs;`).join(" ");
            const log = openSync(this.consoleLog, "a");
            // With --keep-unit, nspawn leaves a reboot to its service manager and ends with status 133. This loop is that manager.
            const script = `${join} status=133; while [ $status = 133 ]; do status=0; ${command.map(quote).join(" ")} || status=$?; done`;
            spawn("sh", ["-ec", script], { detached: true, stdio: ["ignore", log, log] }).unref();
            closeSync(log);
        }
        await this.waitUntilServing(timeout);
    }

    /** Waits until the host answers on its loopback, which works with its cable cut and behind a bastion, too. */
    async waitUntilServing(timeout = BOOT_PATIENCE): Promise<void> {
        const ports = [22, ...servicePorts[this.state.image]];
        const tries = ports.map((port) => `exec 3<>/dev/tcp/127.0.0.1/${port}`).join("; ");
        const deadline = Date.now() + timeout;
        for (;;) {
            if (this.leader !== undefined) {
                const args = ["netns", "exec", this.namespace, "bash", "-c", tries];
                // A busy machine may not answer in time: try again.
                const knock = run("ip", args, { check: false, timeout: 5000 }).catch(() => undefined);
                if ((await knock)?.code === 0) return;
            }
            if (Date.now() > deadline)
                throw new Error(`${this.name}: no answer on ports ${ports.join(", ")}; ${this.endOfConsole()}`);
            // Each look starts two programs, which slows down the boots of others.
            await sleep(200);
        }
    }

    private endOfConsole(): string {
        return `its console (${this.consoleLog}) ends with:\n${readOr(this.consoleLog, "").trim().split("\n").slice(-8).join("\n")}`;
    }

    private async mount(): Promise<void> {
        if (isMounted(this.root)) return;
        const [upper, work] = [join(this.dir, "upper"), join(this.dir, "work")];
        // The kernel may refuse a work directory that another mount has used.
        await rm(work, { recursive: true, force: true });
        for (const dir of [upper, work, this.root]) await mkdir(dir, { recursive: true });
        const options = `lowerdir=${this.lower.join(":")},upperdir=${upper},workdir=${work}`;
        await run("mount", ["-t", "overlay", this.namespace, "-o", options, this.root]);
    }

    /** Runs a shell command as root on the host without sshd, so that no test counts a connection. */
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

    /** The command line that logs in over the network with the lab's key and checks the host's key. */
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

    /** Cuts the power: every process of the host dies at once, and so does its network. Its files stay as they are. */
    async powerCut(): Promise<void> {
        // Processes do not die all at once: keepalived's child would still say good-bye when its parent is dead.
        await run("ip", ["link", "set", this.cable, "down"], { check: false });
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
        // nspawn unmounts the overlay in its own namespace only.
        if (isMounted(this.root)) await run("umount", ["--lazy", this.root]);
        await this.removeCgroups();
        // A namespace outlives its processes, and would go on answering for the addresses of a dead host.
        await this.network.disconnect(this.name, this.state.octet);
    }

    private async removeCgroups(): Promise<void> {
        for (const group of this.cgroups) await removeCgroup(group);
        await rm(`/run/systemd/nspawn/propagate/${this.namespace}`, { recursive: true, force: true });
    }

    /** Asks the host to power off, and cuts the power if it is still on a minute later. */
    async shutdown(): Promise<void> {
        const leader = this.leader;
        if (leader !== undefined) {
            await this.exec("systemctl poweroff", { check: false, timeout: PATIENCE }).catch(() => undefined);
            for (const end = Date.now() + PATIENCE; this.supervisor() !== undefined && Date.now() < end; )
                await sleep(50);
        }
        await this.powerCut();
    }

    /** Restarts the host in order, as an administrator would. */
    async reboot(): Promise<void> {
        await this.shutdown();
        await this.boot();
    }

    /** Stops all processes of the host where they are, like a machine that hangs. Its network stays up. */
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
        // Otherwise the machine takes the host for unreachable for up to a second.
        await run("ip", ["neighbour", "flush", "dev", this.network.id]);
    }

    /**
     * Makes the line to the host slow or lossy. Without arguments, repairs it.
     *
     * @param netem arguments of tc-netem(8), as `delay 100ms loss 1%`
     * @throws if the machine's kernel has no netem
     */
    async slow(netem?: string): Promise<void> {
        await run("tc", ["qdisc", "delete", "dev", this.cable, "root"], { check: false });
        if (netem) await run("tc", ["qdisc", "add", "dev", this.cable, "root", "netem", ...netem.split(/\s+/)]);
    }

    /** Lets only the other host, the bastion, reach this host's sshd. */
    async hideBehind(bastion: Host): Promise<void> {
        const rule = `tcp dport 22 iifname eth0 ip saddr != ${bastion.address} reject with tcp reset`;
        const table = `table inet lab { chain in { type filter hook input priority -10; ${rule}; }; }`;
        await run("ip", ["netns", "exec", this.namespace, "nft", "-f", "-"], { stdin: `${table}\n` });
    }

    /** Copies the host's disk. A running host is frozen meanwhile, as for a snapshot of its storage. */
    async snapshot(label = "default"): Promise<void> {
        const running = this.power === "running";
        if (running) await this.freeze();
        try {
            await copyTree(join(this.dir, "upper"), this.snapshotDir(label));
        } finally {
            if (running) await this.thaw();
        }
    }

    /** Boots the host with the disk of an earlier snapshot. */
    async restore(label = "default"): Promise<void> {
        if (!existsSync(this.snapshotDir(label))) throw new Error(`${this.name}: no snapshot "${label}"`);
        await this.powerCut();
        await copyTree(this.snapshotDir(label), join(this.dir, "upper"));
        await this.boot();
    }

    private snapshotDir = (label: string) => join(this.dir, "snapshots", label);

    /** Removes the host from the machine: processes, mount, cgroups, network, files. */
    async remove(): Promise<void> {
        await this.powerCut();
        await rm(this.dir, { recursive: true, force: true });
    }

    /** Reads a file from the host's disk, whether the host is on or off; `undefined` if there is none. */
    async read(path: string): Promise<string | undefined> {
        await this.mount();
        return readFile(join(this.root, path), "utf8").catch(() => undefined);
    }

    /** Writes a file to the host's disk, whether the host is on or off. */
    async place(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
        await this.mount();
        const file = join(this.root, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
        await chmod(file, mode);
    }

    /** Makes other hosts known by name, in /etc/hosts. Lines that the lab has not written stay. */
    async introduce(others: Pick<Host, "name" | "address">[]): Promise<void> {
        const before = (await this.read("etc/hosts")) ?? "";
        const kept = before.split("\n").filter((line) => line && !line.endsWith(BY_LAB));
        const names = others.map(({ name, address }) => `${address} ${name}${BY_LAB}`);
        const text = [...kept, ...names, ""].join("\n");
        if (text !== before) await this.place("etc/hosts", text);
    }

    /** Removes everything from the host's disk. */
    async wipe(): Promise<void> {
        await this.powerCut();
        for (const part of ["upper", "work"]) await rm(join(this.dir, part), { recursive: true, force: true });
    }
}

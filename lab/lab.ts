import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Host, type HostState } from "./host";
import { appService, type Image } from "./imageScripts";
import { buildImage } from "./images";
import { inventory, sshConfig } from "./inventory";
import { resolvConf } from "./machine/aptMirror";
import { run } from "./machine/exec";
import { withLock } from "./machine/lock";
import { machineCgroups } from "./machine/nspawn";
import { hostsDir, labsDir, sweepLock } from "./machine/paths";
import { generateKey, mountsUnder, removeCgroup } from "./machine/system";
import { claimSubnet, type Entry, Network, registered, releaseSubnet } from "./network";
import { type Release, usualRelease } from "./releases";

/** A host of a lab. */
export interface HostArgs {
    /** Host name: lower-case letters, digits and hyphens, at most 40 characters. */
    name: string;
    image: Image;
    /** The HAProxy that its apt installs. Decides which Debian it is. @default "2.6" */
    release?: Release["version"];
    /** Run list by which searches find it, like `ecom-platform::app`. @default [] */
    tags?: string[];
}

export interface LabArgs {
    hosts: HostArgs[];
    /**
     * A lab with a name stays until it is taken down. Its files are in `.lab/NAME` of this checkout.
     * @default - a lab that ends with this process, in a temporary directory
     */
    name?: string;
    /** @default "local" */
    environment?: string;
    /** Called with the current step, for a line of progress. */
    note?: (text: string) => void;
}

interface LabState {
    name: string;
    subnet: number;
    environment: string;
    hosts: HostState[];
}

/**
 * Generators of systemd that find nothing in a container: no devices, consoles and kernel parameters. Without them, a boot and each
 * `daemon-reload` take half of the processor time. That for init scripts of System V stays.
 */
const idleGenerators = [
    ...["cryptsetup", "debug", "fstab", "getty", "gpt-auto", "hibernate-resume", "integritysetup", "rc-local", "run"],
    ...["system-update", "veritysetup"],
];

const stateFile = (dir: string) => join(dir, "lab.json");

/** Real systemd hosts in network namespaces of this machine, on one bridge of their own. */
export class Lab {
    private readonly byName = new Map<string, Host>();
    private network: Network;

    private constructor(
        readonly dir: string,
        private readonly state: LabState,
    ) {
        this.network = new Network(state.subnet);
    }

    /** Starts a lab and boots its hosts at the same time. If that fails, it removes the lab. */
    static async create(args: LabArgs): Promise<Lab> {
        const name = args.name ?? `lab-${randomBytes(4).toString("hex")}`;
        if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name))
            throw new Error(`lab name "${name}": use lower-case letters, digits and hyphens, at most 31`);
        const dir = resolve(args.name ? labsDir : tmpdir(), args.name ?? `haproxy-fleet-${name}`);
        if (/[:,\\]/.test(hostsDir(dir)))
            throw new Error(
                `${hostsDir(dir)}: overlays need a path without colons, commas and backslashes; set XDG_CACHE_HOME`,
            );
        if (existsSync(stateFile(dir))) throw new Error(`lab "${name}": already in ${dir}`);
        await Lab.sweep();
        const subnet = await claimSubnet(dir, args.name ? undefined : process.pid);
        const { environment = "local" } = args;
        const lab = new Lab(dir, { name, subnet, environment, hosts: [] });
        try {
            for (const own of [dir, hostsDir(dir)]) await mkdir(own, { recursive: true, mode: 0o700 });
            lab.save();
            await generateKey(lab.privateKeyPath, `lab ${name}`);
            await lab.network.up();
            await lab.addHosts(args.hosts, args.note);
            return lab;
        } catch (error) {
            await lab.down().catch(() => undefined);
            throw error;
        }
    }

    /** Opens a lab that another process has started, in any state; `undefined` if there is none. */
    static async open(dir: string): Promise<Lab | undefined> {
        if (!existsSync(stateFile(dir))) return undefined;
        const lab = new Lab(dir, JSON.parse(readFileSync(stateFile(dir), "utf8")) as LabState);
        // After a reboot of the machine another lab may have its subnet.
        if (!(await registered()).some((entry) => entry.dir === dir && entry.subnet === lab.state.subnet)) {
            lab.state.subnet = await claimSubnet(dir);
            lab.network = new Network(lab.state.subnet);
        }
        await lab.adopt();
        lab.save();
        return lab;
    }

    static named = (name: string) => Lab.open(join(labsDir, name));

    /** Takes down labs whose process was killed before it could. Each lab that starts does this first. */
    private static sweep(): Promise<void> {
        return withLock(sweepLock, async () => {
            for (const entry of await registered()) {
                if (!entry.abandoned) continue;
                await Lab.takeDown(entry).catch((error: Error) =>
                    process.stderr.write(
                        `abandoned lab in ${entry.dir}: ${error.message}; try npm run lab -- down --all\n`,
                    ),
                );
            }
        });
    }

    /** Takes down a lab of the machine's register, even if its files are damaged. */
    static async takeDown({ dir, subnet }: Pick<Entry, "dir" | "subnet">): Promise<void> {
        const blank: LabState = { name: "", subnet, environment: "", hosts: [] };
        const state = await readFile(stateFile(dir), "utf8").then(
            (text) => JSON.parse(text) as LabState,
            () => blank,
        );
        const lab = new Lab(dir, { ...blank, ...state, subnet });
        // Their images may be gone and are not needed.
        for (const host of lab.state.hosts) lab.byName.set(host.name, new Host(host, lab.network, dir, []));
        await lab.down();
    }

    get name() {
        return this.state.name;
    }

    /** The machine's own address on the lab's bridge. */
    get gateway() {
        return this.network.address(1);
    }

    /** The lab's bridge, which is a device of the machine. */
    get bridge() {
        return this.network.id;
    }

    get privateKeyPath() {
        return join(this.dir, "id_ed25519");
    }

    get inventoryPath() {
        return join(this.dir, "inventory.json");
    }

    get hosts(): Host[] {
        return [...this.byName.values()];
    }

    /** A virtual address in the lab's network. Hosts never get 100 to 254. */
    address = (octet: number) => this.network.address(octet);

    /** Lets a server of this process answer all hosts at an address that is not the lab's, such as that of a metadata service. */
    async answerFor(address: string, port: number, server: Server): Promise<void> {
        server.listen(0, this.gateway).unref();
        await once(server, "listening");
        await this.network.redirect(address, port, (server.address() as AddressInfo).port);
    }

    /** @throws if the lab has no such host */
    host(name: string): Host {
        const host = this.byName.get(name);
        if (!host)
            throw new Error(
                `host "${name}": not in the lab, which has ${[...this.byName.keys()].join(", ") || "none"}`,
            );
        return host;
    }

    /** Boots all hosts that are off, and repairs their network. */
    async boot(): Promise<void> {
        await generateKey(this.privateKeyPath, `lab ${this.name}`);
        await this.network.up();
        await this.introduceAll();
        await settled(this.hosts.map((host) => this.bring(host)));
        this.save();
    }

    /** Boots a host. Installs it first if an earlier start was interrupted before that. */
    private async bring(host: Host): Promise<void> {
        if (!host.hostKey) await this.install(host);
        await host.boot();
    }

    async addHost(args: HostArgs): Promise<Host> {
        await this.addHosts([args]);
        return this.host(args.name);
    }

    async addHosts(args: HostArgs[], note?: (text: string) => void): Promise<void> {
        for (const { name } of args) {
            if (!/^[a-z][a-z0-9-]{0,39}$/.test(name))
                throw new Error(`host name "${name}": use lower-case letters, digits and hyphens, at most 40`);
            if (this.byName.has(name)) throw new Error(`host "${name}": already in the lab`);
        }
        const stacks: string[][] = [];
        for (const { image, release } of args) stacks.push(await buildImage(image, release, note));
        const added = args.map(({ name, image, release = usualRelease, tags = [] }, index) => {
            const state: HostState = { name, image, release, octet: this.freeOctet(), tags, hostKey: "" };
            this.state.hosts.push(state);
            const host = new Host(state, this.network, this.dir, stacks[index] ?? []);
            this.byName.set(name, host);
            return host;
        });
        this.save();
        await this.introduceAll();
        note?.(`booting ${added.map((host) => host.name).join(", ")}`);
        await settled(added.map((host) => this.bring(host)));
        this.save();
    }

    async removeHost(name: string): Promise<void> {
        await this.host(name).remove();
        this.byName.delete(name);
        this.state.hosts = this.state.hosts.filter((host) => host.name !== name);
        this.save();
        await this.introduceAll();
    }

    /** Gives a host a fresh disk. Name, address and host key stay, so that the inventory stays valid. */
    async reset(name: string): Promise<void> {
        const host = this.host(name);
        await host.wipe();
        await this.install(host);
        await host.boot();
        this.save();
    }

    /** Adds an account that logs in with the lab's key and may do everything with sudo, without a password. */
    async addSudoUser(name: string, user = "ops"): Promise<void> {
        const host = this.host(name);
        await host.exec(`id ${user} 2>/dev/null || useradd --create-home --shell /bin/bash ${user}
            install -d -m 700 -o ${user} -g ${user} /home/${user}/.ssh
            install -m 600 -o ${user} -g ${user} /root/.ssh/authorized_keys /home/${user}/.ssh/authorized_keys
            echo '${user} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${user} && chmod 440 /etc/sudoers.d/${user}`);
    }

    /**
     * Kills every process of the lab and removes its mounts, namespaces, bridge, nft table, cgroups and files.
     *
     * @throws if something could not be removed; the lab then stays registered, so that `down` can be tried again
     */
    async down(): Promise<void> {
        await settled(this.hosts.map((host) => host.remove()));
        await this.network.down();
        const files = [hostsDir(this.dir), this.dir];
        for (const mount of files.flatMap(mountsUnder)) await run("umount", ["--lazy", mount]);
        const { unified, systemd } = machineCgroups();
        for (const tree of [unified, systemd]) if (tree) await removeCgroup(join(tree, this.network.id));
        for (const own of files) await rm(own, { recursive: true, force: true });
        if (existsSync(labsDir) && readdirSync(labsDir).length === 0) rmSync(labsDir, { recursive: true });
        await releaseSubnet(this.state.subnet);
    }

    /** Creates the Host objects of the saved hosts. */
    private async adopt(): Promise<void> {
        this.byName.clear();
        for (const state of this.state.hosts) {
            const stack = await buildImage(state.image, state.release);
            this.byName.set(state.name, new Host(state, this.network, this.dir, stack));
        }
    }

    /** Makes the other hosts known to a host. */
    private introduce(host: Host): Promise<void> {
        return host.introduce(this.hosts.filter((other) => other !== host));
    }

    /** Makes all hosts known to each other. Those that are not installed yet follow with their installation. */
    private introduceAll(): Promise<void> {
        return settled(this.hosts.filter((host) => host.hostKey).map((host) => this.introduce(host)));
    }

    private freeOctet(): number {
        const used = new Set(this.state.hosts.map((host) => host.octet));
        for (let octet = 11; octet < 100; octet++) if (!used.has(octet)) return octet;
        throw new Error("hosts: more than 89; use another lab for the rest");
    }

    /** Writes the identity of a host to its new disk: keys, names, resolver, and the service of an app server. */
    private async install(host: Host): Promise<void> {
        const key = join(host.dir, "ssh_host_ed25519_key");
        await mkdir(host.dir, { recursive: true });
        await generateKey(key, "");
        const publicKey = await readFile(`${key}.pub`, "utf8");
        await host.place("etc/ssh/ssh_host_ed25519_key", await readFile(key), 0o600);
        await host.place("etc/ssh/ssh_host_ed25519_key.pub", publicKey);
        await host.place("root/.ssh/authorized_keys", await readFile(`${this.privateKeyPath}.pub`), 0o600);
        await chmod(join(host.dir, "root/root/.ssh"), 0o700);
        await host.place("etc/machine-id", `${randomBytes(16).toString("hex")}\n`, 0o444);
        await host.place("etc/hostname", `${host.name}\n`);
        await host.place("etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${host.name}\n::1 localhost ip6-localhost\n`);
        await this.introduce(host);
        await host.place("etc/resolv.conf", await resolvConf());
        // An empty file of the same name takes the place of a generator.
        for (const name of idleGenerators)
            await host.place(`etc/systemd/system-generators/systemd-${name}-generator`, "");
        const service = host.state.tags.find((tag) => tag.endsWith("::app"))?.replace(/::app$/, "") ?? "none";
        if (host.state.image === "app") await host.place("etc/nginx/lab-service.conf", appService(service));
        host.state.hostKey = publicKey.trim();
    }

    /** Writes the files that other processes read, each as a whole or not at all. */
    private save(): void {
        const hosts = this.hosts.filter((host) => host.hostKey);
        this.put("known_hosts", hosts.map((host) => `${host.address} ${host.hostKey}\n`).join(""));
        this.put("ssh_config", sshConfig(hosts, this.dir));
        this.put("inventory.json", `${JSON.stringify(inventory(hosts, this.state.environment), null, 2)}\n`);
        this.put("lab.json", `${JSON.stringify(this.state, null, 2)}\n`);
    }

    private put(file: string, text: string): void {
        mkdirSync(this.dir, { recursive: true });
        writeFileSync(join(this.dir, `.${file}.new`), text, { mode: 0o600 });
        renameSync(join(this.dir, `.${file}.new`), join(this.dir, file));
    }
}

/** Waits for all before it throws the first error, so that nothing still runs when the caller cleans up. */
async function settled(work: Promise<void>[]): Promise<void> {
    const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
}

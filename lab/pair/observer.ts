import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Host } from "../host";
import type { Lab } from "../lab";
import { run, sleep } from "../machine/exec";
import { now, type Sample, spansOf, type Time } from "./history";

const PROGRAM = join(__dirname, "askOwners.pl");

/** Milliseconds between two questions. */
const EVERY = 20;

/** Sees from outside of the hosts who answers for an address on the lab's network. Two owners are seen as two. */
export class Observer {
    readonly samples: Sample[] = [];
    private failure: Error | undefined;
    private ended = false;

    private constructor(
        private readonly child: ChildProcess,
        private readonly names: ReadonlyMap<string, string>,
    ) {
        let words = "";
        child.stderr?.setEncoding("utf8").on("data", (text: string) => {
            words += text;
        });
        child.on("close", () => {
            if (!this.ended) this.failure = new Error(`the observer has ended: ${words.trim()}`);
        });
        if (child.stdout) createInterface(child.stdout).on("line", (line) => this.samples.push(this.parse(line)));
    }

    /**
     * Starts to ask, every 20 ms. Waits for the first sample.
     *
     * @param hosts whose answers get their names; others are shown as MAC addresses
     */
    static async start(lab: Lab, address: string, hosts: readonly Host[] = lab.hosts): Promise<Observer> {
        const names = new Map<string, string>();
        for (const host of hosts) names.set(await hardwareAddress(host), host.name);
        const args = [PROGRAM, lab.bridge, address, String(EVERY)];
        const child = spawn("perl", args, { stdio: ["ignore", "pipe", "pipe"] });
        const observer = new Observer(child, names);
        await observer.until("a first sample", () => observer.samples.length > 0);
        return observer;
    }

    /** Who answered last. */
    get owners(): readonly string[] {
        if (this.failure) throw this.failure;
        return this.samples.at(-1)?.owners ?? [];
    }

    /** Samples that were taken since a time. */
    since(time: Time): Sample[] {
        return this.samples.filter((sample) => sample.time >= time);
    }

    /**
     * Waits until exactly one host, always the same, has answered for some time. Returns its name.
     *
     * @param wanted the only name that counts. @default - any
     * @param lasting milliseconds. @default 500
     * @throws If that takes longer than `patience` milliseconds, 60,000 by default.
     */
    async owner(wanted?: string, lasting = 500, patience = 60_000): Promise<string> {
        const began = now();
        const only = () => {
            const [span, ...more] = spansOf(this.since(now() - lasting));
            const [name] = span?.owners ?? [];
            const alone = more.length === 0 && span?.owners.length === 1 && now() - began >= lasting;
            return alone && (wanted === undefined || name === wanted) ? name : undefined;
        };
        await this.until(`${wanted ?? "one host"} to answer`, () => only() !== undefined, patience);
        return this.owners[0] as string;
    }

    private async until(what: string, met: () => boolean, patience = 60_000): Promise<void> {
        for (const end = now() + patience; !met(); await sleep(EVERY)) {
            if (this.failure) throw this.failure;
            if (now() > end)
                throw new Error(`waited ${patience} ms for ${what}; now it is ${this.owners.join() || "nobody"}`);
        }
    }

    /**
     * Stops to ask. Returns all samples.
     *
     * @throws If it has ended by itself, so that later samples are missing.
     */
    async stop(): Promise<Sample[]> {
        if (this.failure) throw this.failure;
        this.ended = true;
        const closed = new Promise<void>((resolve) => this.child.once("close", () => resolve()));
        if (this.child.exitCode === null && this.child.signalCode === null) {
            this.child.kill();
            await closed;
        }
        return this.samples;
    }

    private parse(line: string): Sample {
        const [time = "", cards = ""] = line.split(" ");
        const owners = cards ? cards.split(",").map((card) => this.names.get(card) ?? card) : [];
        return { time: Number(time), owners: owners.sort() };
    }
}

async function hardwareAddress({ name, namespace }: Host): Promise<string> {
    const { stdout } = await run("ip", ["-n", namespace, "-o", "link", "show", "eth0"]);
    const found = /link\/ether ([0-9a-f:]{17})/.exec(stdout)?.[1];
    if (!found) throw new Error(`${name}: eth0 has no MAC address: ${stdout}`);
    return found;
}
